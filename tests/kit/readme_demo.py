"""README's table is what the demo prints: `halfhour demo | python -m tests.kit.readme_demo`."""

from __future__ import annotations

import re
import sys

from tests.architecture.sources import ROOT

_ROW = re.compile(r"^ [A-Z][^|]*?\d.*$", re.MULTILINE)


def rows_of(text: str) -> list[str]:
    """The rows of the first table of KPIs in a text, spaces and signs evened out."""
    table = text[text.index("halfhour   nearest") :].split("```")[0].replace("\u2212", "-")
    return [" ".join(row.split()) for row in _ROW.findall(table)]


def main(printed: str) -> int:
    """1 where README shows a row that the demo did not print."""
    shown, made = rows_of((ROOT / "README.md").read_text(encoding="utf-8")), rows_of(printed)
    untrue = [row for row in shown if row not in made]
    for row in untrue:
        print(f"README says what the demo does not: {row}")
    return 1 if untrue or not shown else 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.read()))
