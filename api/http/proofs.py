"""Proofs of delivery: asked for each delivery that a report says its customer has now, whatever stop it names."""

from __future__ import annotations

import hmac

from api.common.ids import external_id_of, tenant_of
from api.http.schemas.riders import StopDone
from api.ledger.outbox import Notice
from api.ledger.protocol import VaultRow, Write
from api.live.host import LiveHost
from dispatch.engine.reports.goods import given_to_customers
from dispatch.inputs import StopCompleted
from dispatch.model import OrderState
from routing.errors import HalfhourError, InvalidInput

MOST_TRIES = 5
"""Wrong PINs for one delivery; then it takes no more and operations hear of it."""
TRIES = "wrong_pins"
"""Where a drop's row counts them."""


class ProofLocked(HalfhourError):
    """Too many wrong PINs for one delivery: operations decide."""

    code = "proof_locked"


async def proofs(host: LiveHost, item: StopCompleted, done: StopDone) -> tuple[VaultRow, ...]:
    """Vault rows with the proofs of what is handed over; raises where one is missing, wrong or locked.

    A wrong PIN is counted on the disk before it is answered.
    """
    rows = []
    for order_id in given_to_customers(host.board, item):
        record = host.board.orders[order_id]
        row = host.vault_row(record.order.door_place)
        if record.state is not OrderState.DELIVERED and row is not None and row.erased_at is None:
            rows.append(await _with_proof(host, order_id, row, done))
    return tuple(row for row in rows if row is not None)


async def _with_proof(host: LiveHost, order_id: str, row: VaultRow, done: StopDone) -> VaultRow | None:
    wanted = row.body.get("proof_of_delivery", "none")
    if wanted == "pin":
        pin = (done.pins or {}).get(order_id, done.pin)
        if row.body.get(TRIES, 0) >= MOST_TRIES:
            raise ProofLocked("too many wrong pins: operations decide", field="pin", delivery_id=order_id)
        if pin is None:
            raise InvalidInput("the customer's pin is asked for", code="proof_required", field="pin")
        if not hmac.compare_digest(pin, row.personal.get("pin", "")):
            await _count_wrong(host, order_id, row)
        return row._replace(body=row.body | {"proof": {"kind": "pin"}})
    if wanted == "photo" and done.photo_reference is None:
        raise InvalidInput("a photo is asked for", code="proof_required", field="photo_reference")
    if done.photo_reference is not None:
        return row._replace(body=row.body | {"proof": {"kind": "photo", "reference": done.photo_reference}})
    return None


async def _count_wrong(host: LiveHost, order_id: str, row: VaultRow) -> None:
    tries = row.body.get(TRIES, 0) + 1
    notices: tuple[Notice, ...] = ()
    if tries == MOST_TRIES:
        told = {"delivery_id": order_id, "external_delivery_id": external_id_of(order_id), "tries": tries}
        notices = (host.notice(tenant_of(order_id), "delivery.proof_locked", order_id, told),)
    await host.write(Write(vault=(row._replace(body=row.body | {TRIES: tries}),), notices=notices))
    raise InvalidInput("the customer's pin is wrong", code="proof_required", field="pin", tries_left=MOST_TRIES - tries)
