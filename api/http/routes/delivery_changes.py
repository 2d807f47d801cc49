"""A change of a delivery that is under way: what may change in which state, and what follows."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import Response

from api.http import presenters
from api.http.acceptance import check_change, customer_of, door_of
from api.http.addresses import said_of
from api.http.commands import Command, Remember, Reply, Service
from api.http.problems import problems
from api.http.routes.deliveries import (
    BEFORE_PICKUP,
    CARRIED,
    ExternalId,
    OrdersCommand,
    find,
    reply,
    vaulted,
)
from api.http.schemas.base import access_at, epoch_of
from api.http.schemas.deliveries import (
    Delivery,
    DeliveryPatch,
    Dropoff,
    EndAskedFor,
)
from api.http.transport.door import Door
from api.http.transport.if_match import matches
from api.http.trials import late_with
from api.ledger.protocol import VaultRow, Write
from api.ledger.recovery import access_of
from api.live.ended_orders import require_on_board
from api.live.words import WORDS
from dispatch.board.records import OrderRecord
from dispatch.errors import Refused
from dispatch.inputs import EndAsked, OrderChanged
from dispatch.model import Order, OrderState
from dispatch.ways import EndKind
from routing.errors import HalfhourError

router = APIRouter(tags=["deliveries"], route_class=Door)


CHANGEABLE: dict[str, tuple[OrderState, ...]] = {
    "pickup_ready_at": BEFORE_PICKUP,
    "release_at": (OrderState.CREATED,),
    "load_units": BEFORE_PICKUP,
    "needs": BEFORE_PICKUP,
    "items": BEFORE_PICKUP,
    "priority": BEFORE_PICKUP,
    "dropoff": (*BEFORE_PICKUP, *CARRIED),
    "dropoff_ready_at": (*BEFORE_PICKUP, *CARRIED),
    "dropoff_deadline_at": (*BEFORE_PICKUP, *CARRIED),
    "order_value": (*BEFORE_PICKUP, *CARRIED),
}
"""The PATCH table: in which states a field may change; docs/integrate-orders.md shows it and a test walks it."""


class RevisionMismatch(HalfhourError):
    """If-Match names a version that is no longer the newest."""

    code = "revision_mismatch"


@router.patch(
    "/v1/deliveries/{delivery_id}",
    summary="Change a delivery",
    response_model=Delivery,
    responses=problems(409, 412),
)
async def change(
    command: OrdersCommand,
    delivery_id: ExternalId,
    body: DeliveryPatch,
    if_match: Annotated[str | None, Header(max_length=400)] = None,
) -> Response:
    """Changes what is named, as far as the delivery's state lets it; with If-Match only the version that was read."""

    async def do(remember: Remember) -> Reply:
        record = find(command.service, command.caller, delivery_id)
        return await _change(command, record, body, if_match, remember)

    return await command.once(do)


@router.post(
    "/v1/deliveries/{delivery_id}/end",
    summary="Bring a delivery elsewhere",
    response_model=Delivery,
    responses=problems(409),
)
async def end(command: OrdersCommand, delivery_id: ExternalId, body: EndAskedFor) -> Response:
    """To another of its ends, as long as that costs nobody's promise; its price stands beside it in `alternatives`."""

    async def do(remember: Remember) -> Reply:
        record = find(command.service, command.caller, delivery_id)
        order_id, order = require_on_board(command.service.host.board, record), record.order
        asked = next((one for one in order.all_ends if one.name == body.end), None)
        late: tuple[str, ...] = ()
        if asked is not None and not record.state.is_final:
            changed = replace(order.choosing(order.source, asked), asked_end=asked.name)
            late = await late_with(command.service, changed)
        return await command.tell(
            lambda at: EndAsked(at=at, order_id=order_id, end=body.end, late=late),
            respond=lambda events: reply(command.service, order_id),
            answer=remember,
        )

    return await command.once(do)


