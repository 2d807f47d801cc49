"""Riders, their routes, stops and offers on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from api.http.schemas.base import Location, RequestBody, Revision, Shown
from api.http.schemas.deliveries import Dropoff, Item, Proof
from api.http.schemas.values import PIN, PROFILE, DeliveryId, Instant, Name, Phone, Text, Why


class RiderBody(RequestBody):
    """Anyone or anything that carries."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"location": {"lat": 48.14, "lng": 11.58}, "capacity_units": 4}]},
    )

    location: Location
    name: Name | None = None
    phone_number: Phone | None = None
    profile: Annotated[str, Field(pattern=PROFILE)] | None = None
    capacity_units: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = 1000
    provides: Annotated[list[Name], Field(max_length=16)] = []
    engagement: Literal["employed", "crowd"] = "employed"


class RiderShown(Shown):
    """A rider as of now."""

    rider_id: str
    name: str | None = None
    profile: str
    capacity_units: int
    provides: list[str]
    engagement: str
    on_duty: bool
    on_break: bool
    lost: bool
    shift_end_at: datetime | None = None
    works_until: datetime | None = Field(
        default=None, description="When plans for them end by `rules.hours`; null where it sets no end."
    )
    break_due_at: datetime | None = Field(default=None, description="A break that the law asks for begins by then.")
    rests_until: datetime | None = Field(default=None, description="Until when the break lasts that they were given.")
    location: dict[str, float] | None = None
    heard_at: datetime
    revision: int
    offer_id: str | None = None


class ShiftBody(RequestBody):
    """When they may be given work; from now on and open-ended, if not said."""

    start_at: Instant | None = None
    last_pickup_at: Instant | None = None
    end_at: Instant | None = None

    @model_validator(mode="after")
    def _order(self) -> ShiftBody:
        for early, late in ((self.start_at, self.last_pickup_at), (self.last_pickup_at, self.end_at)):
            if early is not None and late is not None and late < early:
                raise ValueError("start_at, last_pickup_at and end_at must follow each other")
        return self


class RouteSeenBody(RequestBody):
    """The revision that the phone has shown."""

    revision: Revision
    happened_at: Instant | None = None


class ActShown(Shown):
    """One thing to do at a stop."""

    delivery_id: str
    kind: Literal["pickup", "drop", "return"]
    items: list[Item] = []
    dropoff: Dropoff | None = Field(default=None, description="The customer's; a return goes to the store.")
    proof_of_delivery: Proof = "none"


class BagShown(Shown):
    """A bag planned for the rider at the counter: it may change until it is handed over."""

    delivery_id: str
    items: list[Item] = []
    tentative: Literal[True] = True


class StopShown(Shown):
    """One halt of a told route; without acts it is an empty move, or orders are still open."""

    stop_id: str
    location: dict[str, float]
    store_id: str | None
    expected_arrive_at: datetime
    expected_act_at: datetime
    expected_leave_at: datetime
    leg_s: int
    walk_s: int = Field(default=0, description="Of the leg, seconds on foot from the street to the door.")
    walk_m: int = Field(default=0, description="Metres of that walk.")
    acts: list[ActShown]
    planned: list[BagShown] = Field(
        default=[],
        description="At a counter where the rider stands: the bags planned for them beside `acts`. They may change "
        "until they are handed over, and are no acts before they are told.",
    )


class RouteShown(Shown):
    """What the rider's phone shows."""

    rider_id: str
    revision: int
    stops: list[StopShown]


class OfferShown(Shown):
    """A trip they may take, all or nothing."""

    offer_id: str
    rider_id: str
    deliveries: list[str]
    expires_at: datetime
    stops: int = Field(description="Stops of the trip, as it was planned when the offer was made.")
    work_s: int = Field(description="Seconds from setting off to leaving the last door, waits included.")
    way_m: int = Field(description="Metres of the trip, walks from street to door included.")
    pay: int | None = Field(
        description="What `rules.tariff` pays for it in minor units; null where the tariff names no cost."
    )


DoorPin = Annotated[str, Field(pattern=PIN)]


class StopDone(RequestBody):
    """What happened at a stop. `deliveries`: those really handed over (all that were told, if not said)."""

    happened_at: Instant | None = None
    deliveries: Annotated[list[DeliveryId], Field(max_length=50)] | None = None
    pin: DoorPin | None = None
    pins: Annotated[dict[DeliveryId, DoorPin], Field(max_length=50)] | None = Field(
        default=None, description="One for each delivery, where several customers are at this stop."
    )
    photo_reference: Annotated[Text, Field(min_length=1, max_length=300)] | None = None
    revision: Revision | None = Field(default=None, description="Of the route that the phone showed.")


class StopFailedBody(RequestBody):
    """Why an act could not be done."""

    reason: Why
    happened_at: Instant | None = None
    deliveries: Annotated[list[DeliveryId], Field(max_length=50)] | None = None
    revision: Revision | None = Field(default=None, description="Of the route that the phone showed.")
