"""`python -m halfhour` is the `halfhour` command."""

from halfhour.commands import main

main()
