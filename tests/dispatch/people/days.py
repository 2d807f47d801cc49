"""Days of a small city under random hours and rest: what is told is done when it was expected, and judged by events.

python -m tests.dispatch.people.days 1000      # so many days; prints breaches and what was lived
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

from dispatch import events as e
from dispatch import inputs as i
from dispatch.model import OrderState, Shift
from dispatch.record.people.hours_audit import HoursAudit
from tests.kit.world import T0, World


class Lived(NamedTuple):
    """What came of a day: what the judge found, and that there was something to judge."""

    breaches: list[str]
    over_s: int
    rests: int
    delivered: int


def random_line(draw: np.random.Generator) -> str:
    """A line of `rules.hours` that binds within a few hours."""
    stretch, pause = int(draw.integers(3600, 9000)), int(draw.integers(300, 1800))
    first = int(draw.integers(600, 5400))
    clauses = [
        f"shift {int(draw.integers(7200, 18000))}", f"stretch {stretch}",
        f"break {pause}" + (f": {first}-{first + int(draw.integers(1800, 7200))}" if draw.random() < 0.5 else ""),
    ]  # fmt: skip
    if draw.random() < 0.3:
        clauses.append(f"rest {int(draw.integers(3600, 40_000))}")
    if draw.random() < 0.3:
        clauses.pop(0)
    return "; ".join(clauses)


def lived(seed: int) -> Lived:
    """One day: a few riders, half of them a crowd, log-offs, breaks of their own and orders throughout."""
    draw = np.random.default_rng(seed)
    line, hours = random_line(draw), float(draw.uniform(3, 7))
    world = World(rules__hours=line, rules__round_s=120, rules__offer_s=900)
    world.store("kitchen", 300, 0)
    world.store("bakery", -800, 400)
    riders = [f"r{k}" for k in range(int(draw.integers(1, 4)))]
    for rider_id in riders:
        world.rider(rider_id, *draw.uniform(-1500, 1500, 2).tolist(), hours=hours, crowd=draw.random() < 0.3)
    at, end_s, number = 0, round(hours * 3600), 0
    while at < end_s:
        world.deliver_all(at)
        world.until(max(at, world.now - T0))
        if draw.random() < 0.8:
            place = draw.uniform(-2500, 2500, 2).tolist()
            store = "kitchen" if draw.random() < 0.6 else "bakery"
            world.order(f"o{number}", store, *place, ready_s=int(draw.integers(0, 900)))
            number += 1
        rider_id = riders[int(draw.integers(len(riders)))]
        chance, record = draw.random(), world.board.riders[rider_id]
        if chance < 0.03:
            world.say(i.BreakBegan(at=world.now, rider_id=rider_id))
        elif chance < 0.1 and record.on_break:
            world.say(i.BreakEnded(at=world.now, rider_id=rider_id))
        elif chance < 0.12:
            world.say(i.ShiftEnded(at=world.now, rider_id=rider_id))
        elif chance < 0.2 and not record.shifts:
            world.say(i.ShiftPlanned(at=world.now, shift=Shift(rider_id, world.now, T0 + end_s)))
        for offer in tuple(world.board.offers.values()):
            kind = i.OfferAccepted if draw.random() < 0.8 else i.OfferDeclined
            world.say(kind(at=world.now, offer_id=offer.offer_id, rider_id=offer.rider_id))
        at += int(draw.integers(60, 900))
    world.deliver_all(end_s + 1800)
    world.check()
    audit = HoursAudit(line)
    rests = delivered = 0
    for _, events in world.journal:
        audit.take(events)
        rests += sum(isinstance(event, e.RestGiven) for event in events)
        delivered += sum(isinstance(x, e.OrderMoved) and x.state is OrderState.DELIVERED for x in events)
    return Lived(audit.breaches, audit.over_s, rests, delivered)


def main() -> None:
    """Live so many days and say what was found."""
    days, found = int(sys.argv[1]), [0, 0, 0, 0]
    for seed in range(days):
        day = lived(seed)
        found = [a + b for a, b in zip(found, (len(day.breaches), day.over_s, day.rests, day.delivered), strict=True)]
        if day.breaches:
            print(f"day {seed}: {day.breaches[0]}", flush=True)
        if (seed + 1) % 50 == 0:
            breaches, over_s, rests, delivered = found
            print(
                f"{seed + 1} days: {breaches} breaches, {over_s} s over, {rests} breaks, {delivered} delivered",
                flush=True,
            )


if __name__ == "__main__":
    main()
