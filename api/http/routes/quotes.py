"""Quotes: what a delivery would be like under the laws of a round; nothing is kept until one is accepted."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Path
from fastapi.responses import Response

from api.access.rate_limits import Meter
from api.access.rules import Caller, Scope, access
from api.common.ids import order_id_of
from api.common.signed_tokens import opened, signed
from api.http.acceptance import check_deliverable
from api.http.commands import Command, Remember, Reply, Service, command, replied
from api.http.presenters import fee_fields, last_metres, promise
from api.http.problems import problems
from api.http.routes.deliveries import OrdersCommand, place
from api.http.schemas.base import instant_at, instant_of
from api.http.schemas.deliveries import Delivery, DeliveryRequest, Quote, QuoteAccept, QuoteRequest
from api.http.schemas.values import ExternalId
from api.http.transport.door import Door
from api.http.trials import trial
from api.ledger.protocol import StoredReply
from dispatch.codec import plain, typed
from dispatch.model import Fee
from routing.errors import InvalidInput

router = APIRouter(tags=["quotes"], route_class=Door)
QuoteCommand = Annotated[Command, command(Annotated[Caller, access(Scope.ORDERS, Scope.OPS, meter=Meter.QUOTE)])]


class QuoteExpired(InvalidInput):
    """A quote accepted too late, or one that is not ours."""

    code = "quote_expired"


@router.post("/v1/quotes", summary="Request a quote", response_model=Quote, responses=problems())
async def quote(command: QuoteCommand, body: QuoteRequest) -> Response:
    """When it would be there, if ordered now: one insertion into the plans of now, of which nothing is kept."""

    async def do(remember: Remember) -> Reply:
        check_deliverable(command.service, command.caller, body, command.service.host.clock.now())
        reply = Reply(200, (await _quote(command.service, command.caller, body)).model_dump_json())
        return await replied(command.service, remember, reply)

    def restore(answer: StoredReply) -> Reply:
        kept = json.loads(answer.body)
        if "promise" not in kept:
            return Reply(answer.status, answer.body)
        drop_at = _epoch(kept["dropoff_at"]) if kept["dropoff_at"] else None
        fee = None
        if kept.get("fee") is not None:
            fee = Fee(kept["fee"], tuple(kept["fee_parts"].items()), kept["marginal_cost"])
        given = _Given(_epoch(kept["expires_at"]), _epoch(kept["promise"]["due_at"]), drop_at, fee)
        again = Quote(**kept | {"quote_id": _signed(command.service, command.caller, body, given)})
        return Reply(answer.status, again.model_dump_json())

    return await command.once(do, restore)


def _epoch(said: str) -> int:
    return int(datetime.fromisoformat(said).timestamp())


class _Given(NamedTuple):
    """What a quote holds us to, and until when."""

    expires_at: int
    due_at: int
    drop_at: int | None
    fee: Fee | None


def _signed(service: Service, caller: Caller, body: QuoteRequest, given: _Given) -> str:
    """The quote as a statement of ours: it is kept nowhere else, and it holds what is personal."""
    said: dict[str, Any] = {"t": caller.tenant, "e": given.expires_at, "d": given.due_at, "x": given.drop_at}
    if given.fee is not None:
        said["f"] = plain(given.fee)
    said["b"] = body.model_dump(mode="json", exclude_unset=True, by_alias=True)
    return signed(service.secret, "quote", said)


async def _quote(service: Service, caller: Caller, body: QuoteRequest) -> Quote:
    found, order, said, fee = await trial(service, caller.tenant, body)
    expires_at = service.host.clock.now() + service.config.service.quote_s
    return Quote(
        quote_id=_signed(service, caller, body, _Given(expires_at, order.due_at, found.dropoff_at, fee)),
        external_delivery_id=body.external_delivery_id,
        pickup_at=instant_of(found.pickup_at),
        dropoff_at=instant_of(found.dropoff_at),
        expires_at=instant_at(expires_at),
        promise=promise(order.due_at, said),
        last_metres=last_metres(found.last_metres),
        **fee_fields(fee),
        currency=body.currency or service.config.service.currency,
        reason=found.reason.name if found.reason is not None else None,
    )


@router.post(
    "/v1/quotes/{external_delivery_id}/accept",
    status_code=201,
    summary="Accept a quote",
    response_model=Delivery,
    responses={200: {"model": Delivery, "description": "Accepted before"}, **problems(409)},
)
async def accept(
    command: OrdersCommand, external_delivery_id: Annotated[ExternalId, Path()], body: QuoteAccept
) -> Response:
    """Makes the delivery that was quoted, with the promise that was given; 409 quote_expired afterwards."""

    async def do(remember: Remember) -> Reply:
        said = opened(command.service.secret, "quote", body.quote_id)
        if (
            said is None
            or said["t"] != command.caller.tenant
            or said["b"]["external_delivery_id"] != external_delivery_id
        ):
            raise InvalidInput("this is no quote of ours", code="unknown_quote", field="quote_id")
        ordered = DeliveryRequest.model_validate(said["b"])
        known = command.service.host.order(order_id_of(command.caller.tenant, external_delivery_id))
        if said["e"] <= command.service.host.clock.now() and known is None:
            raise QuoteExpired("the quote has expired", hint="Ask for a new one.")
        fee = typed(Fee, said.get("f"))
        return await place(command, ordered, remember, due_at=said["d"], drop_at=said.get("x"), fee=fee)

    return await command.once(do)
