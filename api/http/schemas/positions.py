"""The words of the wire for positions: a batch in which one that is wrong costs itself alone."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from api.http.schemas.base import Location, RequestBody, Shown
from api.http.schemas.values import Id, Instant


class PositionBody(RequestBody):
    """Where a rider is, and when they were there (now, if not said)."""

    location: Location
    seen_at: Instant | None = None


class PositionOf(PositionBody):
    """A position in a batch."""

    rider_id: Id


class Unreadable(NamedTuple):
    """What stands in for an item of a batch that could not be read."""

    why: str


def _or_unreadable(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        return Unreadable(f"unreadable: {field}" if field else "unreadable")


class PositionBatch(RequestBody):
    """Up to 500 positions of any riders."""

    positions: Annotated[
        list[Annotated[PositionOf, WrapValidator(_or_unreadable)]], Field(min_length=1, max_length=500)
    ]

    def each(self) -> list[PositionOf | Unreadable]:
        """What is in the batch, in its order."""
        return [*self.positions]


class PositionLeftOut(Shown):
    """A position that was left out: its place in the batch, and why."""

    index: int
    why: str = Field(
        description="stale, origin, not_newer, jump, elsewhere (far from every store), unknown_rider, or unreadable "
        "with the field that is wrong"
    )


class PositionsReply(Shown):
    """How many were believed, and why the others were not."""

    taken: int
    left_out: int
    why: list[PositionLeftOut] = Field(default_factory=list)
