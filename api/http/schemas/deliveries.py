"""Deliveries and quotes on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from api.http.schemas.base import ACCESS, Location, RequestBody, Shown
from api.http.schemas.values import (
    CURRENCY,
    PIN,
    EndName,
    ExternalId,
    Id,
    Instant,
    Name,
    Phone,
    Text,
)


class Item(RequestBody):
    """What is in the bag."""

    name: Name
    quantity: Annotated[int, Field(strict=True, ge=1, le=999)] = 1
    sku: Id | None = Field(default=None, description="The article, where its stores count what they have of it.")


Load = Annotated[int, Field(strict=True, ge=0, le=100_000, description="Size in the units of riders' capacity.")]


class Goods(RequestBody):
    """What kind of goods these are."""

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, json_schema_extra={"examples": [{"class": "grocery"}]}
    )

    goods_class: Annotated[str, Field(alias="class", pattern=r"^[a-z][a-z0-9_]{0,31}$")]


Proof = Literal["none", "pin", "photo"]

Points = Annotated[
    int, Field(strict=True, ge=0, le=10**9, description="What choosing it costs, in points of the plan (`prices`).")
]


class SourceNamed(RequestBody):
    """A store that may fulfil the delivery, and how long it prepares from when it is told to."""

    store_id: Id
    prepare_s: Annotated[int, Field(strict=True, ge=0, le=86_400)] | None = Field(
        default=None, description="Seconds; without it: from placement to `ready_at`, else the store's mean."
    )
    ready_at: Instant | None = None
    price: Points = 0


class EndNamed(RequestBody):
    """Where the delivery may be brought: its door, or the counter of a store."""

    type: Literal["door", "counter"]
    store_id: Id | None = Field(default=None, description="Of a counter: whose.")
    price: Points = 0

    @model_validator(mode="after")
    def _store(self) -> EndNamed:
        if (self.store_id is None) != (self.type == "door"):
            raise ValueError("a counter has a store_id, and only a counter")
        return self


class Dropoff(RequestBody):
    """Where and to whom; everything here is personal and kept in the vault alone."""

    location: Location
    access: Location | None = ACCESS
    address: Annotated[Text, Field(max_length=300)] | None = None
    address_id: ExternalId | None = Field(
        default=None,
        description="The caller's own id of the door. Orders with the same one (without it: with the same address, and "
        "points within ten metres) are brought in one stop.",
    )
    customer_id: ExternalId | None = Field(
        default=None,
        description="The caller's own id of who ordered: whom operations may keep a rider apart from.",
    )
    contact_name: Name | None = None
    phone_number: Phone | None = None
    instructions: Annotated[Text, Field(max_length=500)] | None = None


class QuoteRequest(RequestBody):
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
    goods: Goods | None = Field(
        default=None, description="What it may ride with (`rules.mix`); without it: its store's."
    )
    tier: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")] | None = Field(
        default=None, description="Tier of whoever orders (`rules.tiers`)."
    )
    sources: Annotated[list[SourceNamed], Field(max_length=8)] = Field(
        default=[], description="Stores that may fulfil it, `pickup_store_id` among them; the plan chooses one."
    )
    ends: Annotated[list[EndNamed], Field(max_length=8)] = Field(
        default=[], description="Where it may be brought, the door among them; the plan chooses one."
    )
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


class DeliveryPatch(RequestBody):
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


class EndAskedFor(RequestBody):
    """Where the customer wants it brought now."""

    end: EndName


class Cancel(RequestBody):
    """Why a delivery is called off."""

    reason: Annotated[Text, Field(min_length=1, max_length=200)] = "customer"


FEE: Any = Field(
    default=None, description="What it is charged, in minor units (`rules.tariff`); null without a tariff."
)
FEE_PARTS: Any = Field(default={}, description="What that is made of: base, distance, time, peak, tier, bounds.")
COST: Any = Field(default=None, description="What serving it costs in the plan of now; null where nobody can take it.")


class Promise(Shown):
    """What the customer may be told: learnt from what was delivered, null where nobody can say when the order comes."""

    due_at: datetime
    p50_at: datetime | None = Field(default=None, description="As likely earlier as later.")
    p90_at: datetime | None = Field(default=None, description="Nine in ten come by then.")
    on_time_probability: float | None = Field(
        default=None, description="How likely it comes by `due_at`: 0.025 to 0.975, beyond which nothing is tracked."
    )
    calibrated: bool = Field(
        default=False, description="False until 600 deliveries have taught it, or what it was begun with."
    )


class LastMetresShown(Shown):
    """What is walked from the street, in seconds and metres: to the counter of the store, and to the door."""

    pickup_s: int
    pickup_m: int
    dropoff_s: int
    dropoff_m: int


LAST_METRES: Any = Field(
    default=None, description="What of the way is walked, as planned; null where nothing is or no plan says it."
)


class Quote(Shown):
    """An estimate, good until `expires_at`; accepting it creates the delivery."""

    quote_id: str
    external_delivery_id: str
    pickup_at: datetime | None
    dropoff_at: datetime | None
    expires_at: datetime
    promise: Promise
    last_metres: LastMetresShown | None = LAST_METRES
    fee: int | None = FEE
    fee_parts: dict[str, int] = FEE_PARTS
    marginal_cost: int | None = COST
    currency: str
    reason: str | None = Field(default=None, description="Why there is no estimate now.")


class QuoteAccept(RequestBody):
    """The quote as it was given."""

    quote_id: Annotated[str, Field(min_length=1, max_length=12_000)]


class WayShown(Shown):
    """What a delivery may come from, and be brought to; and what of it is chosen now."""

    sources: list[SourceNamed] = []
    ends: list[EndNamed] = []
    end: str = Field(default="door", description="`door`, or `counter:` and the store.")
    source_told_at: datetime | None = Field(
        default=None, description="When its store was told to prepare it: from then on the source is settled."
    )


class RiderSeen(Shown):
    """The rider, as the order system may know them."""

    rider_id: str
    location: dict[str, float] | None = None
    seen_at: datetime | None = None


class CustodyShown(Shown):
    """Somebody held the goods; `to_at` null: they hold them still."""

    held_by: Literal["store", "rider", "place", "customer"] = Field(
        description="`place`: nobody's, left where another rider fetches them."
    )
    id: str | None = Field(default=None, description="The store's or the rider's.")
    from_at: datetime
    to_at: datetime | None = None


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
    promise: Promise = Field(description="As last said: with a quote, and with the first plan that held it.")
    picked_up_at: datetime | None = None
    ended_at: datetime | None = None
    custody: list[CustodyShown] = Field(default=[], description="Who held the goods, from when to when, without gaps.")
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
    last_metres: LastMetresShown | None = LAST_METRES
    batch_id: str | None = None
    held: bool = False
    dropoff: Dropoff | None = Field(default=None, description="Gone once erased.")
    load_units: int = 1
    goods: dict[str, str] = Field(default={}, description="`class`: its own, else its store's.")
    tier: str | None = None
    alternatives: WayShown | None = Field(default=None, description="Null where nothing of it is chosen.")
    needs: list[str] = []
    fee: int | None = FEE
    fee_parts: dict[str, int] = FEE_PARTS
    marginal_cost: int | None = COST
    co2_g: float = Field(default=0.0, description="Grams of CO2 of the ways driven for it so far (`rules.co2`).")
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
