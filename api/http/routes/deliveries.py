"""Deliveries: create, read, list, change, cancel, follow."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response

from api.access.rate_limits import Meter, Overloaded
from api.access.rules import Caller, NotFound, Scope, access, access_public
from api.common.signed_tokens import opened
from api.http import presenters
from api.http.acceptance import check_change, check_deliverable, door_of, order_of
from api.http.addresses import said_of
from api.http.commands import IdempotencyKey, Keep, Reply, Running, Service, compact, replied
from api.http.problems import problems
from api.http.schemas import wire
from api.http.transport.door import Door
from api.http.transport.if_match import matches
from api.ledger.protocol import Answer, VaultRow, Write
from api.live.ended_orders import require_on_board
from api.outbox.cursors import CURSOR, page_cursor, page_number
from api.outbox.notices import external_id_of, order_id_of, tenant_of
from dispatch.board.records import OrderRecord
from dispatch.errors import Refused
from dispatch.inputs import OrderCancelled, OrderChanged, OrderPlaced
from dispatch.model import Order, OrderState
from routing.errors import HalfhourError

router = APIRouter(tags=["deliveries"], route_class=Door)

Orders = Annotated[Caller, access(Scope.ORDERS, Scope.OPS)]
OrdersWrite = Annotated[Caller, access(Scope.ORDERS, Scope.OPS, meter=Meter.WRITE)]
ExternalId = Annotated[wire.DeliveryId, Path(description="The caller's own id (operators: the delivery_id).")]

_BEFORE = (OrderState.CREATED, OrderState.CONFIRMED, OrderState.ENROUTE_TO_PICKUP, OrderState.ARRIVED_AT_PICKUP)
_CARRIED = (OrderState.PICKED_UP, OrderState.ENROUTE_TO_DROPOFF, OrderState.ARRIVED_AT_DROPOFF)
_CALLED_OFF = (OrderState.CANCELLED, OrderState.RETURNING, OrderState.RETURNED)
CANCEL_REASONS = ("customer", "store", "operator", "courier", "out_of_stock", "duplicate", "test", "other")
"""Why a delivery is called off, in words that name nobody."""
CHANGEABLE: dict[str, tuple[OrderState, ...]] = {
    "pickup_ready_at": _BEFORE,
    "release_at": (OrderState.CREATED,),
    "load_units": _BEFORE,
    "needs": _BEFORE,
    "items": _BEFORE,
    "priority": _BEFORE,
    "dropoff": (*_BEFORE, *_CARRIED),
    "dropoff_ready_at": (*_BEFORE, *_CARRIED),
    "dropoff_deadline_at": (*_BEFORE, *_CARRIED),
    "order_value": (*_BEFORE, *_CARRIED),
}
"""The PATCH table: in which states a field may change; docs/integrate-orders.md shows it and a test walks it."""


class RevisionMismatch(HalfhourError):
    """If-Match names a version that is no longer the newest."""

    code = "revision_mismatch"


class DuplicateDelivery(HalfhourError):
    """The id is taken by a delivery with another body; details hold its path."""

    code = "duplicate_delivery"


# --- finding --------------------------------------------------------------------------------------------------------


def find(service: Service, caller: Caller, delivery_id: str) -> OrderRecord:
    """The delivery that a caller means; NotFound where it is not there or not his."""
    record = service.host.order(order_id_of(caller.tenant, delivery_id))
    if record is None and caller.owns(tenant_of(delivery_id)):
        record = service.host.order(delivery_id)
    if record is None or caller.store_id not in (None, record.order.store_id):
        raise NotFound("there is no such delivery here", code="unknown_delivery")
    return record


def reply(service: Service, order_id: str, status: int = 200, row: VaultRow | None = None) -> Reply:
    """A delivery as an answer."""
    record = service.host.order(order_id)
    assert record is not None
    found = _shown(service, record, row)
    return Reply(status, found.model_dump_json(), found.version)


def _shown(service: Service, record: OrderRecord, row: VaultRow | None = None) -> wire.Delivery:
    host, base = service.host, service.config.service.root_path
    return presenters.delivery(host, record, service.secret, host.board.needs, row, base=base)


def restored(service: Service, answer: Answer) -> Reply:
    """A kept answer with what is personal filled in again from the vault, if it is still there."""
    value: dict[str, Any] = json.loads(answer.body)
    record = service.host.order(value.get("delivery_id", ""))
    if record is None or "version" not in value:
        return Reply(answer.status, answer.body)
    row = service.host.vault_row(record.order.drop_place)
    drop = presenters.dropoff_of(row)
    value["dropoff"] = drop.model_dump(mode="json") if drop is not None else None
    value["pin"] = row.personal.get("pin") if row is not None else None
    return Reply(answer.status, compact(value), value["version"])


# --- creating -------------------------------------------------------------------------------------------------------


@router.post(
    "/v1/deliveries",
    status_code=201,
    summary="Hand over an order",
    response_model=wire.Delivery,
    responses={200: {"model": wire.Delivery, "description": "It is here already, with the same body"}, **problems(409)},
)
async def create(
    request: Request, service: Running, caller: OrdersWrite, body: wire.DeliveryRequest, key: IdempotencyKey = None
) -> Response:
    """Takes an order; it is ours once this has answered 201.  The same id and body again: 200, nothing new."""

    async def do(keep: Keep) -> Reply:
        return await place(service, caller, body, keep)

    return await service.run(request, caller, key, do)


async def place(
    service: Service, caller: Caller, body: wire.DeliveryRequest, keep: Keep, due_at: int | None = None
) -> Reply:
    """Hands an order to the engine, with its place and what is personal in the same transaction.

    `due_at`: what was promised with a quote, where the body names no deadline; it is no part of what was ordered.
    """
    host, order_id = service.host, order_id_of(caller.tenant, body.external_delivery_id)
    if host.order(order_id) is not None:
        return await _again(service, order_id, body)
    if len(host.board.open_orders) >= service.config.service.most_open_orders:
        raise Overloaded("the city holds as many open orders as it can", code="no_capacity", retry_after_s=30)
    now = host.clock.now()
    if due_at is None and (wire.epoch(body.release_at) or now) <= now:
        wait_s = service.waiting.wait_s(host.board, now)
        if wait_s > service.config.service.longest_wait_s:
            raise Overloaded(
                f"it would wait for {wait_s // 60} minutes behind others", code="no_capacity", retry_after_s=60
            )
    check_deliverable(service, caller, body, now)
    fingerprint = _hashed(body.model_dump_json(exclude_defaults=True))
    if due_at is not None and body.dropoff_deadline_at is None:
        body = body.model_copy(update={"dropoff_deadline_at": wire.at(due_at)})
    where, usual = body.dropoff.location, service.config.service
    handle = host.add_place(where.lat, where.lng, enter_s=usual.drop_enter_s, exit_s=usual.drop_exit_s)
    row = VaultRow(
        handle, caller.tenant, "drop", order_id, where.lat, where.lng, usual.drop_enter_s, usual.drop_exit_s,
        _personal(body.dropoff) | ({"pin": body.pin or service.new_pin()} if body.proof_of_delivery == "pin" else {}),
        _kept(service, body) | {"fingerprint": fingerprint},
    )  # fmt: skip

    def make(at: int) -> OrderPlaced:
        made = order_of(service, body, order_id, handle, at)
        service.doors.note(order_id, made.door)
        return OrderPlaced(at=at, order=made)

    told = await host.tell(
        make,
        vault=(row,),
        respond=lambda events: reply(service, order_id, 201, row),
        answer=keep,
    )
    made: Reply = told.response
    return made


async def _again(service: Service, order_id: str, body: wire.DeliveryRequest) -> Reply:
    await service.host.settled()
    record = service.host.order(order_id)
    row = service.host.vault_row(record.order.drop_place) if record is not None else None
    # Orders of 0.1 kept what was written instead of what was meant.
    same = [_hashed(body.model_dump_json(exclude_defaults=True)), _hashed(body.model_dump_json(exclude_unset=True))]
    if row is None or row.body.get("fingerprint") not in same:
        path = f"{service.config.service.root_path}/v1/deliveries/{external_id_of(order_id)}"
        raise DuplicateDelivery("this external_delivery_id is taken by another body", existing=path)
    return reply(service, order_id, 200, row)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _personal(drop: wire.Dropoff) -> dict[str, Any]:
    return drop.model_dump(mode="json", exclude={"location"}, exclude_none=True)


def _kept(service: Service, body: wire.QuoteRequest) -> dict[str, Any]:
    kept = body.model_dump(
        mode="json", include={"order_value", "currency", "items", "proof_of_delivery"}, exclude_none=True
    )
    if "order_value" in kept:
        kept.setdefault("currency", service.config.service.currency)
    return kept | ({"has_deadline": True} if body.dropoff_deadline_at is not None else {})


# --- reading --------------------------------------------------------------------------------------------------------


@router.get("/v1/deliveries", summary="List deliveries", response_model=wire.DeliveryList, responses=problems(410))
async def list_deliveries(
    request: Request,
    service: Running,
    caller: Orders,
    status: Annotated[OrderState | None, Query(description="Only those in this state.")] = None,
    store_id: Annotated[wire.Id | None, Query()] = None,
    after: Annotated[str | None, Query(pattern=CURSOR, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """The caller's deliveries, newest first."""
    tenant = None if caller.sees_all else caller.tenant
    before = page_number(service.ledger, after) if after is not None else None
    found = service.host.newest_orders(before=before, tenant=tenant, state=status, store_id=store_id, limit=limit + 1)
    records, more = found[:limit], len(found) > limit
    rows = await service.pages.rows(request, caller, records, lambda record: _shown(service, record).model_dump_json())
    await service.host.settled()
    following = json.dumps(page_cursor(service.ledger.identity.epoch, records[-1].seq) if more else None)
    return Response(f'{{"deliveries":{rows},"next":{following}}}', media_type="application/json")


