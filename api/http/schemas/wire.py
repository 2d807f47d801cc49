"""The words of the wire: bodies that are taken, and what is answered.

Unknown fields are refused on write.  Times are RFC 3339 with an offset, coordinates `{"lat", "lng"}` in degrees, money
integer minor units with an ISO currency, phones E.164.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.http.schemas.values import CURRENCY as CURRENCY
from api.http.schemas.values import PIN as PIN
from api.http.schemas.values import PROFILE as PROFILE
from api.http.schemas.values import DeliveryId as DeliveryId
from api.http.schemas.values import ExternalId as ExternalId
from api.http.schemas.values import Id as Id
from api.http.schemas.values import Instant as Instant
from api.http.schemas.values import Name as Name
from api.http.schemas.values import OfferOrStopId as OfferOrStopId
from api.http.schemas.values import Phone as Phone
from api.http.schemas.values import TenantId as TenantId
from api.http.schemas.values import Text as Text
from api.http.schemas.values import Why as Why
from api.http.schemas.values import printable as printable


def epoch(value: datetime | None) -> int | None:
    """Whole epoch seconds of an instant."""
    return None if value is None else int(value.timestamp())


def instant(at: int | None) -> datetime | None:
    """The inverse of `epoch`."""
    return None if at is None else datetime.fromtimestamp(at, UTC)


def at(seconds: int) -> datetime:
    """Whole epoch seconds as an instant."""
    return datetime.fromtimestamp(seconds, UTC)


class Body(BaseModel):
    """What is handed to us: a field we do not know is an error, never dropped."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Shown(BaseModel):
    """What we answer; clients ignore fields they do not know."""

    model_config = ConfigDict(ser_json_timedelta="float")


class Problem(Shown):
    """An error, as RFC 9457 has it, with a stable code."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field_errors: list[dict[str, str]] = []


class Location(Body):
    """A point in WGS84 degrees."""

    lat: Annotated[float, Field(strict=True, ge=-90, le=90)]
    lng: Annotated[float, Field(strict=True, ge=-180, le=180)]


class Item(Body):
    """What is in the bag."""

    name: Name
    quantity: Annotated[int, Field(strict=True, ge=1, le=999)] = 1


# --- deliveries -----------------------------------------------------------------------------------------------------

Load = Annotated[int, Field(strict=True, ge=0, le=100_000, description="Size in the units of riders' capacity.")]
Proof = Literal["none", "pin", "photo"]


class Dropoff(Body):
    """Where and to whom; everything here is personal and kept in the vault alone."""

    location: Location
    address: Annotated[Text, Field(max_length=300)] | None = None
    address_id: ExternalId | None = Field(
        default=None,
        description="The caller's own id of the door. Orders with the same one (without it: with the same address, and "
        "points within ten metres) are brought in one stop.",
    )
    contact_name: Name | None = None
    phone_number: Phone | None = None
    instructions: Annotated[Text, Field(max_length=500)] | None = None


class QuoteRequest(Body):
    """A delivery as it would be ordered."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "external_delivery_id": "o-1017",
                    "pickup_store_id": "store-1",
                    "dropoff": {"location": {"lat": 48.139, "lng": 11.576}, "phone_number": "+4915112345678"},
                }
            ]
        },
    )

    external_delivery_id: ExternalId
    pickup_store_id: Id
    dropoff: Dropoff
    pickup_ready_at: Instant | None = None
    dropoff_ready_at: Instant | None = None
    dropoff_deadline_at: Instant | None = None
    release_at: Instant | None = None
    placed_at: Instant | None = None
    load_units: Load = 1
    needs: Annotated[list[Name], Field(max_length=16)] = []
    max_on_board_s: Annotated[int, Field(strict=True, ge=1, le=86_400)] | None = None
    priority: Annotated[int, Field(strict=True, ge=-10, le=10)] = 0
    order_value: Annotated[int, Field(strict=True, ge=0, le=10**9, description="Minor units.")] | None = None
    currency: Annotated[str, Field(pattern=CURRENCY)] | None = None
    items: Annotated[list[Item], Field(max_length=100)] = []
    proof_of_delivery: Proof = "none"
    pin: Annotated[str, Field(pattern=PIN)] | None = None

    @model_validator(mode="after")
    def _proof(self) -> QuoteRequest:
        if self.pin is not None and self.proof_of_delivery != "pin":
            raise ValueError("a pin needs proof_of_delivery: pin")
        return self


