"""Forgetting a customer: what is personal goes, the position becomes the middle of its cell, the journal still folds.

Deciding that day again is no longer exact, and its export says so.
"""

from __future__ import annotations

from api.common.ids import tenant_of
from api.ledger.protocol import VaultRow, Write
from api.live.host import LiveHost
from dispatch.board.records import OrderRecord
from dispatch.errors import Refused
from routing.cells import cell_of, centre_of
from routing.places import RESOLUTION


def coarsened(row: VaultRow, at: int) -> VaultRow:
    """A vault row without anybody in it."""
    lat, lng = centre_of(cell_of(row.first, row.second, RESOLUTION))
    body = {name: value for name, value in row.body.items() if name in ("order_value", "currency", "row")}
    return row._replace(first=lat, second=lng, personal={}, body=body, erased_at=at)


async def erase(host: LiveHost, record: OrderRecord) -> None:
    """Erases every place ever kept for an ended order; raises Refused while it is under way."""
    if not record.state.is_final:
        raise Refused("a delivery is erased once it has ended", code="invalid_transition", field="delivery_id")
    order_id = record.order.order_id
    await host.settled()
    now = host.clock.now()
    kept = await host.asked(host.ledger.vault_of, order_id)
    rows = tuple(coarsened(row, now) for row in kept if row.erased_at is None)
    if not rows:
        return
    await host.recall(order_id)
    notice = host.notice(tenant_of(order_id), "delivery.erased", order_id, {"delivery_id": order_id})
    await host.write(Write(notices=(notice,), vault=rows))
    for row in rows:
        host.board.places.move(row.handle, row.first, row.second)
