"""Presets of a running city: what each would change, choosing one, and taking the choice back; one input each."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from api.access.rules import Caller
from api.http.commands import Ops, OpsWrite, Running, Service
from api.http.problems import problems
from api.http.schemas.base import RequestBody, Shown
from api.http.schemas.values import Text
from api.http.transport.door import Door
from dispatch.errors import InvalidSetting
from dispatch.inputs import PresetChosen
from dispatch.settings.choosing import Change, Moved, change_back, change_to
from dispatch.settings.presets import PRESETS
from dispatch.settings.settings import text_of

router = APIRouter(tags=["operations"], route_class=Door)


class PresetChoice(RequestBody):
    """The preset to go on under."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"preset": "on_time"}]})

    preset: Text
    overwrite: Annotated[bool, Field(strict=True)] = False
    """Also what was set singly."""


class SettingMoved(Shown):
    """One setting: its value now, and the value that the preset stands for."""

    setting: str
    now: Any
    then: Any


class PresetShown(Shown):
    """A preset: what it is for, and what choosing it would do to this city now."""

    preset: str
    about: str
    in_force: bool
    changes: list[SettingMoved]
    kept: list[SettingMoved]
    """Set singly: choosing the preset leaves them as they are, unless it is told to `overwrite`."""


class PresetChanged(Shown):
    """A preset is in force from now on; `changes` and `kept` as before the change."""

    preset: str
    changes: list[SettingMoved]
    kept: list[SettingMoved]


@router.get("/v1/presets", summary="List presets", response_model=list[PresetShown], responses=problems())
async def list_presets(service: Running, caller: Ops) -> list[PresetShown]:
    """Every preset, in a line, with what it would change here."""
    settings = (await service.host.settled()).settings
    shown = []
    for name, preset in PRESETS.items():
        try:
            found = change_to(settings, name)
        except InvalidSetting:  # what was set singly contradicts it: it can only be replaced
            found = change_to(settings, name, overwrite=True)
        shown.append(
            PresetShown(
                preset=name,
                about=preset.about,
                in_force=settings.preset == name,
                changes=_moved(found.changes),
                kept=_moved(found.kept),
            )
        )
    return shown


@router.put("/v1/preset", summary="Choose a preset", response_model=PresetChanged, responses=problems())
async def put_preset(service: Running, caller: OpsWrite, body: PresetChoice) -> PresetChanged:
    """Rules and prices that belong together change at once, by one journalled input."""
    return await choose(service, caller, body.preset, overwrite=body.overwrite)


@router.post("/v1/preset/undo", summary="Undo the last preset", response_model=PresetChanged, responses=problems(409))
async def undo_preset(service: Running, caller: OpsWrite) -> PresetChanged:
    """What the last choice of a preset replaced holds again, but for what has been set since."""
    board = service.host.board
    return await _chosen(service, caller, change_back(board.settings, board.before_preset))


async def choose(service: Service, caller: Caller, name: str, *, overwrite: bool = False) -> PresetChanged:
    """Lets a preset hold from now on; raises InvalidSetting naming the nearest."""
    return await _chosen(service, caller, change_to(service.host.board.settings, name, overwrite=overwrite))


async def _chosen(service: Service, caller: Caller, change: Change) -> PresetChanged:
    values = tuple((key, text_of(value)) for key, value in change.values.items())
    with service.slot(caller):
        await service.host.tell(lambda at: PresetChosen(at=at, preset=change.preset, values=values))
    return PresetChanged(preset=change.preset, changes=_moved(change.changes), kept=_moved(change.kept))


def _moved(found: tuple[Moved, ...]) -> list[SettingMoved]:
    return [SettingMoved(setting=key, now=now, then=then) for key, now, then in found]
