"""Sources and ends as a request names them: which it may name, and the order that they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from api.access.rules import Caller
from api.http.belonging import may_use
from api.http.schemas.base import epoch_of
from api.http.schemas.deliveries import EndNamed, QuoteRequest, SourceNamed
from dispatch.errors import Refused
from dispatch.model import Order
from dispatch.ways import End, EndKind, Source
from routing.errors import InvalidInput

if TYPE_CHECKING:
    from api.http.commands import Service

USUAL_READY_S = 600
"""What a store prepares that says nothing of it."""


def with_alternatives(service: Service, body: QuoteRequest, order: Order) -> Order:
    """The order with the sources and ends that its body names, and what it takes of which articles."""
    stores = service.host.board.stores

    def prepare_s(one: SourceNamed) -> int:
        ready_at, mean_s = epoch_of(one.ready_at), stores[one.store_id].store.mean_ready_s
        if one.prepare_s is not None:
            return one.prepare_s
        if ready_at is not None:
            return max(0, ready_at - order.placed_at)
        return USUAL_READY_S if mean_s is None else mean_s

    door = End(EndKind.DOOR, order.drop_place, door=order.door)
    skus = sum((Counter({item.sku: item.quantity}) for item in body.items if item.sku), Counter[str]())
    return replace(
        order,
        skus=tuple(sorted(skus.items())),
        sources=tuple(Source(one.store_id, prepare_s(one), one.price) for one in body.sources),
        ends=tuple(
            replace(door, price=one.price)
            if one.store_id is None
            else End(EndKind.COUNTER, stores[one.store_id].store.place, one.price, one.store_id)
            for one in body.ends
        ),
    )


def check_alternatives(service: Service, caller: Caller, body: QuoteRequest) -> None:
    """Raises Refused or InvalidInput, naming the field, for a source or an end that cannot be."""
    stores = service.host.board.stores
    named: dict[str, Sequence[SourceNamed | EndNamed]] = {"sources": body.sources, "ends": body.ends}
    for field, ones in named.items():
        for k, one in enumerate(ones):
            record = stores.get(one.store_id or "")
            if one.store_id is not None and (record is None or not may_use(caller, record.store)):
                raise Refused("there is no such store", code="unknown_store", field=f"{field}.{k}.store_id")
    if body.sources and body.pickup_store_id not in {source.store_id for source in body.sources}:
        raise _invalid("pickup_store_id", "pickup_store_id is none of the sources")
    if body.ends and not any(end.type == "door" for end in body.ends):
        raise _invalid("ends", "ends do not name the door")


def _invalid(field: str, why: str) -> InvalidInput:
    return InvalidInput(why, code="invalid_order", field=field)
