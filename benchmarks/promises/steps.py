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


def after_the_step(days: Sequence[Sequence[Telling]], known: Tracker, basis: str, seed: int, skipped: int) -> float:
    """The share that came by their P90, of the WINDOW orders that ended after the first `skipped` that came late.

    Days come in an order drawn by the seed, and the step in the middle of the second one.
    """
    luck = random.Random(seed)
    order = luck.sample(range(len(days)), len(days))
    tracker = copy.deepcopy(known)
    begin = luck.randrange(len(days[order[1]]) // 2)
    heard: list[Heard] = []
    for place, number in enumerate(order):
        day = sorted(days[number], key=lambda one: one.at)
        step_at = day[begin].at if place == 1 else 0
        late = place >= 1

        def shifted(one: Telling, step_at: int = step_at, late: bool = late) -> int:
            return STEP_S if late and one.at >= step_at else 0

        found = tracked_again(day, tracker, shifted=shifted)
        heard += [one for one in ended(found, basis) if shifted(one[0])]
        if len(heard) >= skipped + WINDOW:
            break
    heard = heard[skipped : skipped + WINDOW]
    return covered(heard)
