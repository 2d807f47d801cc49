"""What every body of the wire is made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.http.schemas.values import (
    Instant,
)
from routing.places import Access


def epoch_of(value: datetime | None) -> int | None:
    """Whole epoch seconds of an instant."""
    return None if value is None else int(value.timestamp())


def instant_of(at: int | None) -> datetime | None:
    """The inverse of `epoch_of`."""
    return None if at is None else datetime.fromtimestamp(at, UTC)


def instant_at(seconds: int) -> datetime:
    """Whole epoch seconds as an instant."""
    return datetime.fromtimestamp(seconds, UTC)


class RequestBody(BaseModel):
    """What is handed to us: a field we do not know is an error, never dropped."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Shown(BaseModel):
    """What we answer; clients ignore fields they do not know."""

    model_config = ConfigDict(ser_json_timedelta="float")


class ProblemBody(Shown):
    """An error, as RFC 9457 has it, with a stable code."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field_errors: list[dict[str, str]] = []


class Location(RequestBody):
    """A point in WGS84 degrees."""

    lat: Annotated[float, Field(strict=True, ge=-90, le=90)]
    lng: Annotated[float, Field(strict=True, ge=-180, le=180)]


ACCESS: Any = Field(
    default=None,
    description="Where one stops for it, if not at the nearest street: its entrance, gate or loading bay. "
    "On streets the rest is walked.",
)


def access_at(access: Location | None) -> Access | None:
    """An access point as a book of places holds it."""
    return None if access is None else (access.lat, access.lng)


class Happened(RequestBody):
    """When it was so; now, if not said."""

    happened_at: Instant | None = None


Revision = Annotated[int, Field(strict=True, ge=0, le=2**53)]


class Token(Shown):
    """A rider's own key, short-lived."""

    token: str
    expires_at: datetime


class Taken(Shown):
    """A report was taken down; `known` is false where it does not fit what we knew (kept all the same)."""

    taken: bool = True
    known: bool = True
