"""What robots say, in the words of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from dispatch.inputs import StopArrived, StopCompleted, StopFailed
from dispatch.model import ActKind, Engagement, Order, Rider, Shift
from routing.cells import METRES_PER_DEGREE
from routing.places import PLANE_ANCHOR, PlaceBook

Json = dict[str, Any]


def path_of(*parts: str) -> str:
    """A path of the API; what comes from a scenario cannot leave its place in it."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def epoch(text: str | None) -> int | None:
    """Whole epoch seconds of an RFC 3339 text."""
    return None if text is None else int(datetime.fromisoformat(text).timestamp())


def text_of(at: int) -> str:
    """The inverse of `epoch`."""
    return datetime.fromtimestamp(at, UTC).isoformat()


def instants(**given: int | None) -> Json:
    """Those of the named instants that are known."""
    return {name: text_of(at) for name, at in given.items() if at is not None}


def location(places: PlaceBook, handle: int) -> Json:
    """Where a place lies on the globe."""
    lat, lng = places.latlng(handle)
    return {"lat": lat, "lng": lng}


def on_globe(places: PlaceBook, first: float, second: float) -> Json:
    """Coordinates of the book's frame on the globe."""
    if places.frame == "wgs84":
        return {"lat": first, "lng": second}
    return {"lat": PLANE_ANCHOR[0] + first / METRES_PER_DEGREE, "lng": PLANE_ANCHOR[1] + second / METRES_PER_DEGREE}


def in_frame(places: PlaceBook, lat: float, lng: float) -> tuple[float, float]:
    """The inverse of `on_globe`."""
    if places.frame == "wgs84":
        return lat, lng
    return (lat - PLANE_ANCHOR[0]) * METRES_PER_DEGREE, (lng - PLANE_ANCHOR[1]) * METRES_PER_DEGREE


def order_body(order: Order, places: PlaceBook, *, tells_ready: bool = True) -> Json:
    """A delivery to be made; `tells_ready`: the order system knows when its goods will be ready."""
    body: Json = {
        "external_delivery_id": order.order_id,
        "pickup_store_id": order.store_id,
        "dropoff": {"location": location(places, order.drop_place)},
        "load_units": order.load_units,
        "priority": order.priority,
    }
    body |= instants(
        placed_at=order.placed_at,
        pickup_ready_at=order.expected_ready_at if tells_ready else None,
        dropoff_deadline_at=order.due_at,
        dropoff_ready_at=order.earliest_drop_at,
        release_at=order.release_at,
    )
    if order.door:
        body["dropoff"]["address_id"] = order.door
    if order.goods_class:
        body["goods"] = {"class": order.goods_class}
    if order.tier:
        body["tier"] = order.tier
    return body if order.max_on_board_s is None else body | {"max_on_board_s": order.max_on_board_s}


def rider_body(rider: Rider, places: PlaceBook) -> Json:
    """A rider as operations list them; the service knows their profile by the name of its own travel times."""
    body: Json = {
        "location": location(places, rider.place),
        "capacity_units": rider.capacity_units,
        "engagement": "crowd" if rider.engagement is Engagement.CROWD else "employed",
    }
    return body if rider.profile == "default" else body | {"profile": rider.profile}


def shift_body(shift: Shift) -> Json:
    """When they work."""
    return instants(start_at=shift.start_at, last_pickup_at=shift.last_pickup_at, end_at=shift.end_at)


def proof_of(delivery: Mapping[str, Any]) -> Json:
    """What a customer who is at home gives as proof of a delivery."""
    wanted = delivery["proof_of_delivery"]
    if wanted == "pin":
        return {"pin": delivery["pin"]}
    return {"photo_reference": "robots take no photos"} if wanted == "photo" else {}


def act_kind(word: str) -> ActKind:
    """What a word of the wire means to a rider; goods that go back are handed over as well, at their store."""
    return ActKind.PICKUP if word == "pickup" else ActKind.DROP


def stop_report(
    item: StopArrived | StopCompleted | StopFailed, wire_ids: Mapping[str, str], proofs: Mapping[str, Json]
) -> tuple[str, Json]:
    """Path and body of what a phone says at a stop; `wire_ids`: the service's id of each order."""
    body = instants(happened_at=item.happened_at)
    if isinstance(item, StopArrived):
        return path_of("stops", item.stop_id, "arrive"), body
    if item.order_ids is not None:
        body["deliveries"] = [wire_ids.get(order_id, order_id) for order_id in item.order_ids]
    if isinstance(item, StopFailed):
        return path_of("stops", item.stop_id, "fail"), body | {"reason": item.reason}
    for order_id in item.order_ids or ():
        proof = dict(proofs.get(order_id, {}))
        if "pin" in proof:
            body.setdefault("pins", {})[wire_ids.get(order_id, order_id)] = proof.pop("pin")
        body |= proof
    return path_of("stops", item.stop_id, "complete"), body
