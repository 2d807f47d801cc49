"""Sources and ends of a delivery as they are shown."""

from __future__ import annotations

from api.http.schemas.base import instant_of
from api.http.schemas.deliveries import EndNamed, SourceNamed, WayShown
from dispatch.board.records import OrderRecord


def ways(record: OrderRecord) -> WayShown | None:
    """What it may come from and go to, and what of that is chosen now; None where nothing is."""
    order = record.order
    if not order.has_alternatives:
        return None
    return WayShown(
        sources=[SourceNamed(store_id=one.store_id, prepare_s=one.prepare_s, price=one.price) for one in order.sources],
        ends=[EndNamed(type=one.kind.value, store_id=one.store_id or None, price=one.price) for one in order.ends],
        end=order.end.name,
        source_told_at=instant_of(record.source_told_at),
    )
