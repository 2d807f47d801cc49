"""How the board and the vault look on the wire: one function for each thing that is shown."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from api.access.rules import Caller
from api.common.ids import external_id_of
from api.common.signed_tokens import Secret, signed
from api.http.alternatives.shown import ways
from api.http.belonging import open_at_stores
from api.http.proofs import TRIES
from api.http.schemas.base import Location, instant_at, instant_of
from api.http.schemas.deliveries import (
    CustodyShown,
    Delivery,
    Dropoff,
    Item,
    LastMetresShown,
    Promise,
    RiderSeen,
    Tracking,
)
from api.http.schemas.riders import ActShown, BagShown, OfferShown, RiderShown, RouteShown, StopShown
from api.http.schemas.stores import StoreShown
from api.ledger.protocol import VaultRow
from api.live.host import LiveHost
from api.live.words import WORDS
from api.outbox.counter import planned_bags
from dispatch.board.board import Board
from dispatch.board.records import OrderRecord, RiderRecord
from dispatch.custody import Custody
from dispatch.engine.decisions.giving_up import ends_at
from dispatch.engine.decisions.risk import expected_dropoff_at, expected_pickup_at
from dispatch.model import Act, ActKind, Fee, LastMetres, Level, Offer, OrderState, Reason, Route, Stop
from dispatch.promise.told import Said, kept
from dispatch.rounds.problem_arrays import goods_of
from dispatch.settings.mix import USUAL_CLASS
from dispatch.ways import EndKind
from routing.places import PlaceBook

PRECISION = 6
"""Decimals of a shown degree: a tenth of a metre."""


def needs_of(mask: int, names: Sequence[str]) -> list[str]:
    """The names of the bits of a mask."""
    return [name for bit, name in enumerate(names) if mask >> bit & 1]


def mask_of(wanted: Sequence[str], names: Sequence[str]) -> int:
    """The mask of names; KeyError-free: unknown names are the caller's to refuse first."""
    return sum({1 << names.index(name) for name in wanted})


def location(places: PlaceBook, handle: int) -> dict[str, float]:
    """A place as shown."""
    point = places.latlng(handle)
    return {"lat": round(point.lat, PRECISION), "lng": round(point.lng, PRECISION)}


def dropoff_of(row: VaultRow | None) -> Dropoff | None:
    """What the vault holds of a drop; None once erased."""
    if row is None or row.erased_at is not None:
        return None
    personal = {name: value for name, value in row.personal.items() if name not in ("pin", WORDS)}
    return Dropoff(location=Location(lat=row.first, lng=row.second), **personal)


def version_of(record: OrderRecord, row: VaultRow | None) -> str:
    """Changes with the state and with everything that PATCH can change, not with estimates."""
    kept = (row.personal, {k: v for k, v in row.body.items() if k != TRIES}) if row is not None else None
    order = record.order
    placed = order.choosing(order.all_sources[0], order.all_ends[0]) if order.has_alternatives else order
    said = [record.state.value, str(placed), record.held, kept]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]


def delivery(
    host: LiveHost,
    record: OrderRecord,
    secret: Secret,
    names: Sequence[str],
    row: VaultRow | None = None,
    *,
    base: str = "",
) -> Delivery:
    """A delivery as its order system sees it; `row`: the vault's row of its drop, where it is at hand.

    `base`: the path under which a proxy shows the service.
    """
    order = record.order
    order_id = order.order_id
    row = row or host.vault_row(order.door_place)
    body: dict[str, Any] = row.body if row is not None else {}
    instant = instant_of
    waiting = record.reason.name if record.reason not in (None, Reason.SERVED) else None
    is_planned = record.rider_id is None and record.planned_rider_id is not None
    return Delivery.model_construct(
        delivery_id=order_id,
        external_delivery_id=external_id_of(order_id),
        status=record.state.value,
        pickup_store_id=order.store_id,
        created_at=instant(order.placed_at),
        status_at=instant(record.state_at),
        due_at=instant(order.due_at),
        expected_ready_at=instant(record.expected_ready_at),
        ready_at=instant(record.ready_at),
        release_at=instant(order.release_at),
        expected_pickup_at=instant(expected_pickup_at(record)),
        expected_dropoff_at=instant(expected_dropoff_at(record, host.board, host.clock.now())),
        promise=promise(order.due_at, record.said[-1] if record.said else None),
        picked_up_at=instant(record.picked_up_at),
        ended_at=instant(record.ended_at),
        kept_until=instant(record.kept_until),
        waiting_because=waiting,
        end_reason=record.end_reason,
        rider=_rider_of(host, record),
        planned_rider_id=record.planned_rider_id if is_planned else None,
        tentative=is_planned,
        gives_up_at=instant(ends_at(record, host.board)),
        offer_count=record.offer_count,
        decision_id=record.decision_id,
        batch_id=_batch_of(host.board, record),
        held=record.held or record.parked is not None,
        dropoff=dropoff_of(row),
        load_units=order.load_units,
        **_kinds(host.board, record),
        needs=needs_of(order.needs, names),
        order_value=body.get("order_value"),
        currency=body.get("currency"),
        items=[Item(**item) for item in body.get("items", ())],
        proof_of_delivery=body.get("proof_of_delivery", "none"),
        pin=row.personal.get("pin") if row is not None else None,
        proof=body.get("proof"),
        tracking_path=f"{base}/v1/track/{signed(secret, 'track', order_id)}",
        version=version_of(record, row),
    )


