"""Stores and their kitchens: what there is, when goods are ready, closed and slow hours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from api.access.rate_limits import Meter
from api.access.rules import Caller, Scope, access
from api.common.ids import tenant_of
from api.http import presenters
from api.http.acceptance import check_access, check_city, check_goods, check_instants, goods_class_of
from api.http.belonging import check_tenants, may_use, open_at_stores, require_say, require_store
from api.http.commands import Command, Remember, Reply, Running, Service, command, replied
from api.http.problems import problems
from api.http.routes.deliveries import ExternalId, find, reply
from api.http.routes.riders import happened
from api.http.schemas.base import Happened, Token, access_at, epoch_of, instant_at, instant_of
from api.http.schemas.deliveries import Delivery, Item
from api.http.schemas.stores import (
    QueueItem,
    ReadyEstimate,
    StockBody,
    StockShown,
    StoreBody,
    StoreClose,
    StoreShown,
    StoreThrottle,
)
from api.http.schemas.values import Id
from api.http.transport.door import Door
from api.ledger.protocol import OPERATOR, StoredReply, VaultRow
from api.ledger.recovery import access_of
from api.live.store_hours import spans_of
from dispatch.board.records import OrderRecord
from dispatch.inputs import (
    Input,
    OrderReady,
    ReadyEstimated,
    StockCounted,
    StoreClosed,
    StoreListed,
    StoreOpened,
    StoreRanOut,
    StoreThrottled,
)
from dispatch.model import Store

router = APIRouter(tags=["kitchens"], route_class=Door)

Kitchen = Annotated[Caller, access(Scope.ORDERS, Scope.KITCHENS, Scope.OPS, kitchen=True, meter=Meter.WRITE)]
KitchenCommand = Annotated[Command, command(Kitchen)]
Looks = Annotated[Caller, access(Scope.ORDERS, Scope.RIDERS, Scope.KITCHENS, Scope.OPS, kitchen=True)]
Operator = Annotated[Caller, access(Scope.OPS, meter=Meter.WRITE)]
StoreId = Annotated[Id, Path()]


# --- orders in the kitchen ------------------------------------------------------------------------------------------


@router.post(
    "/v1/deliveries/{delivery_id}/ready",
    summary="Report that goods are ready",
    response_model=Delivery,
    responses=problems(),
)
async def ready(command: KitchenCommand, delivery_id: ExternalId, body: Happened | None = None) -> Response:
    """They stand on the counter, since `happened_at` or now."""

    def make(order_id: str, at: int) -> Input:
        happened_at = epoch_of(body.happened_at) if body is not None else None
        return OrderReady(at=at, order_id=order_id, happened_at=happened(happened_at, at))

    return await _about_order(command, delivery_id, make)


@router.post(
    "/v1/deliveries/{delivery_id}/ready_estimate",
    summary="Estimate when goods are ready",
    response_model=Delivery,
    responses=problems(),
)
async def ready_estimate(command: KitchenCommand, delivery_id: ExternalId, body: ReadyEstimate) -> Response:
    """A new estimate, earlier or later than the last one."""
    expected = epoch_of(body.pickup_ready_at) or 0

    def make(order_id: str, at: int) -> Input:
        check_instants(body, at)
        return ReadyEstimated(at=at, order_id=order_id, expected_ready_at=expected)

    return await _about_order(command, delivery_id, make)


@router.post(
    "/v1/deliveries/{delivery_id}/ran_out",
    summary="Report that a store has run out",
    response_model=Delivery,
    responses=problems(409),
)
async def ran_out(command: KitchenCommand, delivery_id: ExternalId) -> Response:
    """Its store cannot hand it out: it comes from another of its sources, or ends where there is none."""

    def make(order_id: str, at: int) -> Input:
        store_id = command.service.host.board.orders[order_id].order.store_id
        return StoreRanOut(at=at, store_id=store_id, order_id=order_id)

    return await _about_order(command, delivery_id, make)


async def _about_order(command: Command, delivery_id: str, make: Callable[[str, int], Input]) -> Response:
    def shown_to(caller: Caller, found: Reply) -> Reply:
        return without_customer(found) if caller.is_kitchen else found

    async def do(remember: Remember) -> Reply:
        order_id = find(command.service, command.caller, delivery_id).order.order_id
        if order_id not in command.service.host.board.orders:
            return await replied(command.service, remember, shown_to(command.caller, reply(command.service, order_id)))
        return await command.tell(
            lambda at: make(order_id, at),
            respond=lambda events: shown_to(command.caller, reply(command.service, order_id)),
            answer=remember,
        )

    def restore(answer: StoredReply) -> Reply:
        return without_customer(Reply(answer.status, answer.body))

    return await command.once(do, restore if command.caller.is_kitchen else None)


def without_customer(found: Reply) -> Reply:
    """A delivery as a kitchen may see it: goods and times, nobody's address."""
    value = json.loads(found.body)
    if "delivery_id" in value:
        value |= {"dropoff": None, "pin": None, "proof": None, "tracking_path": ""}
    return found._replace(body=json.dumps(value, ensure_ascii=False))


