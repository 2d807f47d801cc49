"""What was said of orders in finished runs, and tracking it once more: what promises begin with.

Only groups and instants are read from a run; quantiles are tracked anew, in the order in which ends became known.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from dispatch import events as e
from dispatch.inputs import PromiseTaught
from dispatch.model import OrderState
from dispatch.promise.groups import recent_group
from dispatch.promise.told import Said
from dispatch.promise.tracker import Tracker

_TEACHES = (OrderState.DELIVERED, OrderState.RETURNED, OrderState.UNDELIVERED)


class Telling(NamedTuple):
    """One thing that was said of one order: when, what it was like, and what came of it, known from `known_at` on.

    `known_at` None: its end never became known, or it was called off; `delivered_at` None: it never came.
    """

    order_id: str
    at: int
    said: Said
    known_at: int | None
    delivered_at: int | None


def tellings(entries: Iterable[tuple[Any, ...]]) -> list[Telling]:
    """Everything that was said in a journal; `entries`: tuples that end in events."""
    said: list[tuple[str, int, Said]] = []
    ended: dict[str, tuple[int, int | None]] = {}
    for entry in entries:
        for event in entry[-1]:
            if isinstance(event, e.PromiseSaid):
                said.append((event.order_id, event.at, event.said))
            elif isinstance(event, e.OrderMoved | e.OutcomeCorrected) and event.state in _TEACHES:
                came = event.happened_at if event.state is OrderState.DELIVERED else None
                ended.setdefault(event.order_id, (event.at, came))
    return [Telling(order_id, at, what, *ended.get(order_id, (None, None))) for order_id, at, what in said]


def tracked_again(
    told: Sequence[Telling], tracker: Tracker, *, shifted: Callable[[Telling], int] | None = None
) -> list[tuple[Telling, Said]]:
    """What would have been said of each, in order, by a tracker that learns from the ends known at that instant alone.

    `shifted`: seconds by which each order comes later than it did, and is known to have come.
    """
    under_way: list[tuple[int, int, Said, int | None]] = []
    found = []

    def learn() -> None:
        _, _, said, came = heapq.heappop(under_way)
        mine = sum(one[2].basis == said.basis for one in under_way) + 1
        for lesson in tracker.lessons(said, came, mine):
            tracker.learn(lesson)

    for number, one in enumerate(sorted(told, key=lambda one: one.at)):
        while under_way and under_way[0][0] <= one.at:
            learn()
        late_s = shifted(one) if shifted is not None else 0
        groups = tuple(recent_group(group, tracker.recent_ms) for group in one.said.groups)
        said = tracker.said(one.said.basis, one.said.expected_at, one.said.due_at, groups)
        came = None if one.delivered_at is None else one.delivered_at + late_s
        found.append((one._replace(delivered_at=came), said))
        if one.known_at is not None:
            heapq.heappush(under_way, (one.known_at + late_s, number, said, came))
    while under_way:
        learn()
    return found


def taught_by(tracker: Tracker, at: int) -> PromiseTaught:
    """What a tracker knows, as it is said to an engine."""
    groups = tuple(
        (group, tracker.counts.get(group, 0), tuple(offsets)) for group, offsets in sorted(tracker.offsets.items())
    )
    return PromiseTaught(
        at=at,
        groups=groups,
        taught=tuple(sorted(tracker.taught.items())),
        spread_ms=tuple(sorted(tracker.spread_ms.items())),
    )