@router.get(
    "/v1/deliveries/{delivery_id}", summary="Read a delivery", response_model=wire.Delivery, responses=problems()
)
async def get(service: Running, caller: Orders, delivery_id: ExternalId) -> Response:
    """A delivery as of now."""
    await service.host.settled()
    return reply(service, find(service, caller, delivery_id).order.order_id).response()


@router.get("/v1/track/{token}", summary="Follow a delivery", response_model=wire.Tracking, responses=problems())
async def track(
    service: Running,
    token: Annotated[str, Path(max_length=400)],
    _: Annotated[None, access_public(Meter.READ)],
) -> wire.Tracking:
    """What a customer sees; the link itself is the permission."""
    order_id = opened(service.secret, "track", token)
    await service.host.settled()
    record = service.host.order(order_id) if isinstance(order_id, str) else None
    if record is None or _is_erased(service, record):
        raise NotFound("there is no such delivery here", code="unknown_delivery")
    return presenters.tracking(service.host, record)


def _is_erased(service: Service, record: OrderRecord) -> bool:
    row = service.host.vault_row(record.order.drop_place)
    return row is None or row.erased_at is not None


# --- changing -------------------------------------------------------------------------------------------------------


@router.patch(
    "/v1/deliveries/{delivery_id}",
    summary="Change a delivery",
    response_model=wire.Delivery,
    responses=problems(409, 412),
)
async def change(
    request: Request,
    service: Running,
    caller: OrdersWrite,
    delivery_id: ExternalId,
    body: wire.DeliveryPatch,
    if_match: Annotated[str | None, Header(max_length=400)] = None,
    key: IdempotencyKey = None,
) -> Response:
    """Changes what is named, as far as the delivery's state lets it; with If-Match only the version that was read."""

    async def do(keep: Keep) -> Reply:
        record = find(service, caller, delivery_id)
        return await _change(service, record, body, if_match, keep)

    return await service.run(request, caller, key, do)


