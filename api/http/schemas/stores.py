"""Stores and their kitchens on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from api.http.schemas.base import ACCESS, Location, RequestBody, Shown
from api.http.schemas.deliveries import Goods, Item
from api.http.schemas.values import Id, Instant, Name, TenantId, Text


class ReadyEstimate(RequestBody):
    """The kitchen's new estimate."""

    pickup_ready_at: Instant


class StoreBody(RequestBody):
    """Where goods are handed to a rider."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"location": {"lat": 48.137, "lng": 11.575}, "name": "Kitchen 1"}]},
    )

    location: Location
    access: Location | None = ACCESS
    name: Name | None = None
    address: Annotated[Text, Field(max_length=300)] | None = None
    mean_ready_s: Annotated[int, Field(strict=True, ge=0, le=86_400)] | None = None
    enter_s: Annotated[int, Field(strict=True, ge=0, le=3600)] | None = None
    exit_s: Annotated[int, Field(strict=True, ge=0, le=3600)] | None = None
    hours: Annotated[Text, Field(max_length=500, examples=["Mo-Fr 11:00-22:00; Sa,Su 12:00-02:00"])] | None = None
    tenants: list[TenantId] = Field(default=[], max_length=100, description="Whose it is; empty: shared by all.")
    goods: Goods | None = Field(default=None, description="Of deliveries that name none; without it: hot_food.")


class StoreShown(Shown):
    """A store as of now."""

    store_id: str
    location: dict[str, float]
    access: dict[str, float] | None = ACCESS
    name: str | None = None
    address: str | None = None
    mean_ready_s: int | None = None
    closed: bool = False
    closed_until: datetime | None = None
    hours: str | None = Field(default=None, description="Opening hours, in the market's time zone; null: always open.")
    delay_s: int = 0
    delay_until: datetime | None = None
    open_deliveries: int = Field(default=0, description="The caller's own; an operator's key counts all.")
    goods: dict[str, str] = Field(default={}, description="`class` of deliveries that name none.")
    tenants: list[str] = Field(default=[], description="Whose it is (a tenant sees itself alone); empty: shared.")


class StoreClose(RequestBody):
    """Until when; until further notice, if not said."""

    until: Instant | None = None


class StoreThrottle(RequestBody):
    """How much longer everything takes, and until when; until further notice, if not said."""

    delay_s: Annotated[int, Field(strict=True, ge=0, le=14_400)]
    until: Instant | None = None


class StockBody(RequestBody):
    """What a store has of articles, or what comes and goes."""

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, json_schema_extra={"examples": [{"counts": {"milk": 12}, "version": 7}]}
    )

    counts: Annotated[dict[Id, Annotated[int, Field(strict=True)]], Field(min_length=1, max_length=5_000)]
    add: bool = Field(default=False, description="The counts are added to what it has; else they stand for it.")
    version: Annotated[int, Field(strict=True, ge=1, le=2**53)] | None = Field(
        default=None, description="Rises with every count; one that is not higher than the last is refused."
    )


class StockShown(Shown):
    """What a store has of the articles that it counts, and what of that orders hold."""

    store_id: str
    stock: dict[str, int]
    reserved: dict[str, int]
    version: int


class QueueItem(Shown):
    """One order as its kitchen sees it."""

    delivery_id: str
    status: str
    expected_ready_at: datetime
    ready_at: datetime | None
    start_preparing_at: datetime | None
    expected_pickup_at: datetime | None
    rider_id: str | None
    items: list[Item] = []