# --- stores ---------------------------------------------------------------------------------------------------------


@router.get("/v1/stores", summary="List stores", response_model=list[StoreShown], responses=problems())
async def list_stores(request: Request, service: Running, caller: Looks) -> Response:
    """Every store that the caller may use."""
    host = service.host
    waiting = open_at_stores(host.board, caller)
    known = [store_id for store_id, record in host.board.stores.items() if may_use(caller, record.store)]
    rows = await service.pages.rows(
        request, caller, known, lambda store_id: presenters.store(host, store_id, caller, waiting).model_dump_json()
    )
    await host.settled()
    return Response(rows, media_type="application/json")


@router.get("/v1/stores/{store_id}", summary="Get a store", response_model=StoreShown, responses=problems())
async def get_store(service: Running, caller: Looks, store_id: StoreId) -> StoreShown:
    """A store as of now."""
    await service.host.settled()
    require_store(service, caller, store_id)
    return presenters.store(service.host, store_id, caller)


@router.post("/v1/stores/{store_id}/token", summary="Issue a kitchen token", response_model=Token, responses=problems())
async def kitchen_token(request: Request, service: Running, caller: Kitchen, store_id: StoreId) -> Token:
    """For the screen in a kitchen: short-lived, good for this store alone and for the orders that the asker may see.

    Asked with such a token it is renewed, up to a day after the first one was asked for with a key.
    """
    await service.host.settled()
    require_store(service, caller, store_id)
    book, now = service.gate.keys, service.host.clock.now()
    if caller.kitchen is None:
        text, said = book.kitchen_token(caller.tenant, store_id, now, of_all=caller.sees_all, key_id=caller.key_id)
    else:
        text, said = book.renewed(caller.kitchen, now)
    return Token(token=text, expires_at=instant_at(said.expires_at))


@router.put(
    "/v1/stores/{store_id}", summary="Create or change a store", response_model=StoreShown, responses=problems()
)
async def put_store(service: Running, caller: Operator, store_id: StoreId, body: StoreBody) -> StoreShown:
    """A store is new, or is now this."""
    with service.slot(caller):
        return await list_store(service, store_id, body)


async def list_store(service: Service, store_id: str, body: StoreBody) -> StoreShown:
    """Tells the engine of a store; one that has not moved keeps its place."""
    check_tenants(service, body.tenants)
    check_goods(service, body.goods)
    host, usual, where = service.host, service.config.service, body.location
    hours = body.hours or ""
    spans = spans_of(hours, host.clock.now(), usual.time_zone) if hours else ()
    check_city(service, where, besides=store_id)
    check_access(where, body.access, "access")
    enter_s = usual.store_enter_s if body.enter_s is None else body.enter_s
    exit_s = usual.store_exit_s if body.exit_s is None else body.exit_s
    known = host.board.stores.get(store_id)
    row = host.vault_row(known.store.place) if known is not None else None
    access, same = access_at(body.access), (where.lat, where.lng, enter_s, exit_s)
    if row is not None and (row.first, row.second, row.enter_s, row.exit_s) == same and access_of(row) == access:
        handle = row.handle
    else:
        handle = host.add_place(where.lat, where.lng, enter_s=enter_s, exit_s=exit_s, access=access)
    personal = body.model_dump(include={"name", "address", "access"}, exclude_none=True)
    kept = VaultRow(handle, OPERATOR, "store", store_id, where.lat, where.lng, enter_s, exit_s, personal)
    store = Store(
        store_id,
        handle,
        mean_ready_s=body.mean_ready_s,
        tenants=tuple(dict.fromkeys(body.tenants)),
        hours=hours,
        spans=spans,
        goods_class=goods_class_of(body.goods),
    )
    await host.tell(lambda at: StoreListed(at=at, store=store), vault=(kept,))
    return presenters.store(host, store_id)


@router.post("/v1/stores/{store_id}/close", summary="Close a store", response_model=StoreShown, responses=problems())
async def close(command: KitchenCommand, store_id: StoreId, body: StoreClose | None = None) -> Response:
    """It hands out nothing until `until`, or until it is opened."""
    until = epoch_of(body.until) if body is not None else None
    return await _about_store(command, store_id, lambda at: StoreClosed(at=at, store_id=store_id, until=until))


