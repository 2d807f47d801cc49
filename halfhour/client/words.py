"""What goes over the wire, as types for an editor to complete."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

Json = dict[str, Any]


class LatLng(TypedDict):
    """A point in WGS84 degrees."""

    lat: float
    lng: float


class Dropoff(TypedDict):
    """Where and to whom."""

    location: LatLng
    access: NotRequired[LatLng]
    address: NotRequired[str]
    contact_name: NotRequired[str]
    phone_number: NotRequired[str]
    instructions: NotRequired[str]


Goods = TypedDict("Goods", {"class": str})
"""What kind of goods these are."""


class DeliveryFields(TypedDict, total=False):
    """What a delivery may be ordered with, beside its id, its store and where it goes."""

    pickup_ready_at: datetime
    dropoff_ready_at: datetime
    dropoff_deadline_at: datetime
    release_at: datetime
    placed_at: datetime
    load_units: int
    goods: Goods
    tier: str
    needs: list[str]
    max_on_board_s: int
    priority: int
    order_value: int
    currency: str
    items: list[Json]
    proof_of_delivery: Literal["none", "pin", "photo"]
    pin: str


class Delivery(TypedDict, total=False):
    """A delivery as of now; instants are RFC 3339 texts, unknown ones None."""

    delivery_id: str
    external_delivery_id: str
    status: str
    pickup_store_id: str
    created_at: str
    due_at: str
    expected_pickup_at: str | None
    expected_dropoff_at: str | None
    picked_up_at: str | None
    ended_at: str | None
    waiting_because: str | None
    fee: int | None
    fee_parts: dict[str, int]
    marginal_cost: int | None
    last_metres: Json | None
    co2_g: float
    rider: Json | None
    tracking_path: str
    version: str


class Event(TypedDict):
    """A notice: `id` to tell doubles, `cursor` to go on from."""

    id: str
    cursor: str
    kind: str
    subject: str
    sequence: int
    created_at: str
    data: Json
