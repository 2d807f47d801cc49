"""Every case by suite: rounds in their parts and as a whole, days replayed, and streets."""

from __future__ import annotations

from benchmarks.cases import cells, clusters, days, matrix, rounds
from benchmarks.harness import Case
from benchmarks.roads import gate_cases
from routing.errors import InvalidInput


def cases_of(suite: str, only: str = "") -> list[Case]:
    """The cases of a suite with `only` in their names; raises InvalidInput where there are none."""
    found = [
        case
        for case in (*rounds.CASES, *matrix.CASES, *clusters.CASES, *cells.CASES, *days.CASES, *gate_cases.CASES)
        if suite in case.suites and only in case.name
    ]
    if not found:
        raise InvalidInput(f"suite {suite!r} has no case with {only!r} in its name", code="no_such_case")
    return found
