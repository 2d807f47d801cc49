"""Solve small problems of every kind and say how many of them are optimal.

python -m benchmarks.small [--kinds A,B] [--seeds N] [--time-limit S | --work N] [--page FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.small.kinds import KINDS, SmallProblem, small_problem
from benchmarks.small.optimum import Cost, optimum
from halfhour.solving import solve
from routing.problem.audit import audit


class SmallResult(NamedTuple):
    """What was found of one problem."""

    kind: str
    found: Cost
    best: Cost
    lawful: bool

    @property
    def is_optimal(self) -> bool:
        """Whether nothing better exists."""
        return self.lawful and self.found == self.best

    @property
    def gap(self) -> float:
        """Price above the optimum, in %, where as much is served."""
        return 100 * (self.found[1] - self.best[1]) / max(1, self.best[1])


def solved(kind: str, seed: int, *, time_limit: float | None, work: int | None) -> SmallResult:
    """One problem solved and compared with its optimum."""
    one = small_problem(kind, seed)
    found, lawful = _answer(one, time_limit, work)
    return SmallResult(kind, found, optimum(one.problem, one.travel), lawful)


def _answer(one: SmallProblem, time_limit: float | None, work: int | None) -> tuple[Cost, bool]:
    """(rank, cost) and whether the plan keeps every law; a file goes the way of `halfhour solve`."""
    given = (one.problem, one.travel) if one.file is None else (one.file,)
    done = solve(*given, time_limit=time_limit, work=work)  # type: ignore[arg-type]
    solution = getattr(done, "solution", done)
    return (solution.rank, solution.cost), not audit(one.problem, one.travel, solution)


def page(results: Sequence[SmallResult], budget: str, option: str) -> str:
    """The results as a page; `option`: the budget as it is asked for."""
    lines = [
        "# Small problems, against the proven optimum", "",
        f"{len(results)} problems of {len({one.kind for one in results})} kinds (`benchmarks/small/kinds.py`), drawn "
        f"from seeds, {budget} each. The optimum is that of all sequences of all sets of tasks, timed by the evaluator "
        "(`benchmarks/small/optimum.py`); plans are judged by the audit.", "",
        f"    python -m benchmarks.small {option} --page docs/results/small-problems.md", "",
        "| kind | optimal | unlawful | mean gap |", "|---|---|---|---|",
    ]  # fmt: skip
    for kind in dict.fromkeys(one.kind for one in results):
        lines.append(f"| {kind} | {_figures([one for one in results if one.kind == kind])} |")
    return "\n".join([*lines, f"| **all** | {_figures(results)} |"]) + "\n"


def _figures(results: Sequence[SmallResult]) -> str:
    alike = [one.gap for one in results if one.found[0] == one.best[0]]
    gap = f"{sum(alike) / len(alike):.2f} %" if alike else "-"
    optimal = sum(one.is_optimal for one in results)
    return f"{optimal} of {len(results)} | {sum(not one.lawful for one in results)} | {gap}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and write the page where it is wanted."""
    parser = argparse.ArgumentParser(prog="benchmarks.small", description=__doc__)
    parser.add_argument("--kinds", default="", metavar="A,B", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="seeds 0 to N - 1")
    parser.add_argument("--time-limit", type=float, default=None, metavar="S", help="seconds each (default 1)")
    parser.add_argument("--work", type=int, default=None, metavar="N", help="insertions each instead: alike everywhere")
    parser.add_argument("--page", type=Path, default=None)
    chosen = parser.parse_args(arguments)
    limit = 1.0 if chosen.time_limit is None and chosen.work is None else chosen.time_limit
    results = []
    for kind in chosen.kinds.split(",") if chosen.kinds else KINDS:
        own = [solved(kind, seed, time_limit=limit, work=chosen.work) for seed in range(chosen.seeds)]
        print(f"{kind}: {_figures(own)}", flush=True)
        results += own
    budget = f"{chosen.work:,} insertions" if limit is None else f"{limit:g} s"
    option = f"--work {chosen.work}" if limit is None else f"--time-limit {limit:g}"
    if chosen.page is not None:
        chosen.page.write_text(page(results, budget, option), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
