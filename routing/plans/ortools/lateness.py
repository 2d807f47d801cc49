"""The price of a tick as steps: slopes and charges that hold after some tick, of one request or of several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from routing.problem.problem import INFINITE, Problem


class LateChange(NamedTuple):
    """What changes after a tick."""

    after: int
    rise: int  # of the slope
    charge: int


class LateStep(NamedTuple):
    """What holds after a tick and up to the next step."""

    after: int
    slope: int  # price of each tick
    charge: int  # for being after it at all


def door_changes(problem: Problem, request: int, sooner: int = 0) -> list[LateChange]:
    """The price of handing a request over `sooner` ticks after the tick that is asked for (`door_price` as changes)."""
    slopes = [0, *problem.slope[request].tolist()]
    placed, dues = int(problem.placed[request]), problem.due[request].tolist()
    first = max(dues[0], placed)
    bends = (placed, first, max(dues[1], first))
    rises = [LateChange(at, after - before, 0) for at, (before, after) in zip(bends, pairwise(slopes), strict=True)]
    charges = [LateChange(due, 0, fee) for due, fee in zip(dues, problem.late_fixed[request].tolist(), strict=True)]
    return [change._replace(after=change.after - sooner) for change in rises + charges if change.after < INFINITE]


def steps(changes: Iterable[LateChange], earliest: int) -> tuple[LateStep, ...]:
    """All of the changes together, for ticks from `earliest` on: what cannot be spared any more is left out."""
    slope, at = 0, dict[int, tuple[int, int]]()
    for change in changes:
        rise, charge = at.get(max(earliest, change.after), (0, 0))
        spared = change.charge if change.after >= earliest else 0
        at[max(earliest, change.after)] = rise + change.rise, charge + spared
    made = []
    for after, (rise, charge) in sorted(at.items()):
        slope += rise
        if rise or charge:
            made.append(LateStep(after, slope, charge))
    return tuple(made)


def spans(late: Sequence[LateStep]) -> list[tuple[LateStep, int]]:
    """Each step and the tick up to which it holds."""
    ends = [step.after for step in late[1:]] + [INFINITE]
    return list(zip(late, ends, strict=False))


def price(late: Sequence[LateStep], at: int) -> int:
    """What being as late as tick `at` costs."""
    return sum(step.charge + step.slope * (min(at, end) - step.after) for step, end in spans(late) if at > step.after)
