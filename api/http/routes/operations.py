"""Operations: overrides with a reason, zones, live settings, why and why not, erasure."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import Response

from api.access.rules import Caller, Scope, access
from api.http import presenters
from api.http.acceptance import check_reach
from api.http.commands import Command, Ops, OpsCommand, OpsWrite, Remember, Reply, Running, Service, command, replied
from api.http.problems import problems
from api.http.routes.deliveries import ExternalId, find
from api.http.routes.presets import choose
from api.http.schemas.base import Taken, instant_of
from api.http.schemas.operations import Decision, Override, SettingBody, ZoneBody, ZoneShown
from api.http.schemas.values import Id
from api.http.transport.door import Door
from api.ledger.protocol import OPERATOR, VaultRow
from api.live.ended_orders import require_on_board
from api.live.upkeep.erasure import erase
from api.live.words import WORDS, kept, plain
from dispatch.board.board import Board
from dispatch.board.records import OrderRecord
from dispatch.errors import InvalidSetting
from dispatch.inputs import (
    Choice,
    HandoverOrdered,
    Input,
    OrderForced,
    OrderHeld,
    OrderUnassigned,
    Outcome,
    OutcomeSet,
    SettingChanged,
    ZoneListed,
    ZonePaused,
)
from dispatch.model import Reason, Zone
from dispatch.settings.names import renamed
from dispatch.settings.presets import KEY as PRESET
from dispatch.settings.presets import PRESETS
from dispatch.settings.settings import describe, schema

router = APIRouter(tags=["operations"], route_class=Door)

Asks = Annotated[Caller, access(Scope.ORDERS, Scope.OPS)]
EraseCommand = Annotated[Command, command(Asks)]


# --- overrides ------------------------------------------------------------------------------------------------------


@router.post("/v1/overrides", summary="Override a decision", response_model=Taken, responses=problems(409))
async def override(command: OpsCommand, body: Override) -> Response:
    """A person knows better: a plain reason goes into the journal, other words are kept with the delivery."""

    async def do(remember: Remember) -> Reply:
        rows, make = _override(command.service, command.caller, body)
        taken = Reply(200, Taken().model_dump_json())
        await command.service.host.tell(make, vault=rows, respond=lambda events: taken, answer=remember)
        return taken

    return await command.once(do)


def _override(service: Service, caller: Caller, body: Override) -> tuple[tuple[VaultRow, ...], Any]:
    """The input that an override stands for, and the place it may need."""
    reason = body.reason if body.zone_id is not None and body.delivery_id is None else plain(body.reason)
    if body.action in ("pause", "resume"):
        zone_id, paused = body.zone_id or "", body.action == "pause"
        return (), lambda at: ZonePaused(at=at, zone_id=zone_id, paused=paused, reason=reason)
    record = find(service, caller, body.delivery_id or "")
    order_id = require_on_board(service.host.board, record)
    words = kept(service.host, (order_id,), body.action, body.reason)
    if body.action == "handover" and body.location is not None:
        where, usual = body.location, service.config.service
        check_reach(service, record.order.store_id, where, "location")
        handle = service.host.add_place(where.lat, where.lng, enter_s=usual.store_enter_s, exit_s=usual.store_exit_s)
        row = VaultRow(
            handle, OPERATOR, "handover", order_id, where.lat, where.lng, usual.store_enter_s, usual.store_exit_s
        )
        return (row, *words), lambda at: HandoverOrdered(at=at, order_id=order_id, place=handle, reason=reason)

    def make(at: int) -> Input:
        if body.action in ("assign", "release"):
            rider_id = body.rider_id if body.action == "assign" else None
            return OrderForced(at=at, order_id=order_id, rider_id=rider_id, reason=reason)
        if body.action == "unassign":
            return OrderUnassigned(at=at, order_id=order_id, reason=reason)
        if body.action in ("delivered", "returned", "undo"):
            outcome = Outcome(body.action)
            return OutcomeSet(at=at, order_id=order_id, outcome=outcome, reason=reason, by=caller.key_id)
        if body.action == "give_up":
            return HandoverOrdered(at=at, order_id=order_id, place=None, reason=reason)
        return OrderHeld(at=at, order_id=order_id, held=body.action == "hold", reason=reason)

    return words, make


# --- zones ----------------------------------------------------------------------------------------------------------


@router.get("/v1/zones", summary="List zones", response_model=list[ZoneShown], responses=problems())
async def list_zones(service: Running, caller: Ops) -> list[ZoneShown]:
    """Every zone."""
    board = await service.host.settled()
    return [_zone(board, zone_id) for zone_id in board.zones]


@router.put("/v1/zones/{zone_id}", summary="Create or change a zone", response_model=ZoneShown, responses=problems())
async def put_zone(service: Running, caller: OpsWrite, zone_id: Annotated[Id, Path()], body: ZoneBody) -> ZoneShown:
    """A zone is new, or has these corners now; pausing it is an override."""
    zone = Zone(zone_id, tuple((corner.lat, corner.lng) for corner in body.corners))
    with service.slot(caller):
        told = await service.host.tell(
            lambda at: ZoneListed(at=at, zone=zone), respond=lambda events: _zone(service.host.board, zone_id)
        )
    made: ZoneShown = told.response
    return made


def _zone(board: Board, zone_id: str) -> ZoneShown:
    record = board.zones[zone_id]
    corners = [{"lat": lat, "lng": lng} for lat, lng in record.zone.corners]
    return ZoneShown(zone_id=zone_id, corners=corners, paused=record.paused)


# --- settings -------------------------------------------------------------------------------------------------------


@router.get("/v1/settings", summary="List settings", responses=problems())
async def list_settings(service: Running, caller: Ops) -> dict[str, Any]:
    """Every setting with its value, its default, what the preset in force stands for, and what it means."""
    board = await service.host.settled()
    values = board.settings.flat()
    usual = PRESETS[board.settings.preset].values if board.settings.preset in PRESETS else {}
    return {
        known.key: {
            "value": values[known.key],
            "default": known.default,
            "preset": usual.get(known.key),
            "live": known.live,
            "about": known.doc,
        }
        for known in schema()
    }


@router.put("/v1/settings/{name}", summary="Change a setting", response_model=Taken, responses=problems())
async def put_setting(
    service: Running,
    caller: OpsWrite,
    name: Annotated[str, Path(pattern=r"^[a-z_.]{1,64}$", examples=["rules.round_s"])],
    body: SettingBody,
) -> Taken:
    """A journalled input: replays of the day know of it.  `preset` chooses one of `/v1/presets`."""
    if name == PRESET:
        await choose(service, caller, body.value)
        return Taken()
    if not describe(name).live:
        raise InvalidSetting(f"{name} changes with a restart only", field=name)
    key, value = renamed((name, body.value))
    with service.slot(caller):
        await service.host.tell(lambda at: SettingChanged(at=at, key=key, value=value))
    return Taken()


# --- why ------------------------------------------------------------------------------------------------------------

_WHY = {
    Reason.NO_RIDER_IN_REACH: "No rider can be there in reasonable time.",
    Reason.CAPACITY: "It does not fit any rider's bag beside what they carry.",
    Reason.NEEDS: "No rider on duty provides what it needs.",
    Reason.SHIFT_END: "Every rider's shift ends too early.",
    Reason.UNREACHABLE: "There is no way there.",
    Reason.ZONE: "Its zone is paused.",
    Reason.WINDOW: "No rider can be there within its window.",
    Reason.ON_BOARD_LIMIT: "It would be on board for longer than it may.",
    Reason.STORE_CLOSED: "Its store is closed.",
    Reason.REFUSED_BY_ALL: "Every rider who could has refused.",
    Reason.HELD: "A person keeps it back.",
    Reason.BUDGET: "More urgent orders come first; it is planned in a later round.",
    Reason.KEPT: "Nothing has to be decided yet.",
    Reason.TRAVEL_LIMIT: "Nobody may drive that long or that far.",
    Reason.BREAKS: "No rider's break could be kept with it.",
    Reason.TOO_DEAR: "It would cost more than leaving it out.",
    Reason.CHOICE: "Another way of serving it is chosen.",
    Reason.GOODS: "No rider carries goods that it may ride with.",
    Reason.LINKED: "It goes only together with another order, which cannot be served.",
    Reason.PRECEDENCE: "It can come only after another order.",
    Reason.FLEET: "No more riders may be sent out.",
    Reason.APART: "Everybody free is kept apart from its store or its customer.",
    Reason.PARKED: "No round can be planned with it; it takes part again once something about it changes.",
}


@router.get("/v1/decisions/{delivery_id}", summary="Explain a decision", response_model=Decision, responses=problems())
async def decision(service: Running, caller: Asks, delivery_id: ExternalId) -> Decision:
    """Why this rider has the order, with the next best ones and what they would have cost; or why nobody has it now."""
    board = await service.host.settled()
    record = find(service, caller, delivery_id)
    choice = _receipt(record)
    shows_others = caller.sees_all
    others = [{"rider_id": rider, "added_cost": cost} for rider, cost in choice.others] if choice is not None else []
    waiting = record.rider_id is None and not record.state.is_final
    reason = record.reason if waiting else None
    return Decision(
        delivery_id=record.order.order_id,
        decision_id=record.decision_id,
        status=record.state.value,
        rider_id=record.rider_id or (record.planned_rider_id if shows_others else None),
        added_cost=choice.added_cost if choice is not None else None,
        others=others if shows_others else [],
        binding=choice.binding.name if choice is not None else None,
        waiting_because=reason.name if reason is not None else None,
        kept_until=instant_of(record.kept_until) if waiting else None,
        last_metres=presenters.last_metres(record.last_metres),
        explanation=explanation_of(board, record),
        words=_words(service, record) if shows_others else {},
    )


def _words(service: Service, record: OrderRecord) -> dict[str, str]:
    """Reasons in somebody's own words, until they are erased."""
    row = service.host.vault_row(record.order.door_place)
    return dict(row.personal.get(WORDS, {})) if row is not None else {}


