"""A board as JSON values and back: what a snapshot holds, and what of it is made anew."""

from __future__ import annotations

from typing import Any

from dispatch import codec
from dispatch.board.records import OrderRecord, RiderRecord, ZoneRecord
from dispatch.board.stock import StoreRecord
from dispatch.model import Offer
from dispatch.promise.tracker import Tracker

SCALARS = (
    "now", "offers_made", "orders_taken", "round", "open_round", "round_opened_at", "planned_wait_s",
    "most_new_orders", "dirty_at", "hears_since", "answers_until", "travel_version",
    "round_travel_version", "travel_digest", "profiles", "needs", "before_preset", "weather",
    "service_began_at", "last_placed_at",
)  # fmt: skip
TABLES: dict[str, Any] = {
    "stores": StoreRecord,
    "zones": ZoneRecord,
    "orders": OrderRecord,
    "riders": RiderRecord,
    "offers": Offer,
}
"""What a board remembers; the rest of it is derived from these."""


def dump(board: Any) -> dict[str, Any]:
    """The whole state of a Board as JSON values, every setting among them."""
    state: dict[str, Any] = {name: codec.plain(getattr(board, name)) for name in SCALARS}
    state["settings"] = board.settings.flat()
    state["promise"] = board.promise.dump()
    for name in TABLES:
        state[name] = {key: codec.plain(record) for key, record in getattr(board, name).items()}
    return state


def load(board: Any, state: dict[str, Any]) -> None:
    """Fill an empty Board; a snapshot of an earlier version may lack what has been added since."""
    for name in SCALARS:
        setattr(board, name, state.get(name, getattr(board, name)))
    board.promise = Tracker.load(state.get("promise", {}))
    board.profiles, board.needs = tuple(board.profiles), tuple(board.needs)
    for name, kind in TABLES.items():
        setattr(board, name, {key: codec.typed(kind, value) for key, value in state[name].items()})
    for record in board.orders.values():
        # Snapshots of an earlier version do not say in whose bag goods are.
        if record.carried_by is None and record.picked_up_at is not None and record.pick_place is None:
            record.carried_by = record.rider_id
        record.complete_custody()
    board.orders_taken = max([board.orders_taken, *(record.seq + 1 for record in board.orders.values())])
