"""Judge a meal-delivery solution: `python -m benchmarks.days.mdrp_check INSTANCE SOLUTION [--policy updates] [--json]`.

INSTANCE is a published instance folder, SOLUTION a folder with assignments, orders and moves (a run's `mdrp/`).
Exit status: 0 feasible, 1 a rule is broken, 2 unreadable.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from routing.errors import HalfhourError
from sim.mdrp.rules import LIBERTIES, MdrpVerdict, judge, read_instance, read_solution


def main(arguments: list[str] | None = None) -> int:
    """Read, judge, print; the exit status."""
    parser = argparse.ArgumentParser(prog="mdrp_check", description="judge a meal-delivery solution")
    parser.add_argument("instance", type=Path)
    parser.add_argument("solution", type=Path)
    parser.add_argument("--policy", choices=LIBERTIES, default="updates", help="what the dispatcher may do")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    try:
        verdict = judge(read_instance(chosen.instance), read_solution(chosen.solution), chosen.policy)
    except HalfhourError as problem:
        print(problem, file=sys.stderr)
        return 2
    if chosen.json:
        print(json.dumps({"feasible": verdict.feasible, "violations": verdict.counts(), **verdict.measures}, indent=1))
    else:
        _print(verdict)
    return 0 if verdict.feasible else 1


def _print(verdict: MdrpVerdict) -> None:
    print(f"{verdict.instance}: {'feasible' if verdict.feasible else 'NOT FEASIBLE'} ({verdict.liberty})")
    for code, count in verdict.counts().items():
        first = next(violation for violation in verdict.violations if violation.code == code)
        print(f"  {code} x {count}, first: {first.who}: {first.text}")
    for name, value in verdict.measures.items():
        print(f"  {name:20s}{value:12.3f}")


if __name__ == "__main__":
    sys.exit(main())
