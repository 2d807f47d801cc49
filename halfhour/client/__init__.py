"""A client of the service: for an order system, a kitchen, a rider app and operations.

    from halfhour.client import Client

    with Client("http://127.0.0.1:8080", "hh_...") as halfhour:
        delivery = halfhour.orders.create(
            external_delivery_id="o-1017", pickup_store_id="store-1",
            dropoff={"location": {"lat": 48.139, "lng": 11.576}},
        )
        for event in halfhour.events(after="0"):
            print(event["kind"], event["data"])

Every write carries an idempotency key, so a try that was lost on the way is repeated without harm; 429 and 503 are
waited out.  What the service refuses is raised as an ApiError with its stable code.
"""

from __future__ import annotations

from api.outbox.webhook_signature import InvalidSignature
from api.outbox.webhook_signature import verify as verify_webhook
from halfhour.client.errors import ApiError, Busy, Conflict, CursorGone, Invalid, NotAllowed, NotThere, Unreachable
from halfhour.client.transport import Client
from halfhour.client.words import Delivery, DeliveryFields, Dropoff, Event, LatLng

__all__ = [
    "ApiError",
    "Busy",
    "Client",
    "Conflict",
    "CursorGone",
    "Delivery",
    "DeliveryFields",
    "Dropoff",
    "Event",
    "Invalid",
    "InvalidSignature",
    "LatLng",
    "NotAllowed",
    "NotThere",
    "Unreachable",
    "verify_webhook",
]