async def _change(
    service: Service, record: OrderRecord, body: wire.DeliveryPatch, if_match: str | None, keep: Keep
) -> Reply:
    host, old = service.host, record.order
    row = host.vault_row(old.drop_place)
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
    order = _changed_order(service, old, body, rows[-1].handle if rows else old.drop_place)
    if body.dropoff is not None and not _same_door(row, body.dropoff):
        order = replace(order, door=door_of(service, old.order_id, body.dropoff))
        service.doors.note(old.order_id, order.door)
    if order == old and rows:
        answer = reply(service, old.order_id, 200, rows[-1])
        await host.write(Write(vault=rows, answers=(keep(answer),) if keep is not None else ()))
        return reply(service, old.order_id)
    told = await host.tell(
        lambda at: OrderChanged(at=at, order=order),
        vault=rows,
        respond=lambda events: reply(service, old.order_id, 200, rows[-1] if rows else None),
        answer=keep,
    )
    made: Reply = told.response
    return made


def _same_door(row: VaultRow | None, drop: wire.Dropoff) -> bool:
    before = presenters.dropoff_of(row)
    return before is not None and before.location == drop.location and said_of(before) == said_of(drop)


def _changed_order(service: Service, old: Order, body: wire.DeliveryPatch, handle: int) -> Order:
    said = body.model_fields_set
    fields: dict[str, Any] = {"drop_place": handle}
    for name, field in (
        ("pickup_ready_at", "expected_ready_at"),
        ("dropoff_ready_at", "earliest_drop_at"),
        ("dropoff_deadline_at", "due_at"),
        ("release_at", "release_at"),
    ):
        value = wire.epoch(getattr(body, name))
        if name in said and (value is not None or field in ("earliest_drop_at", "release_at")):
            fields[field] = value
    if body.load_units is not None:
        fields["load_units"] = body.load_units
    if body.priority is not None:
        fields["priority"] = body.priority
    if body.needs is not None:
        fields["needs"] = presenters.mask_of(body.needs, service.host.board.needs)
    return replace(old, **fields)


