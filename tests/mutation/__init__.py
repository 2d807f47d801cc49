"""Deliberate errors, one at a time: does any test see them?  `python -m tests.mutation --help`."""
