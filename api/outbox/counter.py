"""At the counter: the bags planned for a rider who stands there, before they are told.

They may change until they are handed over.  Showing them commits nothing: the engine does not hear of it.
"""

from __future__ import annotations

from dispatch import events as e
from dispatch.board.board import Board
from dispatch.board.records import RiderRecord
from dispatch.model import Act, ActKind, Engagement, Level


def planned_bags(record: RiderRecord) -> tuple[Act, ...]:
    """What a rider at a counter would be given by the plan of now; nothing for one who must be asked first."""
    stops = record.route.stops
    if not stops or stops[0].level != Level.AT_STOP or record.rider.engagement is Engagement.CROWD:
        return ()
    return tuple(act for act in stops[0].acts if act.kind is ActKind.PICKUP and act.level == Level.TENTATIVE)


class Counters:
    """What was shown last at each rider's counter, and since which revision of their route."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._since: dict[str, int] = {}

    def since(self, rider_id: str) -> int:
        """The revision of a rider's route with which their bags changed last (-1: never)."""
        return self._since.get(rider_id, -1)

    def news(self, event: e.Event, board: Board) -> tuple[str, str, tuple[str, ...]] | None:
        """(rider, stop, deliveries) where `event`, which `board` has applied, leaves other bags than were shown."""
        if isinstance(event, e.RouteRevised):
            rider_id = event.route.rider_id
        elif isinstance(event, e.RiderArrived | e.RiderDone):
            rider_id = event.rider_id
        else:
            return None
        record = board.riders[rider_id]
        bags = tuple(act.order_id for act in planned_bags(record))
        stop_id = record.route.stops[0].stop_id if bags else ""
        before = self._shown.get(rider_id, ("", ()))
        if (stop_id, bags) == before:
            return None
        if bags:
            self._shown[rider_id] = stop_id, bags
        else:
            del self._shown[rider_id]
        self._since[rider_id] = record.route.revision
        is_said = isinstance(event, e.RiderDone) or (isinstance(event, e.RouteRevised) and event.told)
        return None if is_said else (rider_id, stop_id or before[0], bags)
