"""The four faces of a service: order system, kitchen, rider app, operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Unpack
from urllib.parse import quote

from halfhour.client.words import Delivery, DeliveryFields, Dropoff, Json

__all__ = ["Kitchen", "Ops", "Orders", "Riders"]


class _Part:
    def __init__(self, request: Callable[..., Any]) -> None:
        self._send = request

    def _request(self, *args: Any, **more: Any) -> Json:
        answer: Json = self._send(*args, **more)
        return answer

    def _delivery(self, *args: Any, **more: Any) -> Delivery:
        answer: Delivery = self._send(*args, **more)
        return answer


class Orders(_Part):
    """What an order system does."""

    def quote(
        self, *, external_delivery_id: str, pickup_store_id: str, dropoff: Dropoff, **more: Unpack[DeliveryFields]
    ) -> Json:
        """What can be promised; keep `quote_id` to accept it."""
        body = {"external_delivery_id": external_delivery_id, "pickup_store_id": pickup_store_id, "dropoff": dropoff}
        return self._request("POST", "/v1/quotes", {**body, **more})

    def accept(self, external_delivery_id: str, quote_id: str, *, key: str | None = None) -> Delivery:
        """Turns a quote into a delivery; raises Conflict (quote_expired)."""
        return self._delivery(
            "POST", f"/v1/quotes/{_part(external_delivery_id)}/accept", {"quote_id": quote_id}, key=key
        )

    def create(
        self,
        *,
        external_delivery_id: str,
        pickup_store_id: str,
        dropoff: Dropoff,
        key: str | None = None,
        **more: Unpack[DeliveryFields],
    ) -> Delivery:
        """Hands over a delivery.  The same id and fields again answer with the delivery as it is."""
        body = {"external_delivery_id": external_delivery_id, "pickup_store_id": pickup_store_id, "dropoff": dropoff}
        return self._delivery("POST", "/v1/deliveries", {**body, **more}, key=key)

    def get(self, external_delivery_id: str) -> Delivery:
        """A delivery as of now."""
        return self._delivery("GET", f"/v1/deliveries/{_part(external_delivery_id)}")

    def all(self, *, status: str | None = None, limit: int = 200) -> Iterator[Delivery]:
        """Every delivery, newest first."""
        cursor = None
        while True:
            page = self._request("GET", "/v1/deliveries", query={"status": status, "limit": limit, "after": cursor})
            yield from page["deliveries"]
            cursor = page["next"]
            if cursor is None:
                return

    def change(
        self, external_delivery_id: str, *, if_match: str | None = None, key: str | None = None, **fields: Any
    ) -> Delivery:
        """Changes fields; with `if_match` (a `version`) only as long as nobody else has (raises Conflict)."""
        path = f"/v1/deliveries/{_part(external_delivery_id)}"
        return self._delivery("PATCH", path, fields, if_match=if_match, key=key)

    def cancel(self, external_delivery_id: str, reason: str = "customer") -> Delivery:
        """Calls it off; after pickup the goods return to their store."""
        return self._delivery("POST", f"/v1/deliveries/{_part(external_delivery_id)}/cancel", {"reason": reason})


class Kitchen(_Part):
    """What a kitchen does."""

    def ready(self, external_delivery_id: str, *, happened_at: datetime | None = None) -> Delivery:
        """The goods stand on the counter."""
        body = _given(happened_at=happened_at)
        return self._delivery("POST", f"/v1/deliveries/{_part(external_delivery_id)}/ready", body)

    def ready_estimate(self, external_delivery_id: str, pickup_ready_at: datetime) -> Delivery:
        """A better idea of when they will."""
        body = {"pickup_ready_at": pickup_ready_at}
        return self._delivery("POST", f"/v1/deliveries/{_part(external_delivery_id)}/ready_estimate", body)

    def queue(self, store_id: str) -> Json:
        """Open orders of a store, with when to start preparing them."""
        return self._request("GET", f"/v1/stores/{_part(store_id)}/queue")

    def token(self, store_id: str) -> Json:
        """A short-lived key for the screen in this store's kitchen."""
        return self._request("POST", f"/v1/stores/{_part(store_id)}/token", {})

    def close(self, store_id: str, *, until: datetime | None = None) -> Json:
        """The store hands out nothing (until `until`)."""
        return self._request("POST", f"/v1/stores/{_part(store_id)}/close", _given(until=until))

    def open(self, store_id: str) -> Json:
        """The store works again."""
        return self._request("POST", f"/v1/stores/{_part(store_id)}/open", {})

    def throttle(self, store_id: str, delay_s: int, *, until: datetime | None = None) -> Json:
        """Everything there takes `delay_s` longer than estimated (until `until`)."""
        body = _given(delay_s=delay_s, until=until)
        return self._request("POST", f"/v1/stores/{_part(store_id)}/throttle", body)


