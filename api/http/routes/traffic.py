"""Traffic and weather of a service on streets: what holds, and what operations or a feed of theirs let hold now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from api.http.commands import Ops, OpsWrite, Running, Service
from api.http.problems import problems
from api.http.schemas.base import Location, RequestBody, Shown
from api.http.schemas.values import Text, printable
from api.http.transport.door import Door

if TYPE_CHECKING:
    from routing.roads import SpeedRule

router = APIRouter(tags=["operations"], route_class=Door)

Number = Annotated[int, Field(strict=True, ge=-(2**62), le=2**62)]
Word = Annotated[Text, Field(min_length=1, max_length=64)]


def _lines(value: Any) -> Any:
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


class Speed(RequestBody):
    """Streets that meet every condition named are driven at `factor` times their speed; several factors multiply."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"factor": 0.3, "ways": [23845210], "profiles": ["car"]}]},
    )

    factor: Annotated[float, Field(strict=True, gt=0, le=100)] = 1.0
    kmh: Annotated[float, Field(strict=True, gt=0, le=300)] | None = Field(
        default=None, description="The speed itself, for the profiles named; for all, the most that anybody drives."
    )
    closed: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Nobody enters; who stands there can leave."
    )
    direction: Literal["", "forward", "backward"] = Field(default="", description="As the street is drawn; none: both.")
    profiles: list[Word] = Field(default=[], max_length=32, description="Of the city file; none: all.")
    classes: list[Word] = Field(default=[], max_length=64, description="Road classes; none: all.")
    zone: list[Location] = Field(default=[], max_length=200, description="Corners of an area.")
    edges: list[Number] = Field(default=[], max_length=100_000, description="Edges of the city file.")
    ways: list[Number] = Field(default=[], max_length=100_000, description="Ways of OpenStreetMap.")

    @model_validator(mode="after")
    def _is_an_area(self) -> Speed:
        if self.zone and len(self.zone) < 3:
            raise ValueError("zone has at least three corners")
        if not self.model_fields_set & {"factor", "kmh", "closed"}:
            raise ValueError("say factor, kmh or closed")
        return self

    def rule(self) -> SpeedRule:
        """The same for the network."""
        from routing.roads import SpeedRule

        zone = tuple((corner.lat, corner.lng) for corner in self.zone)
        return SpeedRule(
            self.factor, tuple(self.profiles), tuple(self.classes), zone, tuple(self.edges), tuple(self.ways),
            direction=self.direction, kmh=self.kmh, closed=self.closed,
        )  # fmt: skip


class TrafficBody(RequestBody):
    """What holds from now on; a field left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {"speeds": [{"factor": 0.3, "ways": [23845210]}, {"factor": 0.8, "classes": ["primary"]}],
                 "weather": "rain"}
            ]
        },
    )  # fmt: skip

    speeds: list[Speed] | None = Field(
        default=None, max_length=500, description="Instead of all that were reported before."
    )
    weather: Text | None = Field(default=None, max_length=64, description="A weather of the city file; empty: none.")
    table: Annotated[str, BeforeValidator(_lines), AfterValidator(printable)] | None = Field(
        default=None, max_length=512 * 1024, description="A daily traffic table as TOML (docs/roads.md); empty: none."
    )


class TableShown(Shown):
    """The slots of a day."""

    slot_s: int
    slots: int


class TrafficShown(Shown):
    """Travel times in force: their version grows with every change, the same digest means the same times."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": 7,
                    "digest": "7de1bcaccf637c87",
                    "on_streets": True,
                    "profiles": ["default"],
                    "speeds": [{"factor": 0.3, "ways": [23845210]}],
                    "weather": "rain",
                    "weathers": ["heat", "rain", "snow"],
                    "table": {"slot_s": 900, "slots": 96},
                }
            ]
        }
    )

    version: int
    digest: str
    on_streets: bool
    profiles: list[str] = Field(description="Profiles of riders.")
    speeds: list[Speed] = Field(default=[])
    weather: str = ""
    weathers: list[str] = Field(default=[], description="What the city file knows.")
    table: TableShown | None = None


@router.get("/v1/traffic", summary="Get traffic", response_model=TrafficShown, responses=problems())
async def get_traffic(service: Running, caller: Ops) -> TrafficShown:
    """The version of travel times that rounds and quotes use now, and what it is made of."""
    await service.host.settled()
    return _shown(service)


@router.patch("/v1/traffic", summary="Change traffic", response_model=TrafficShown, responses=problems(409))
async def patch_traffic(service: Running, caller: OpsWrite, body: TrafficBody) -> TrafficShown:
    """New speeds, weather or daily table, for every round and quote from the answer on; routes told keep their times.

    Reported speeds hold until they are replaced.  A restart comes back with all of it.
    """
    changes: dict[str, Any] = {name: getattr(body, name) for name in ("weather", "table")}
    changes["speeds"] = None if body.speeds is None else tuple(speed.rule() for speed in body.speeds)
    with service.slot(caller):
        await service.host.change_travel(**{name: value for name, value in changes.items() if value is not None})
    return _shown(service)


def _shown(service: Service) -> TrafficShown:
    from routing.roads import RoadTravel, SpeedRule

    board, times = service.host.board, service.host.times
    shown = TrafficShown(
        version=board.travel_version, digest=times.digest, on_streets=False, profiles=list(times.profiles)
    )
    if not isinstance(times, RoadTravel):
        return shown
    held = times.network.state.conditions
    return shown.model_copy(
        update={
            "on_streets": True,
            "speeds": [_speed(rule) for rule in held.reported if isinstance(rule, SpeedRule)],
            "weather": held.weather,
            "weathers": sorted(times.network.notes.get("weather", {})),
            "table": held.table and TableShown(slot_s=held.table.slot_s, slots=len(held.table.rules)),
        }
    )


def _speed(rule: SpeedRule) -> Speed:
    zone = [Location(lat=lat, lng=lng) for lat, lng in rule.zone]
    lists: dict[str, Any] = {name: list(getattr(rule, name)) for name in ("profiles", "classes", "edges", "ways")}
    same: dict[str, Any] = {name: getattr(rule, name) for name in ("factor", "kmh", "closed", "direction")}
    return Speed(zone=zone, **same, **lists)