async def _change(
    command: Command, record: OrderRecord, body: DeliveryPatch, if_match: str | None, remember: Remember
) -> Reply:
    service = command.service
    host, old = service.host, record.order
    row = host.vault_row(old.door_place)
    version = presenters.version_of(record, row)
    if if_match is not None and not matches(if_match, version):
        raise RevisionMismatch("it has changed since it was read", version=version)
    for name in sorted(body.model_fields_set):
        if record.state not in CHANGEABLE[name]:
            raise Refused(
                f"a delivery that is {record.state.value} keeps its {name}", code="invalid_transition", field=name
            )
    require_on_board(host.board, record)
    has_deadline = row is not None and bool(row.body.get("has_deadline"))
    check_change(service, body, record, host.clock.now(), has_deadline=has_deadline)
    rows = _changed_rows(service, row, old, body)
    order = _changed_order(service, old, body, rows[-1].handle if rows else old.door_place)
    is_moved = body.dropoff is not None and not _same_door(row, body.dropoff)
    if body.dropoff is not None and is_moved:
        order = replace(order, door=door_of(service, old.order_id, body.dropoff))
    if body.dropoff is not None:
        order = replace(order, customer=customer_of(service, old.order_id, body.dropoff))
    if order == old and rows:
        answer = reply(service, old.order_id, 200, rows[-1])
        await host.write(Write(vault=rows, answers=(remember(answer),) if remember is not None else ()))
        return reply(service, old.order_id)

    def make(at: int) -> OrderChanged:
        if is_moved:
            service.doors.note(host.board, order.order_id, order.door, order.door_place)
        return OrderChanged(at=at, order=order)

    return await command.tell(
        make,
        vault=rows,
        respond=lambda events: reply(service, old.order_id, 200, rows[-1] if rows else None),
        answer=remember,
    )


def _same_door(row: VaultRow | None, drop: Dropoff) -> bool:
    before = presenters.dropoff_of(row)
    return before is not None and before.location == drop.location and said_of(before) == said_of(drop)


def _changed_order(service: Service, old: Order, body: DeliveryPatch, handle: int) -> Order:
    said = body.model_fields_set
    moved = tuple(replace(end, place=handle) if end.kind is EndKind.DOOR else end for end in old.ends)
    fields: dict[str, Any] = {"ends": moved}
    if old.drop_place == old.door_place:
        fields["drop_place"] = handle
    for name, field in (
        ("pickup_ready_at", "expected_ready_at"),
        ("dropoff_ready_at", "earliest_drop_at"),
        ("dropoff_deadline_at", "due_at"),
        ("release_at", "release_at"),
    ):
        value = epoch_of(getattr(body, name))
        if name in said and (value is not None or field in ("earliest_drop_at", "release_at")):
            fields[field] = value
    if body.load_units is not None:
        fields["load_units"] = body.load_units
    if body.priority is not None:
        fields["priority"] = body.priority
    if body.needs is not None:
        fields["needs"] = presenters.mask_of(body.needs, service.host.board.needs)
    return replace(old, **fields)


def _changed_rows(service: Service, row: VaultRow | None, old: Order, body: DeliveryPatch) -> tuple[VaultRow, ...]:
    """What the vault holds afterwards: a new place where the customer has moved, and the old one without them."""
    if row is None or row.erased_at is not None:
        raise Refused("an erased delivery cannot change", code="invalid_transition")
    values = body.model_dump(mode="json", include={"order_value", "items"}, exclude_none=True, exclude_unset=True)
    kept = row.body | values | ({"has_deadline": True} if body.dropoff_deadline_at is not None else {})
    drop = body.dropoff
    if drop is None:
        return (row._replace(body=kept),) if kept != row.body else ()
    pin = {"pin": row.personal["pin"]} if "pin" in row.personal else {}
    personal = vaulted(drop) | pin | {name: row.personal[name] for name in (WORDS,) if name in row.personal}
    where = drop.location
    if (where.lat, where.lng, access_at(drop.access)) == (row.first, row.second, access_of(row)):
        return (row._replace(personal=personal, body=kept),)
    handle = service.host.add_place(
        where.lat, where.lng, enter_s=row.enter_s, exit_s=row.exit_s, access=access_at(drop.access)
    )
    moved = row._replace(handle=handle, first=where.lat, second=where.lng, personal=personal, body=kept)
    return (row._replace(personal={}, body={}), moved)