class Riders(_Part):
    """What a rider's app does, with the operator's key or the rider's own token."""

    def token(self, rider_id: str) -> Json:
        """A short-lived key for this rider's phone."""
        return self._request("POST", f"/v1/riders/{_part(rider_id)}/token", {})

    def start_shift(
        self, rider_id: str, *, last_pickup_at: datetime | None = None, end_at: datetime | None = None
    ) -> Json:
        """Begin a shift: the rider may be given work from now on."""
        body = _given(last_pickup_at=last_pickup_at, end_at=end_at)
        return self._request("POST", f"/v1/riders/{_part(rider_id)}/shift", body)

    def end_shift(self, rider_id: str) -> Json:
        """End the shift."""
        return self._request("POST", f"/v1/riders/{_part(rider_id)}/shift/end", {})

    def receipts(self, rider_id: str) -> Json:
        """Why this order, why not that one, and what was decided about the rider, in plain words."""
        return self._request("GET", f"/v1/riders/{_part(rider_id)}/receipts")

    def position(self, rider_id: str, lat: float, lng: float, *, seen_at: datetime | None = None) -> Json:
        """Report where the rider is."""
        body = {"location": {"lat": lat, "lng": lng}, **_given(seen_at=seen_at)}
        return self._request("POST", f"/v1/riders/{_part(rider_id)}/position", body)

    def positions(self, positions: Sequence[Mapping[str, Any]]) -> Json:
        """Up to 500 of {rider_id, location, seen_at}."""
        return self._request("POST", "/v1/positions", {"positions": list(positions)})

    def route(self, rider_id: str) -> Json:
        """Read what the rider is to do: {revision, stops}."""
        return self._request("GET", f"/v1/riders/{_part(rider_id)}/route")

    def seen(self, rider_id: str, revision: int, *, happened_at: datetime | None = None) -> Json:
        """Report that the phone has shown this revision."""
        body = {"revision": revision, **_given(happened_at=happened_at)}
        return self._request("POST", f"/v1/riders/{_part(rider_id)}/route/seen", body)

    def arrive(self, stop_id: str, *, happened_at: datetime | None = None) -> Json:
        """Report arrival at a stop."""
        return self._request("POST", f"/v1/stops/{_part(stop_id)}/arrive", _given(happened_at=happened_at))

    def complete(
        self,
        stop_id: str,
        *,
        happened_at: datetime | None = None,
        deliveries: Sequence[str] | None = None,
        pin: str | None = None,
        photo_reference: str | None = None,
    ) -> Json:
        """All that was told is done, or only `deliveries`."""
        body = _given(happened_at=happened_at, deliveries=deliveries, pin=pin, photo_reference=photo_reference)
        return self._request("POST", f"/v1/stops/{_part(stop_id)}/complete", body)

    def fail(
        self,
        stop_id: str,
        reason: str,
        *,
        happened_at: datetime | None = None,
        deliveries: Sequence[str] | None = None,
    ) -> Json:
        """It could not be done."""
        body = {"reason": reason, **_given(happened_at=happened_at, deliveries=deliveries)}
        return self._request("POST", f"/v1/stops/{_part(stop_id)}/fail", body)

    def accept(self, offer_id: str) -> Json:
        """Takes an offer whole; raises Conflict (offer_closed)."""
        return self._request("POST", f"/v1/offers/{_part(offer_id)}/accept", {})

    def decline(self, offer_id: str) -> Json:
        """Turns an offer down; it is not made again."""
        return self._request("POST", f"/v1/offers/{_part(offer_id)}/decline", {})


class Ops(_Part):
    """What operations do."""

    def status(self) -> Json:
        """How the service is."""
        return self._request("GET", "/v1/status")

    def decision(self, delivery_id: str) -> Json:
        """Why this rider, or why none now."""
        return self._request("GET", f"/v1/decisions/{_part(delivery_id)}")

    def override(self, action: str, reason: str, **names: Any) -> Json:
        """A person decides: see the service's document for actions and what each needs."""
        return self._request("POST", "/v1/overrides", {"action": action, "reason": reason, **names})

    def apart(self, rider_id: str) -> Json:
        """Whom a rider is kept apart from."""
        return self._request("GET", f"/v1/riders/{_part(rider_id)}/apart")

    def keep_apart(self, rider_id: str, reason: str, **whom: Any) -> Json:
        """A rider must not meet `store_id`, or whoever `delivery_id` is for."""
        return self._request("POST", f"/v1/riders/{_part(rider_id)}/apart", {"reason": reason, **whom})

    def end_apart(self, rider_id: str, reason: str, **whom: Any) -> Json:
        """They may meet again; `party` and `name` as `apart` lists them."""
        return self._request("POST", f"/v1/riders/{_part(rider_id)}/apart/end", {"reason": reason, **whom})

    def reverse(self, rider_id: str, number: int, reason: str) -> Json:
        """A decision about a rider is taken back; `number`: of their receipt."""
        return self._request("POST", f"/v1/riders/{_part(rider_id)}/receipts/{number}/reverse", {"reason": reason})

    def traffic(self) -> Json:
        """The travel times in force: version, reported speeds, weather, table."""
        return self._request("GET", "/v1/traffic")

    def change_traffic(
        self, *, speeds: Sequence[Json] | None = None, weather: str | None = None, table: str | None = None
    ) -> Json:
        """Other reported speeds, another weather or daily table from now on; what is not named stays."""
        return self._request("PATCH", "/v1/traffic", _given(speeds=speeds, weather=weather, table=table))

    def add_store(self, store_id: str, lat: float, lng: float, **more: Any) -> Json:
        """Lists a store, or changes it."""
        return self._request("PUT", f"/v1/stores/{_part(store_id)}", {"location": {"lat": lat, "lng": lng}, **more})

    def add_rider(self, rider_id: str, lat: float, lng: float, **more: Any) -> Json:
        """Lists a rider, or changes one."""
        return self._request("PUT", f"/v1/riders/{_part(rider_id)}", {"location": {"lat": lat, "lng": lng}, **more})

    def add_webhook(self, url: str, kinds: Sequence[str] = ()) -> Json:
        """Registers a receiver; the answer holds its signing secret."""
        return self._request("POST", "/v1/webhooks", {"url": url, "kinds": list(kinds)})


def _part(text: str) -> str:
    return quote(text, safe="")


def _given(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