def _kinds(board: Board, record: OrderRecord) -> dict[str, Any]:
    goods = {"class": goods_of(board, record.order)}
    walked = last_metres(record.last_metres)
    kinds = {"goods": goods, "tier": record.order.tier or None, "last_metres": walked, "alternatives": ways(record)}
    held = {"custody": [_held(part) for part in record.custody]}
    return kinds | fee_fields(record.fee) | held | {"co2_g": _grams(record)}


def _held(part: Custody) -> CustodyShown:
    return CustodyShown.model_construct(
        held_by=part.keeper.value,
        id=part.keeper_id or None,
        from_at=instant_at(part.from_at),
        to_at=instant_of(part.to_at),
    )


def _grams(record: OrderRecord) -> float:
    return round(record.co2_mg / 1_000, 1)


def last_metres(walked: LastMetres | None) -> LastMetresShown | None:
    """What is walked for an order, as shown."""
    if walked is None:
        return None
    return LastMetresShown(
        pickup_s=walked.pickup_s, pickup_m=walked.pickup_m, dropoff_s=walked.drop_s, dropoff_m=walked.drop_m
    )


def promise(due_at: int, said: Said | None) -> Promise:
    """A promise as shown; `said`: when the order comes with what probability, None where nothing was said."""
    if said is None:
        return Promise.model_construct(due_at=instant_at(due_at))
    on_time = said.on_time if said.due_at == due_at else kept(said.quantiles_s, due_at - said.expected_at)
    return Promise.model_construct(
        due_at=instant_at(due_at),
        p50_at=instant_at(said.p50_at),
        p90_at=instant_at(said.p90_at),
        on_time_probability=on_time / 1000,
        calibrated=said.calibrated,
    )


def fee_fields(fee: Fee | None) -> dict[str, Any]:
    """What a delivery is charged and what serving it costs, as shown; nulls without a tariff."""
    if fee is None:
        return {"fee": None, "fee_parts": {}, "marginal_cost": None}
    return {"fee": fee.amount, "fee_parts": dict(fee.parts), "marginal_cost": fee.cost}


def _rider_of(host: LiveHost, record: OrderRecord) -> RiderSeen | None:
    if record.rider_id is None:
        return None
    seen = host.positions.newest(record.rider_id) if not record.state.is_final else None
    if seen is None:
        return RiderSeen(rider_id=record.rider_id)
    where = {"lat": round(seen.first, PRECISION), "lng": round(seen.second, PRECISION)}
    return RiderSeen(rider_id=record.rider_id, location=where, seen_at=instant_of(seen.seen_at))


def _batch_of(board: Board, record: OrderRecord) -> str | None:
    """Orders that are on board of one rider together, or picked up at one stop, share an id: that of the first one."""
    rider = board.riders.get(record.rider_id or "")
    if rider is None or record.state.is_final:
        return None
    mine = record.order.order_id
    for stop in rider.route.told:
        picked = [act.order_id for act in stop.acts if act.kind is ActKind.PICKUP and act.level >= Level.TOLD]
        if mine in picked and len(picked) > 1:
            return min(picked)
    if not record.state.is_on_board:
        return None
    carried = {act.order_id for stop in rider.route.told for act in stop.acts if act.level is Level.ON_BOARD}
    return min(carried) if mine in carried and len(carried) > 1 else None


def tracking(host: LiveHost, record: OrderRecord) -> Tracking:
    """What a customer sees: where their order is, and their rider once the goods are on board."""
    seen = host.positions.newest(record.rider_id) if record.rider_id and record.state.is_on_board else None
    where = {"lat": round(seen.first, 4), "lng": round(seen.second, 4)} if seen is not None else None
    delivered_at = record.ended_at if record.state is OrderState.DELIVERED else None
    return Tracking.model_construct(
        status=record.state.value,
        expected_dropoff_at=instant_of(expected_dropoff_at(record, host.board, host.clock.now())),
        due_at=instant_of(record.order.due_at),
        rider_location=where,
        delivered_at=instant_of(delivered_at),
    )


