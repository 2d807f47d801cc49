"""Benchmarks: one harness, cases, a gate against a committed baseline (docs/benchmarks.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.harness import measure, report

__all__ = ["run"]

SUITES = ("quick", "full")


def run(
    suite: str = "quick",
    *,
    only: str = "",
    repeats: int | None = None,
    told: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Measure a suite ("quick" is the gate's, "full" the published one) and return its report.

    `only`: a part of the names of the cases wanted. `repeats`: overrides the cases' own. `told`: hears of progress.
    """
    from benchmarks.cases import cases_of

    return report(suite, measure(cases_of(suite, only), repeats=repeats, told=told))
