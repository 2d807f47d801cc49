"""A step: from one order on everything comes eight minutes later, and nobody says so."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence

from benchmarks.promises.judging import Heard, covered, ended
from dispatch.promise.tracker import Tracker
from dispatch.record.telling import Telling, tracked_again

STEP_S = 480
SEEDS = range(1, 21)
WINDOW = 300
"""Orders in which coverage is looked at."""
SKIPPED = (300, 600)


def after_the_step(days: Sequence[Sequence[Telling]], known: Tracker, basis: str, seed: int) -> tuple[float, ...]:
    """The share that came by their P90, of the WINDOW orders that ended after the first SKIPPED ones that came late.

    Days come in an order drawn by the seed, and the step in the first half of the second one.
    """
    luck = random.Random(seed)
    order = luck.sample(range(len(days)), len(days))
    tracker = copy.deepcopy(known)
    begin_at = [0] * len(days)
    heard: list[Heard] = []
    for place, number in enumerate(order):
        day = sorted((one for one in days[number] if one.said.basis == basis), key=lambda one: one.at)
        if place == 1:
            begin_at[number] = day[luck.randrange(len(day) // 2)].at

        def shifted(one: Telling, step_at: int = begin_at[number], late: bool = place >= 1) -> int:
            return STEP_S if late and one.at >= step_at else 0

        heard += [one for one in ended(tracked_again(day, tracker, shifted=shifted), basis) if shifted(one[0])]
        if len(heard) >= SKIPPED[-1] + WINDOW:
            break
    return tuple(covered(heard[skipped : skipped + WINDOW]) for skipped in SKIPPED)