class DeliveryRequest(QuoteRequest):
    """A delivery to be made."""


class DeliveryPatch(Body):
    """What may change, as long as the delivery's state lets it (docs/integrate-orders.md has the table)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, json_schema_extra={"examples": [{"load_units": 2}]})

    dropoff: Dropoff | None = None
    pickup_ready_at: Instant | None = None
    dropoff_ready_at: Instant | None = None
    dropoff_deadline_at: Instant | None = None
    release_at: Instant | None = None
    load_units: Load | None = None
    needs: Annotated[list[Name], Field(max_length=16)] | None = None
    priority: Annotated[int, Field(strict=True, ge=-10, le=10)] | None = None
    order_value: Annotated[int, Field(strict=True, ge=0, le=10**9)] | None = None
    items: Annotated[list[Item], Field(max_length=100)] | None = None

    @model_validator(mode="after")
    def _something(self) -> DeliveryPatch:
        if not self.model_fields_set:
            raise ValueError("name at least one field to change")
        return self


class Cancel(Body):
    """Why a delivery is called off."""

    reason: Annotated[Text, Field(min_length=1, max_length=200)] = "customer"


class ReadyEstimate(Body):
    """The kitchen's new estimate."""

    pickup_ready_at: Instant


class Happened(Body):
    """When it was so; now, if not said."""

    happened_at: Instant | None = None


class Promise(Shown):
    """What the customer may be told; null where nothing is calibrated yet."""

    due_at: datetime
    p50_at: datetime | None = None
    p90_at: datetime | None = None
    on_time_probability: float | None = None


class Quote(Shown):
    """An estimate, good until `expires_at`; accepting it creates the delivery."""

    quote_id: str
    external_delivery_id: str
    pickup_at: datetime | None
    dropoff_at: datetime | None
    expires_at: datetime
    promise: Promise
    fee: int | None = None
    currency: str
    reason: str | None = Field(default=None, description="Why there is no estimate now.")


class QuoteAccept(Body):
    """The quote as it was given."""

    quote_id: Annotated[str, Field(min_length=1, max_length=12_000)]


class RiderSeen(Shown):
    """The rider, as the order system may know him."""

    rider_id: str
    location: dict[str, float] | None = None
    seen_at: datetime | None = None


class Delivery(Shown):
    """A delivery as of now."""

    delivery_id: str
    external_delivery_id: str
    status: str
    pickup_store_id: str
    created_at: datetime
    status_at: datetime
    due_at: datetime
    expected_ready_at: datetime
    ready_at: datetime | None = None
    release_at: datetime | None = None
    expected_pickup_at: datetime | None = None
    expected_dropoff_at: datetime | None = None
    picked_up_at: datetime | None = None
    ended_at: datetime | None = None
    kept_until: datetime | None = None
    waiting_because: str | None = None
    end_reason: str | None = None
    rider: RiderSeen | None = None
    planned_rider_id: str | None = Field(
        default=None, description="Before a rider is told: whom the plan of now names. It may change."
    )
    tentative: bool = Field(
        default=False,
        description="`expected_pickup_at`, `expected_dropoff_at` and `planned_rider_id` are of a plan that may change.",
    )
    gives_up_at: datetime | None = Field(
        default=None, description="Nobody has it: when it ends unless a rider takes it (`rules.give_up_s`)."
    )
    offer_count: int = 0
    decision_id: str | None = None
    batch_id: str | None = None
    held: bool = False
    dropoff: Dropoff | None = Field(default=None, description="Gone once erased.")
    load_units: int = 1
    needs: list[str] = []
    order_value: int | None = None
    currency: str | None = None
    items: list[Item] = []
    proof_of_delivery: Proof = "none"
    pin: str | None = None
    proof: dict[str, str] | None = None
    tracking_path: str
    version: str = Field(description="For If-Match; also in the ETag header.")


class DeliveryList(Shown):
    """A page of deliveries, newest first."""

    deliveries: list[Delivery]
    next: str | None = None


class Tracking(Shown):
    """What a customer sees."""

    status: str
    expected_dropoff_at: datetime | None
    due_at: datetime
    rider_location: dict[str, float] | None = None
    delivered_at: datetime | None = None


# --- stores, zones --------------------------------------------------------------------------------------------------