def store(
    host: LiveHost, store_id: str, caller: Caller | None = None, waiting: Counter[str] | None = None
) -> StoreShown:
    """A store as the caller sees it (None: the operator); `waiting`: open orders by store, where counted already."""
    board = host.board
    record = board.stores[store_id]
    row = host.vault_row(record.store.place)
    personal = row.personal if row is not None else {}
    now = host.clock.now()
    opens_at = record.opens_from(now)
    return StoreShown(
        store_id=store_id,
        location=location(board.places, record.store.place),
        access=personal.get("access"),
        name=personal.get("name"),
        address=personal.get("address"),
        mean_ready_s=record.store.mean_ready_s,
        goods={"class": record.store.goods_class or USUAL_CLASS},
        closed=opens_at != now,
        closed_until=instant_of(opens_at) if opens_at != now else None,
        hours=record.store.hours or None,
        delay_s=record.delay_at(now),
        delay_until=instant_of(record.delay_until) if record.delay_at(now) else None,
        open_deliveries=(open_at_stores(board, caller) if waiting is None else waiting)[store_id],
        tenants=[
            tenant for tenant in record.store.tenants if caller is None or caller.sees_all or caller.tenant == tenant
        ],
    )


def rider(host: LiveHost, record: RiderRecord, names: Sequence[str]) -> RiderShown:
    """A rider as operations and they themselves see them."""
    board, known = host.board, record.rider
    row = host.vault_row(known.place)
    shift = record.shift_at(board.now)
    hours = record.hours(board.settings.rules.hours, board.now)
    seen = host.positions.newest(known.rider_id)
    where = location(board.places, known.place)
    if seen is not None:
        where = {"lat": round(seen.first, PRECISION), "lng": round(seen.second, PRECISION)}
    return RiderShown(
        rider_id=known.rider_id,
        name=row.personal.get("name") if row is not None else None,
        profile=known.profile,
        capacity_units=known.capacity_units,
        provides=needs_of(known.provides, names),
        engagement=known.engagement.value,
        on_duty=shift is not None and shift.start_at <= board.now,
        on_break=record.on_break,
        lost=record.lost,
        shift_end_at=instant_of(shift.end_at) if shift is not None else None,
        works_until=instant_of(hours.works_until) if hours is not None else None,
        break_due_at=instant_of(hours.break_by) if hours is not None else None,
        rests_until=instant_of(record.rests_until(board.now)),
        location=where,
        heard_at=instant_at(record.heard_at),
        revision=record.told_revision,
        offer_id=record.offer_id,
    )


def route(host: LiveHost, record: RiderRecord) -> RouteShown:
    """What a rider's phone shows: told stops, each with the acts told."""
    told: Route = record.route
    stops = [_stop(host, stop) for stop in told.told]
    if stops:
        stops[0].planned = [BagShown(delivery_id=act.order_id, items=_items(host, act)) for act in planned_bags(record)]
    return RouteShown(rider_id=record.rider.rider_id, revision=told.revision, stops=stops)


def _stop(host: LiveHost, stop: Stop) -> StopShown:
    acts = [_act(host, stop, act) for act in stop.acts if act.level >= Level.TOLD]
    at = instant_of
    return StopShown.model_construct(
        stop_id=stop.stop_id,
        location=location(host.board.places, stop.place),
        store_id=stop.store_id,
        expected_arrive_at=at(stop.expected_arrive_at),
        expected_act_at=at(stop.expected_act_at),
        expected_leave_at=at(stop.expected_leave_at),
        leg_s=stop.leg_s,
        walk_s=stop.walk_s,
        walk_m=stop.walk_m,
        acts=acts,
        planned=[],
    )


def _items(host: LiveHost, act: Act) -> list[Item]:
    row = host.vault_row(host.board.orders[act.order_id].order.door_place)
    return [Item(**item) for item in (row.body if row is not None else {}).get("items", ())]


def _act(host: LiveHost, stop: Stop, act: Act) -> ActShown:
    row = host.vault_row(host.board.orders[act.order_id].order.door_place)
    body: dict[str, Any] = row.body if row is not None else {}
    items = _items(host, act)
    brought = host.board.orders[act.order_id].order.end.kind is EndKind.COUNTER
    if act.kind is ActKind.DROP and stop.store_id is not None and not brought:
        return ActShown(delivery_id=act.order_id, kind="return", items=items)
    return ActShown(
        delivery_id=act.order_id,
        kind="pickup" if act.kind is ActKind.PICKUP else "drop",
        items=items,
        dropoff=dropoff_of(row),
        proof_of_delivery=body.get("proof_of_delivery", "none"),
    )


def offer(shown: Offer, ends_at: int) -> OfferShown:
    """An open offer as its rider's phone shows it."""
    return OfferShown(
        offer_id=shown.offer_id, rider_id=shown.rider_id, deliveries=list(shown.order_ids),
        expires_at=instant_at(ends_at), stops=shown.stops, work_s=shown.work_s, way_m=shown.way_m, pay=shown.pay,
    )  # fmt: skip
