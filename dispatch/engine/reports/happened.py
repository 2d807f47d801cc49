"""When was it, and what did the phone show then?  A phone's clock may be hours off, and its reports hours late."""

from __future__ import annotations

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.records import RiderRecord
from dispatch.board.shown_routes import ShownStop, as_shown, first_told_at, told_acts
from dispatch.engine.draft import Draft

Report = i.RouteSeen | i.StopArrived | i.StopCompleted | i.StopFailed


def possible(draft: Draft, item: Report, earliest: int) -> int:
    """The instant of a report, not before `earliest` and not after now: a phone's clock may be hours off.

    Only facts about the same rider and goods bound it, never a request: what happened before a cancellation did so.
    """
    happened_at = min(max(item.happened_at, earliest), item.at)
    if happened_at != item.happened_at:
        draft.events.append(
            e.InstantClamped(
                at=item.at,
                rider_id=item.rider_id,
                stop_id=getattr(item, "stop_id", ""),
                said_at=item.happened_at,
                happened_at=happened_at,
            )
        )
    return happened_at


def earliest_at(rider: RiderRecord, stop_id: str, seen: ShownStop | None = None) -> int:
    """Before this nothing can have happened at a stop: they did not know of it (as `seen`), or were at another one."""
    told_at = seen.told_at if seen is not None else first_told_at(rider.shown, stop_id) or 0
    if all(stop.stop_id != stop_id for stop in rider.route.told):
        return told_at
    arrived_at = rider.arrived_at if rider.route.stops[0].stop_id == stop_id else None
    return max(told_at, rider.acted_at, arrived_at or 0)


def as_seen(rider: RiderRecord, item: i.StopCompleted | i.StopFailed) -> ShownStop | None:
    """A stop as its rider saw it, or (in a board of an earlier version) as it is now.

    An instant that cannot be says nothing about what the phone showed: then the newest version counts.
    """
    is_possible = item.happened_at >= earliest_at(rider, item.stop_id)
    found = as_shown(rider.shown, item.stop_id, item.happened_at if is_possible else item.at, item.revision)
    if found is not None:
        return found
    stop = next((stop for stop in rider.route.told if stop.stop_id == item.stop_id), None)
    if stop is None:
        return None
    return ShownStop(stop.stop_id, stop.store_id, told_acts(stop), rider.route.revision, 0)
