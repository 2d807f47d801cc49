"""The test suite: `make test`, or `python -m pytest` in a checkout."""
