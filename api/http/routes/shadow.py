"""Shadow mode: another dispatcher decides, we watch, and say at each of its decisions what we would have done.

Orders, riders, positions and kitchens come in as always; what the other dispatcher did comes in here, and the engine
follows it.  Nothing goes out: no webhook is sent and no rider is shown a route.  The differences are one-step ones;
figures for a whole day come from a replay of the exported day.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import ConfigDict

from api.common.errors import NotFound
from api.http.commands import Command, Ops, OpsWrite, Remember, Reply, Running, Service, command
from api.http.problems import problems
from api.http.routes.deliveries import find
from api.http.routes.riders import find as find_rider
from api.http.routes.riders import happened
from api.http.schemas.base import RequestBody, Shown, Taken, epoch_of
from api.http.schemas.values import DeliveryId, Id, Instant
from api.http.transport.door import Door
from api.ledger.protocol import OPERATOR, Write
from api.live.ended_orders import require_on_board
from dispatch.board.board import Board
from dispatch.inputs import OrderForced, SettingChanged, StopCompleted

router = APIRouter(tags=["shadow"], route_class=Door)

ShadowCommand = Annotated[Command, command(OpsWrite)]
SUBJECT = "shadow"
QUIET = {"rules.route_ack_timeout_s": "0", "rules.lost_after_s": "0", "rules.stale_s": "0"}
"""Nobody shows our routes and not every rider is heard of: silence must have no consequences here."""


class Assignment(RequestBody):
    """The other dispatcher gave an order to a rider."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"delivery_id": "demo.o-1017", "rider_id": "r-7"}]}
    )

    delivery_id: DeliveryId
    rider_id: Id


class Fact(Assignment):
    """What a rider of the other dispatcher has done."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"kind": "picked_up", "delivery_id": "demo.o-1017", "rider_id": "r-7"}]},
    )

    kind: Literal["picked_up", "delivered"]
    happened_at: Instant | None = None


class ShadowDifference(Shown):
    """One decision, theirs and ours; costs in points (a hundredth of a second of one order's door time)."""

    delivery_id: str
    theirs: str
    ours: str | None
    same: bool
    saved_points: int | None = None


class Report(Shown):
    """All decisions so far: one-step differences, which do not add up to a day."""

    decisions: int
    same: int
    priced: int
    saved_points: int


@router.post(
    "/v1/shadow/assignments",
    summary="Report another dispatcher's assignment",
    response_model=ShadowDifference,
    responses=problems(409),
)
async def assignment(command: ShadowCommand, body: Assignment) -> Response:
    """Answers what we would have done, and follows theirs."""

    async def do(remember: Remember) -> Reply:
        _require(command.service)
        order_id = require_on_board(command.service.host.board, find(command.service, command.caller, body.delivery_id))
        find_rider(command.service, body.rider_id)
        found = difference(command.service.host.board, order_id, body.rider_id)
        reply = Reply(200, found.model_dump_json())
        await command.service.host.tell(
            lambda at: OrderForced(at=at, order_id=order_id, rider_id=body.rider_id, reason="shadow"),
            respond=lambda events: reply,
            answer=remember,
        )
        notice = command.service.host.notice(OPERATOR, "shadow.decision", SUBJECT, found.model_dump())
        await command.service.host.write(Write(notices=(notice,)))
        return reply

    return await command.once(do)


def difference(board: Board, order_id: str, theirs: str) -> ShadowDifference:
    """Their rider beside ours, with the price of the difference where both were priced."""
    record = board.orders[order_id]
    ours = record.rider_id or record.planned_rider_id
    price: dict[str, int] = {}
    if record.choice is not None:
        price = dict(record.choice.others) | {record.choice.rider_id: record.choice.added_cost}
    saved = price[theirs] - price[ours] if ours is not None and {ours, theirs} <= price.keys() else None
    return ShadowDifference(
        delivery_id=order_id, theirs=theirs, ours=ours, same=ours == theirs, saved_points=0 if ours == theirs else saved
    )


@router.post(
    "/v1/shadow/facts", summary="Report what another dispatcher's rider did", response_model=Taken, responses=problems()
)
async def fact(command: ShadowCommand, body: Fact) -> Response:
    """A pickup or a delivery, as it happened."""

    async def do(remember: Remember) -> Reply:
        _require(command.service)
        order_id = find(command.service, command.caller, body.delivery_id).order.order_id
        find_rider(command.service, body.rider_id)
        said = epoch_of(body.happened_at)
        taken = Reply(200, Taken().model_dump_json())
        await command.service.host.tell(
            lambda at: StopCompleted(
                at=at,
                rider_id=body.rider_id,
                stop_id=f"{body.rider_id}.0",
                happened_at=happened(said, at),
                order_ids=(order_id,),
            ),
            respond=lambda events: taken,
            answer=remember,
        )
        return taken

    return await command.once(do)


@router.get("/v1/shadow/report", summary="Get the shadow report", response_model=Report, responses=problems())
async def report(service: Running, caller: Ops) -> Report:
    """Over all decisions that are kept."""
    _require(service)
    found: list[dict[str, Any]] = []
    after = 0
    while block := service.ledger.notices(after, subject=SUBJECT, limit=1000):
        after = block[-1].seq
        found += [notice.data for notice in block]
    saved = [data["saved_points"] for data in found if data["saved_points"] is not None]
    same = sum(data["same"] for data in found)
    return Report(decisions=len(found), same=same, priced=len(saved), saved_points=sum(saved))


async def begin(service: Service) -> None:
    """Switches off what silence would bring about; journalled, as every setting."""
    flat = service.host.board.settings.flat()
    for key, value in QUIET.items():
        if str(flat[key]) != value:
            await service.host.tell(partial(_setting, key, value))


def _setting(key: str, value: str, at: int) -> SettingChanged:
    return SettingChanged(at=at, key=key, value=value)


def _require(service: Service) -> None:
    if not service.shadow:
        raise NotFound("this service decides itself: start it with --shadow")
