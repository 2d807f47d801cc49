"""Riders as people: bodies of requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from api.http.schemas.base import RequestBody, Shown
from api.http.schemas.values import DeliveryId, Id, Text, Why

Kind = Literal["store", "customer", "door"]


class ApartBody(RequestBody):
    """Whom a rider is kept apart from: a store, whoever a delivery is for, or a pair as it was listed."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"store_id": "store-1", "reason": "rider asked for it"}]},
    )

    reason: Why
    store_id: Id | None = None
    delivery_id: DeliveryId | None = Field(
        default=None, description="Its customer where it names one (`dropoff.customer_id`), else its door."
    )
    party: Kind | None = None
    name: Annotated[Text, Field(min_length=1, max_length=120)] | None = Field(
        default=None, description="With `party`: as a pair is listed."
    )

    @model_validator(mode="after")
    def _one(self) -> ApartBody:
        if (self.party is None) != (self.name is None):
            raise ValueError("party and name go together")
        if sum(value is not None for value in (self.store_id, self.delivery_id, self.party)) != 1:
            raise ValueError("name a store_id, a delivery_id, or a party with its name")
        return self


class ReceiptShown(Shown):
    """One decision about a rider and its reason."""

    number: int
    at: datetime
    about: str
    deliveries: list[str]
    text: str = Field(description="In plain words, to the rider.")
    reversible: bool = Field(description="Whether operations can take it back.")
    contact: str | None = Field(default=None, description="Whom to ask for that.")


class ReceiptsShown(Shown):
    """What a rider may read of decisions about them."""

    rider_id: str
    contact: str = Field(description="Who can take a decision back (`service.rider_contact`).")
    now: list[str] = Field(description="Why they are given little or nothing right now; empty where nothing is.")
    receipts: list[ReceiptShown] = Field(description="The newest first.")


class ReversalBody(RequestBody):
    """Why a decision is taken back."""

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, json_schema_extra={"examples": [{"reason": "rider called"}]}
    )

    reason: Why


class ShiftEndBody(RequestBody):
    """Why somebody else ends a rider's shift; a rider who ends their own needs none."""

    reason: Why | None = None


class ApartShown(Shown):
    """A pair that must not meet."""

    party: Kind
    name: str = Field(description="The store's id; of a customer or a door a name that tells nobody who it is.")
    since_at: datetime
    reason: str
    by: str = Field(description="Whose key said so.")
    words: str | None = Field(default=None, description="The reason in somebody's own words.")