def _receipt(record: OrderRecord) -> Choice | None:
    """The receipt of the rider who has the order; None where none was computed for them."""
    choice = record.choice
    stands = choice is not None and record.rider_id in (None, choice.rider_id)
    return choice if stands else None


def explanation_of(board: Board, record: OrderRecord) -> str:
    if record.state.is_final:
        return f"It is {record.state.value}."
    if record.rider_id is not None:
        choice = _receipt(record)
        if choice is None:
            return f"Rider {record.rider_id} has it; what others would have cost was not computed."
        if not choice.others:
            return f"Rider {record.rider_id} has it; nobody else was in reach."
        gap = choice.others[0][1] - choice.added_cost
        return f"Rider {record.rider_id} has it; the next best rider would have cost {gap} points more."
    if record.held:
        return _WHY[Reason.HELD]
    if record.planned_rider_id is not None:
        return f"It stands in a rider's plan; {_WHY[Reason.KEPT].lower()}"
    if record.reason is None:
        return "It waits for the next round."
    return _WHY.get(record.reason, "It waits.")


# --- erasure --------------------------------------------------------------------------------------------------------


@router.post(
    "/v1/deliveries/{delivery_id}/erase",
    summary="Erase a customer's data",
    response_model=Taken,
    responses=problems(409),
)
async def erase_delivery(command: EraseCommand, delivery_id: ExternalId) -> Response:
    """Names, phones, notes and the exact position of an ended delivery go; its history stays, by cell."""

    async def do(remember: Remember) -> Reply:
        await erase(command.service.host, find(command.service, command.caller, delivery_id))
        return await replied(command.service, remember, Reply(200, Taken().model_dump_json()))

    return await command.once(do)
