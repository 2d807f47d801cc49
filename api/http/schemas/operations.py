"""Operations, decisions, events and health on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from api.http.schemas.base import Location, RequestBody, Shown
from api.http.schemas.deliveries import LAST_METRES, LastMetresShown
from api.http.schemas.values import DeliveryId, Id, Text, Why
from routing.cells import Polygon


class ZoneBody(RequestBody):
    """A polygon; its edges do not cross the 180th meridian."""

    corners: Annotated[list[Location], Field(min_length=3, max_length=200)]

    @model_validator(mode="after")
    def _is_an_area(self) -> ZoneBody:
        ends = [*self.corners[1:], self.corners[0]]
        if any(abs(one.lng - other.lng) > 180.0 for one, other in zip(self.corners, ends, strict=True)):
            raise ValueError("an edge crosses the 180th meridian: make two zones of it")
        if Polygon([(corner.lat, corner.lng) for corner in self.corners]).is_empty:
            raise ValueError("the corners lie in a line: a zone is an area")
        return self


class ZoneShown(Shown):
    """A zone as of now."""

    zone_id: str
    corners: list[dict[str, float]]
    paused: bool


class Override(RequestBody):
    """A person decides: `assign` and `release` a rider, `unassign`, `hold`, `let_go`, `handover`, `give_up`.

    `delivered`, `returned` and `undo` set right what stands wrong.
    """

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"action": "hold", "delivery_id": "demo.o-1017", "reason": "customer called"}]},
    )

    action: Literal[
        "assign", "release", "unassign", "hold", "let_go", "handover", "give_up", "pause", "resume",
        "delivered", "returned", "undo",
    ]  # fmt: skip
    reason: Why
    delivery_id: DeliveryId | None = None
    rider_id: Id | None = None
    zone_id: Id | None = None
    location: Location | None = None

    @model_validator(mode="after")
    def _names(self) -> Override:
        needed = {"pause": "zone_id", "resume": "zone_id"}.get(self.action, "delivery_id")
        if getattr(self, needed) is None:
            raise ValueError(f"{self.action} needs {needed}")
        if self.action == "assign" and self.rider_id is None:
            raise ValueError("assign needs rider_id")
        if self.action == "handover" and self.location is None:
            raise ValueError("handover needs the location of the goods")
        return self


class SettingBody(RequestBody):
    """A live setting's new value."""

    value: Annotated[Text, Field(max_length=200)]


class Decision(Shown):
    """Why this rider, or why none now."""

    delivery_id: str
    decision_id: str | None
    status: str
    rider_id: str | None
    added_cost: int | None = None
    others: list[dict[str, Any]] = []
    binding: str | None = None
    waiting_because: str | None = None
    kept_until: datetime | None = None
    last_metres: LastMetresShown | None = LAST_METRES
    explanation: str
    words: dict[str, str] = Field(
        default={}, description="Reasons in somebody's own words, by what they were said of; for operations."
    )


class Events(Shown):
    """Notices behind a cursor, in order."""

    events: list[dict[str, Any]]
    next: str = Field(description="The cursor to ask with next time.")


class Readiness(Shown):
    """That it may be given work, and what is wrong all the same."""

    ready: bool
    warnings: list[str] = Field(
        default=[],
        description="`solver`: rounds are planned by insertion, for the solver has not answered the last ones; "
        "`clock`: the machine's clock was set and is not where the service's is.",
    )
    fallbacks_in_a_row: int = Field(default=0, description="Rounds since the solver last answered one.")
    commit_age_s: float = Field(default=0.0, description="What a write to the disk takes now.")
    clock_off_s: float = Field(default=0.0, description="What the machine's clock is ahead of the service's.")


class Status(Shown):
    """How the service is."""

    ready: bool
    now: datetime
    version: str
    open_orders: int = Field(description="The caller's own; an operator's key counts all.")
    riders_on_duty: int
    stores: int
    round: int
    last_round_s: float
    rounds_solved: int
    fallbacks: dict[str, int]
    fallbacks_in_a_row: int
    solver_restarts: int
    ladder: str
    waiting_writes: int
    journal_seq: int | None = Field(description="For the operator: it tells how much everybody does.")
    positions_left_out: int
    shadow: bool = False