def _changed_rows(service: Service, row: VaultRow | None, old: Order, body: wire.DeliveryPatch) -> tuple[VaultRow, ...]:
    """What the vault holds afterwards: a new place where the customer has moved, and the old one without him."""
    if row is None or row.erased_at is not None:
        raise Refused("an erased delivery cannot change", code="invalid_transition")
    values = body.model_dump(mode="json", include={"order_value", "items"}, exclude_none=True, exclude_unset=True)
    kept = row.body | values | ({"has_deadline": True} if body.dropoff_deadline_at is not None else {})
    drop = body.dropoff
    if drop is None:
        return (row._replace(body=kept),) if kept != row.body else ()
    pin = {"pin": row.personal["pin"]} if "pin" in row.personal else {}
    personal = _personal(drop) | pin
    where = drop.location
    if (where.lat, where.lng) == (row.first, row.second):
        return (row._replace(personal=personal, body=kept),)
    handle = service.host.add_place(where.lat, where.lng, enter_s=row.enter_s, exit_s=row.exit_s)
    moved = row._replace(handle=handle, first=where.lat, second=where.lng, personal=personal, body=kept)
    return (row._replace(personal={}, body={}), moved)


@router.post(
    "/v1/deliveries/{delivery_id}/cancel",
    summary="Call a delivery off",
    response_model=wire.Delivery,
    responses=problems(409),
)
async def cancel(
    request: Request,
    service: Running,
    caller: OrdersWrite,
    delivery_id: ExternalId,
    body: wire.Cancel | None = None,
    key: IdempotencyKey = None,
) -> Response:
    """Before pickup it ends; afterwards the goods go back to their store."""

    async def do(keep: Keep) -> Reply:
        record = find(service, caller, delivery_id)
        said = body.reason if body is not None else "customer"
        # Whatever else somebody writes may name a person: it goes where it can be erased, not into journal and events.
        reason = said if said in CANCEL_REASONS else "other"
        if record.state in _CALLED_OFF and record.end_reason == reason:
            return await replied(service, keep, reply(service, record.order.order_id))  # said again
        order_id = require_on_board(service.host.board, record)
        rows = _with_words(service, record, said) if said != reason else ()
        told = await service.host.tell(
            lambda at: OrderCancelled(at=at, order_id=order_id, reason=reason),
            vault=rows,
            respond=lambda events: reply(service, order_id, 200, rows[0] if rows else None),
            answer=keep,
        )
        made: Reply = told.response
        return made

    return await service.run(request, caller, key, do)


def _with_words(service: Service, record: OrderRecord, said: str) -> tuple[VaultRow, ...]:
    """The delivery's row with a reason in somebody's own words."""
    row = service.host.vault_row(record.order.drop_place)
    if row is None or row.erased_at is not None:
        return ()
    return (row._replace(personal=row.personal | {presenters.CANCEL_WORDS: said}),)
