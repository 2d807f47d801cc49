"""The board on the wire, as the document describes it; `view.py` makes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.http.schemas.base import Shown


class BoardStore(Shown):
    """A store on the map."""

    id: str
    lat: float
    lng: float
    open: bool
    delay_s: int


class BoardStop(Shown):
    """A told stop ahead of a rider."""

    lat: float
    lng: float
    store: str | None


class BoardRider(Shown):
    """A rider on duty; `on_board` counts the orders they carry."""

    id: str
    doing: Literal["working", "idle", "on_break", "lost"]
    lat: float
    lng: float
    stops: list[BoardStop]
    on_board: int
    apart: int = Field(default=0, description="Stores, customers and doors that they are kept apart from.")


class BoardOrder(Shown):
    """An open order; `lat` and `lng` are where it goes, `late` whether it is or will be."""

    id: str
    state: str
    store: str
    rider: str | None
    held_by: Literal["store", "rider", "place", "customer"] | None = None
    lat: float
    lng: float
    placed_at: datetime
    due_at: datetime
    expected_dropoff_at: datetime | None
    late: bool
    ready: bool
    tier: str | None = None
    fee: int | None = None
    marginal_cost: int | None = None
    reason: str | None
    kept_until: datetime | None


class BoardCounts(Shown):
    """Open orders, and riders by what they do."""

    open: int
    late: int
    waiting: int
    idle: int
    working: int
    lost: int


class BoardShown(Shown):
    """Stores, riders on duty and open orders now."""

    at: datetime
    ladder: str
    counts: BoardCounts
    stores: list[BoardStore]
    riders: list[BoardRider]
    orders: list[BoardOrder]
    cursor: int = Field(description="Where `/v1/board/stream` goes on.")


class StreetsShown(Shown):
    """Lines of [lat, lng]; none where the service travels on no streets.  `attribution` belongs on the map."""

    lines: list[list[Annotated[list[float], Field(min_length=2, max_length=2)]]]
    attribution: str