@router.post("/v1/stores/{store_id}/open", summary="Open a store", response_model=StoreShown, responses=problems())
async def open_(command: KitchenCommand, store_id: StoreId) -> Response:
    """A closed store works again."""
    return await _about_store(command, store_id, lambda at: StoreOpened(at=at, store_id=store_id))


@router.post(
    "/v1/stores/{store_id}/throttle", summary="Throttle a store", response_model=StoreShown, responses=problems()
)
async def throttle(command: KitchenCommand, store_id: StoreId, body: StoreThrottle) -> Response:
    """Everything not yet ready takes `delay_s` longer, up to `until`; 0 ends it."""
    until = epoch_of(body.until)
    return await _about_store(
        command,
        store_id,
        lambda at: StoreThrottled(at=at, store_id=store_id, delay_s=body.delay_s, until=until),
    )


@router.put(
    "/v1/stores/{store_id}/stock", summary="Count a store's stock", response_model=StockShown, responses=problems(409)
)
async def stock(command: KitchenCommand, store_id: StoreId, body: StockBody) -> Response:
    """Articles not named stay as they are; orders that hold more than there is come from elsewhere, or end."""
    counted = StockCounted(
        at=0, store_id=store_id, counts=tuple(body.counts.items()), add=body.add, version=body.version
    )

    async def do(remember: Remember) -> Reply:
        require_say(command.caller, require_store(command.service, command.caller, store_id).store)
        return await command.tell(
            lambda at: replace(counted, at=at),
            respond=lambda events: Reply(200, _stock_of(command.service, store_id).model_dump_json()),
            answer=remember,
        )

    return await command.once(do)


@router.get(
    "/v1/stores/{store_id}/stock", summary="Get a store's stock", response_model=StockShown, responses=problems()
)
async def get_stock(service: Running, caller: Looks, store_id: StoreId) -> StockShown:
    """What it has of the articles that it counts, what orders hold of it included."""
    await service.host.settled()
    require_store(service, caller, store_id)
    return _stock_of(service, store_id)


def _stock_of(service: Service, store_id: str) -> StockShown:
    record = service.host.board.stores[store_id]
    held = {sku: count for sku, count in record.reserved.items() if sku in record.stock}
    return StockShown(store_id=store_id, stock=record.stock, reserved=held, version=record.stock_version)


async def _about_store(command: Command, store_id: str, make: Callable[[int], Input]) -> Response:
    async def do(remember: Remember) -> Reply:
        require_say(command.caller, require_store(command.service, command.caller, store_id).store)
        return await command.tell(
            make,
            respond=lambda events: Reply(
                200, presenters.store(command.service.host, store_id, command.caller).model_dump_json()
            ),
            answer=remember,
        )

    return await command.once(do)


@router.get(
    "/v1/stores/{store_id}/queue",
    summary="List a kitchen's queue",
    response_model=list[QueueItem],
    responses=problems(),
)
async def queue(request: Request, service: Running, caller: Looks, store_id: StoreId) -> Response:
    """Open orders of a store that nobody has fetched, the next pickup first; a tenant sees its own."""
    board = service.host.board
    require_store(service, caller, store_id)
    records = [
        record
        for order_id, record in board.open_orders.items()
        if record.order.store_id == store_id and record.is_waiting and caller.owns(tenant_of(order_id))
    ]
    usual_s = board.stores[store_id].store.mean_ready_s
    records.sort(key=lambda r: (r.expected_pickup_at or r.order.due_at, r.seq))
    rows = await service.pages.rows(
        request, caller, records, lambda record: _queued(service, record, usual_s).model_dump_json()
    )
    await service.host.settled()
    return Response(rows, media_type="application/json")


def _queued(service: Service, record: OrderRecord, usual_s: int | None) -> QueueItem:
    row = service.host.vault_row(record.order.door_place)
    pickup_at = record.expected_pickup_at
    prepare_s = record.order.source.prepare_s if record.order.sources else usual_s
    start_at = pickup_at - prepare_s if pickup_at is not None and prepare_s is not None else None
    if record.source_told_at is not None:
        start_at = record.source_told_at
    return QueueItem(
        delivery_id=record.order.order_id,
        status=record.state.value,
        expected_ready_at=instant_at(record.expected_ready_at),
        ready_at=instant_of(record.ready_at),
        start_preparing_at=instant_of(start_at) if record.ready_at is None else None,
        expected_pickup_at=instant_of(pickup_at),
        rider_id=record.rider_id,
        items=[Item(**item) for item in (row.body.get("items", ()) if row is not None else ())],
    )