class StoreBody(Body):
    """Where goods are handed to a rider."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"location": {"lat": 48.137, "lng": 11.575}, "name": "Kitchen 1"}]},
    )

    location: Location
    name: Name | None = None
    address: Annotated[Text, Field(max_length=300)] | None = None
    mean_ready_s: Annotated[int, Field(strict=True, ge=0, le=86_400)] | None = None
    enter_s: Annotated[int, Field(strict=True, ge=0, le=3600)] | None = None
    exit_s: Annotated[int, Field(strict=True, ge=0, le=3600)] | None = None
    hours: Annotated[Text, Field(max_length=500, examples=["Mo-Fr 11:00-22:00; Sa,Su 12:00-02:00"])] | None = None
    tenants: list[TenantId] = Field(default=[], max_length=100, description="Whose it is; empty: shared by all.")


class StoreShown(Shown):
    """A store as of now."""

    store_id: str
    location: dict[str, float]
    name: str | None = None
    address: str | None = None
    mean_ready_s: int | None = None
    closed: bool = False
    closed_until: datetime | None = None
    hours: str | None = Field(default=None, description="Opening hours, in the market's time zone; null: always open.")
    delay_s: int = 0
    delay_until: datetime | None = None
    open_deliveries: int = Field(default=0, description="The caller's own; an operator's key counts all.")
    tenants: list[str] = Field(default=[], description="Whose it is (a tenant sees itself alone); empty: shared.")


class StoreClose(Body):
    """Until when; until further notice, if not said."""

    until: Instant | None = None


class StoreThrottle(Body):
    """How much longer everything takes, and until when; until further notice, if not said."""

    delay_s: Annotated[int, Field(strict=True, ge=0, le=14_400)]
    until: Instant | None = None


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


class ZoneBody(Body):
    """A polygon; its edges do not cross the 180th meridian."""

    corners: Annotated[list[Location], Field(min_length=3, max_length=200)]


class ZoneShown(Shown):
    """A zone as of now."""

    zone_id: str
    corners: list[dict[str, float]]
    paused: bool


# --- riders ---------------------------------------------------------------------------------------------------------


class RiderBody(Body):
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
    location: dict[str, float] | None = None
    heard_at: datetime
    revision: int
    offer_id: str | None = None


class ShiftBody(Body):
    """When he may be given work; from now on and open-ended, if not said."""

    start_at: Instant | None = None
    last_pickup_at: Instant | None = None
    end_at: Instant | None = None

    @model_validator(mode="after")
    def _order(self) -> ShiftBody:
        for early, late in ((self.start_at, self.last_pickup_at), (self.last_pickup_at, self.end_at)):
            if early is not None and late is not None and late < early:
                raise ValueError("start_at, last_pickup_at and end_at must follow each other")
        return self


Revision = Annotated[int, Field(strict=True, ge=0, le=2**53)]


class RouteSeenBody(Body):
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
    """A trip he may take, all or nothing."""

    offer_id: str
    rider_id: str
    deliveries: list[str]
    expires_at: datetime


DoorPin = Annotated[str, Field(pattern=PIN)]


class StopDone(Body):
    """What happened at a stop. `deliveries`: those really handed over (all that were told, if not said)."""

    happened_at: Instant | None = None
    deliveries: Annotated[list[DeliveryId], Field(max_length=50)] | None = None
    pin: DoorPin | None = None
    pins: Annotated[dict[DeliveryId, DoorPin], Field(max_length=50)] | None = Field(
        default=None, description="One for each delivery, where several customers are at this stop."
    )
    photo_reference: Annotated[Text, Field(min_length=1, max_length=300)] | None = None
    revision: Revision | None = Field(default=None, description="Of the route that the phone showed.")


class StopFailedBody(Body):
    """Why an act could not be done."""

    reason: Why
    happened_at: Instant | None = None
    deliveries: Annotated[list[DeliveryId], Field(max_length=50)] | None = None
    revision: Revision | None = Field(default=None, description="Of the route that the phone showed.")


class Token(Shown):
    """A rider's own key, short-lived."""

    token: str
    expires_at: datetime


class Taken(Shown):
    """A report was taken down; `known` is false where it does not fit what we knew (kept all the same)."""

    taken: bool = True
    known: bool = True


# --- operations -----------------------------------------------------------------------------------------------------


class Override(Body):
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


class SettingBody(Body):
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
    explanation: str


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
