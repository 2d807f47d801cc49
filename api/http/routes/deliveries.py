"""Deliveries: create, read, list, change, cancel, follow."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.access.rate_limits import Meter
from api.access.rules import Caller, Scope, access, access_public
from api.common.errors import NotFound, Overloaded
from api.common.ids import external_id_of, order_id_of, tenant_of
from api.common.signed_tokens import opened
from api.http import presenters
from api.http.acceptance import check_deliverable, order_of
from api.http.commands import Command, Remember, Reply, Running, Service, command, compact, replied
from api.http.problems import problems
from api.http.schemas.base import access_at, epoch_of, instant_at
from api.http.schemas.deliveries import (
    Cancel,
    Delivery,
    DeliveryList,
    DeliveryRequest,
    Dropoff,
    QuoteRequest,
    Tracking,
)
from api.http.schemas.values import DeliveryId, Id
from api.http.transport.door import Door
from api.http.trials import trial
from api.ledger.protocol import StoredReply, VaultRow
from api.live.ended_orders import require_on_board
from api.live.words import kept, plain
from api.outbox.cursors import CURSOR, page_cursor, page_number
from dispatch.board.records import OrderRecord
from dispatch.inputs import OrderCancelled, OrderPlaced
from dispatch.model import Fee, OrderState
from routing.errors import HalfhourError

router = APIRouter(tags=["deliveries"], route_class=Door)

Orders = Annotated[Caller, access(Scope.ORDERS, Scope.OPS)]
OrdersWrite = Annotated[Caller, access(Scope.ORDERS, Scope.OPS, meter=Meter.WRITE)]
OrdersCommand = Annotated[Command, command(OrdersWrite)]
ExternalId = Annotated[DeliveryId, Path(description="The caller's own id (operators: the delivery_id).")]

BEFORE_PICKUP = (OrderState.CREATED, OrderState.CONFIRMED, OrderState.ENROUTE_TO_PICKUP, OrderState.ARRIVED_AT_PICKUP)
CARRIED = (OrderState.PICKED_UP, OrderState.ENROUTE_TO_DROPOFF, OrderState.ARRIVED_AT_DROPOFF)
_CALLED_OFF = (OrderState.CANCELLED, OrderState.RETURNING, OrderState.RETURNED)
"""Why a delivery is called off, in words that name nobody."""


class DuplicateDelivery(HalfhourError):
    """The id is taken by a delivery with another body; details hold its path."""

    code = "duplicate_delivery"


# --- finding --------------------------------------------------------------------------------------------------------


def find(service: Service, caller: Caller, delivery_id: str) -> OrderRecord:
    """The delivery that a caller means; NotFound where it is not there or not theirs."""
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


def _shown(service: Service, record: OrderRecord, row: VaultRow | None = None) -> Delivery:
    host, base = service.host, service.config.service.root_path
    return presenters.delivery(host, record, service.secret, host.board.needs, row, base=base)


def restored(service: Service, answer: StoredReply) -> Reply:
    """A kept answer with what is personal filled in again from the vault, if it is still there."""
    value: dict[str, Any] = json.loads(answer.body)
    record = service.host.order(value.get("delivery_id", ""))
    if record is None or "version" not in value:
        return Reply(answer.status, answer.body)
    row = service.host.vault_row(record.order.door_place)
    drop = presenters.dropoff_of(row)
    value["dropoff"] = drop.model_dump(mode="json") if drop is not None else None
    value["pin"] = row.personal.get("pin") if row is not None else None
    return Reply(answer.status, compact(value), value["version"])


# --- creating -------------------------------------------------------------------------------------------------------


@router.post(
    "/v1/deliveries",
    status_code=201,
    summary="Create a delivery",
    response_model=Delivery,
    responses={200: {"model": Delivery, "description": "It is here already, with the same body"}, **problems(409)},
)
async def create(command: OrdersCommand, body: DeliveryRequest) -> Response:
    """Takes an order; it is ours once this has answered 201.  The same id and body again: 200, nothing new."""

    async def do(remember: Remember) -> Reply:
        return await place(command, body, remember)

    return await command.once(do)


async def place(
    command: Command,
    body: DeliveryRequest,
    remember: Remember,
    due_at: int | None = None,
    drop_at: int | None = None,
    fee: Fee | None = None,
) -> Reply:
    """Hands an order to the engine, with its place and what is personal in the same transaction.

    `due_at`: what was promised with a quote, where the body names no deadline; it is no part of what was ordered.
    `drop_at`: when that quote had it delivered.  `fee`: what it said it is charged.
    """
    service, caller = command.service, command.caller
    host, order_id = service.host, order_id_of(caller.tenant, body.external_delivery_id)
    if await host.any_order(order_id) is not None:
        return await _again(service, order_id, body)
    if len(host.board.open_orders) >= service.config.service.most_open_orders:
        raise Overloaded("the city holds as many open orders as it can", code="no_capacity", retry_after_s=30)
    now = host.clock.now()
    if due_at is None and (epoch_of(body.release_at) or now) <= now:
        wait_s = service.waiting.wait_s(host.board, now)
        if wait_s > service.config.service.longest_wait_s:
            raise Overloaded(
                f"it would wait for {wait_s // 60} minutes behind others", code="no_capacity", retry_after_s=60
            )
    check_deliverable(service, caller, body, now)
    fingerprint = _hashed(body.model_dump_json(exclude_defaults=True))
    if due_at is not None and body.dropoff_deadline_at is None:
        body = body.model_copy(update={"dropoff_deadline_at": instant_at(due_at)})
    is_ours = due_at is None and body.dropoff_deadline_at is None
    rules = host.board.settings.rules
    by_trial = is_ours and rules.promise_rule != "fixed"
    if by_trial or (due_at is None and rules.tariff):
        tried = await trial(service, caller.tenant, body)
        drop_at, fee = tried.fit.dropoff_at if by_trial else drop_at, tried.fee
        if host.order(order_id) is not None:  # sent again meanwhile
            return await _again(service, order_id, body)
    where, usual = body.dropoff.location, service.config.service
    handle = host.add_place(
        where.lat, where.lng, enter_s=usual.drop_enter_s, exit_s=usual.drop_exit_s,
        access=access_at(body.dropoff.access),
    )  # fmt: skip
    row = VaultRow(
        handle, caller.tenant, "drop", order_id, where.lat, where.lng, usual.drop_enter_s, usual.drop_exit_s,
        vaulted(body.dropoff) | ({"pin": body.pin or service.new_pin()} if body.proof_of_delivery == "pin" else {}),
        _kept(service, body) | {"fingerprint": fingerprint},
    )  # fmt: skip

    def make(at: int) -> OrderPlaced:
        made = order_of(service, body, order_id, handle, at)
        service.doors.note(service.host.board, order_id, made.door, handle)
        return OrderPlaced(at=at, order=made, expected_drop_at=drop_at, promise_is_ours=is_ours, fee=fee)

    return await command.tell(
        make,
        vault=(row,),
        respond=lambda events: reply(service, order_id, 201, row),
        answer=remember,
    )


async def _again(service: Service, order_id: str, body: DeliveryRequest) -> Reply:
    await service.host.settled()
    record = service.host.order(order_id)
    row = service.host.vault_row(record.order.door_place) if record is not None else None
    # Orders of 0.1 kept what was written instead of what was meant.
    same = [_hashed(body.model_dump_json(exclude_defaults=True)), _hashed(body.model_dump_json(exclude_unset=True))]
    if row is None or row.body.get("fingerprint") not in same:
        path = f"{service.config.service.root_path}/v1/deliveries/{external_id_of(order_id)}"
        raise DuplicateDelivery("this external_delivery_id is taken by another body", existing=path)
    return reply(service, order_id, 200, row)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def vaulted(drop: Dropoff) -> dict[str, Any]:
    return drop.model_dump(mode="json", exclude={"location"}, exclude_none=True)


def _kept(service: Service, body: QuoteRequest) -> dict[str, Any]:
    kept = body.model_dump(
        mode="json", include={"order_value", "currency", "items", "proof_of_delivery"}, exclude_none=True
    )
    if "order_value" in kept:
        kept.setdefault("currency", service.config.service.currency)
    return kept | ({"has_deadline": True} if body.dropoff_deadline_at is not None else {})


# --- reading --------------------------------------------------------------------------------------------------------


@router.get("/v1/deliveries", summary="List deliveries", response_model=DeliveryList, responses=problems(410))
async def list_deliveries(
    request: Request,
    service: Running,
    caller: Orders,
    status: Annotated[OrderState | None, Query(description="Only those in this state.")] = None,
    store_id: Annotated[Id | None, Query()] = None,
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


@router.get("/v1/deliveries/{delivery_id}", summary="Get a delivery", response_model=Delivery, responses=problems())
async def get(service: Running, caller: Orders, delivery_id: ExternalId) -> Response:
    """A delivery as of now."""
    await service.host.settled()
    return reply(service, find(service, caller, delivery_id).order.order_id).response()


@router.get("/v1/track/{token}", summary="Track a delivery", response_model=Tracking, responses=problems())
async def track(
    service: Running,
    token: Annotated[str, Path(max_length=400)],
    _: Annotated[None, access_public(Meter.READ)],
) -> Tracking:
    """What a customer sees; the link itself is the permission."""
    order_id = opened(service.secret, "track", token)
    await service.host.settled()
    record = service.host.order(order_id) if isinstance(order_id, str) else None
    if record is None or _is_erased(service, record):
        raise NotFound("there is no such delivery here", code="unknown_delivery")
    return presenters.tracking(service.host, record)


def _is_erased(service: Service, record: OrderRecord) -> bool:
    row = service.host.vault_row(record.order.door_place)
    return row is None or row.erased_at is not None


# --- changing -------------------------------------------------------------------------------------------------------


@router.post(
    "/v1/deliveries/{delivery_id}/cancel",
    summary="Cancel a delivery",
    response_model=Delivery,
    responses=problems(409),
)
async def cancel(command: OrdersCommand, delivery_id: ExternalId, body: Cancel | None = None) -> Response:
    """Before pickup it ends; afterwards the goods go back to their store."""

    async def do(remember: Remember) -> Reply:
        record = find(command.service, command.caller, delivery_id)
        said = body.reason if body is not None else "customer"
        reason = plain(said)
        if record.state in _CALLED_OFF and record.end_reason == reason:
            return await replied(command.service, remember, reply(command.service, record.order.order_id))  # said again
        order_id = require_on_board(command.service.host.board, record)
        rows = kept(command.service.host, (order_id,), "cancel", said)
        return await command.tell(
            lambda at: OrderCancelled(at=at, order_id=order_id, reason=reason),
            vault=rows,
            respond=lambda events: reply(command.service, order_id, 200, rows[0] if rows else None),
            answer=remember,
        )

    return await command.once(do)
