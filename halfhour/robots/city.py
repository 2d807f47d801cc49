"""Simulated riders, kitchens and customers of a live service: the simulator's City behind HTTP.

The City lives by the service's clock.  What its riders, kitchens and customers do leaves as requests, each rider's in
their order; what the service tells them comes back as events of its stream.  A scenario is first moved to now and its
ids made fit for the wire.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import httpx

from dispatch import inputs as i
from dispatch.board.records import FOR_EVER
from dispatch.events import GoodsMoved, OfferMade, RiderDone, RouteRevised, StoreStateSet
from dispatch.model import Act, ActKind, Level, Offer, Order, Route, Stop
from halfhour.client.errors import ApiError, Busy, CursorGone, error_of
from halfhour.robots.day import moved_to
from halfhour.robots.words import (
    Json,
    act_kind,
    epoch,
    in_frame,
    instants,
    location,
    on_globe,
    order_body,
    path_of,
    proof_of,
    rider_body,
    shift_body,
    stop_report,
)
from sim.heap import EventHeap
from sim.scenario import Scenario
from sim.world.city import City
from sim.world.luck import Luck

__all__ = ["Robots", "Tally"]

AFTERMATH_S = 3600
"""Goods still under way after the last instant of work are waited for this long."""
_PATIENCE_S = 60.0
_FLUSH_S = 0.5
_FINAL = ("delivery.delivered", "delivery.cancelled", "delivery.undelivered", "delivery.returned")


class Tally(NamedTuple):
    """What has become of a day: orders placed, refused and ended by how, and requests that failed, by code."""

    placed: int
    ended: dict[str, int]
    failures: dict[str, int]


class Robots:
    """One scenario lived against one service."""

    def __init__(
        self,
        url: str,
        key: str,
        scenario: Scenario,
        *,
        speed: float = 1.0,
        seed: int = 1,
        prefix: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] | None = None,
        whole_day: bool = False,
    ) -> None:
        """`clock`: seconds that pass as the service's do (None: this machine's, times `speed`).

        `whole_day`: live on until the last shift takes no more goods, as a replay does; riders drive empty until then.
        """
        self._clock = clock or (lambda: time.monotonic() * speed)
        self._given, self._speed, self._seed, self._whole_day = scenario, speed, seed, whole_day
        self._prefix = prefix or f"r{uuid.uuid4().hex[:6]}-"
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30.0, transport=transport
        )
        self._heap = EventHeap()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._open: set[str] = set()
        self._without_acts: set[str] = set()
        """Stops shown that have nothing to do, or not yet."""
        self._wire_ids: dict[str, str] = {}
        self._proofs: dict[str, Json] = {}
        self._cursor: str | None = None
        self._placed = 0
        self._ended: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._zero: tuple[float, float] = (0.0, 0.0)
        self._places_of: dict[tuple[float, float], int] = {}
        self._news = asyncio.Event()
        self._listening = asyncio.Event()
        """Set once the service's events reach us: what it said before would be missed."""

    def now(self) -> int:
        """The service's clock."""
        server, local = self._zero
        return int(server + self._clock() - local)

    async def run(self) -> Tally:
        """Lists stores and riders, then lives the day to its end."""
        try:
            await self._meet()
            self.scenario = moved_to(self._given, self.now() + 2, self._prefix)
            catalogue = self.scenario.catalogue
            self._stores = {store.store_id: store.place for store in catalogue.stores}
            self._orders = {one.order.order_id: one.order for one in self.scenario.demand}
            self._city = City(self.scenario, catalogue.travel.bind(catalogue.places), Luck(self._seed), self._heap)
            self._riders = {rider.rider_id for rider in catalogue.riders}
            await self._list_all()
            self._load()
            async with asyncio.TaskGroup() as group:
                helpers = [group.create_task(work) for work in (self._listen(), self._send_positions())]
                await self._listening.wait()
                await self._live()
                for helper in helpers:
                    helper.cancel()
            await asyncio.gather(*self._lanes.values())
        finally:
            await self._http.aclose()
        return Tally(self._placed, dict(self._ended), dict(self._failures))

    # --- beginning ----------------------------------------------------------------------------------------------

    async def _meet(self) -> None:
        status = await self._call("GET", "/v1/status")
        self._zero = (epoch(status["now"]) or 0, self._clock())

    async def _list_all(self) -> None:
        catalogue, places = self.scenario.catalogue, self.scenario.catalogue.places
        for store in catalogue.stores:
            body: Json = {"location": location(places, store.place), "mean_ready_s": store.mean_ready_s}
            body |= {"enter_s": int(places.enter_s[store.place]), "exit_s": int(places.exit_s[store.place])}
            await self._call("PUT", path_of("stores", store.store_id), body)
        for rider in catalogue.riders:
            await self._call("PUT", path_of("riders", rider.rider_id), rider_body(rider, places))
        for shift in catalogue.shifts:
            # Who is on duty already, from an earlier day, may stay.
            await self._try("POST", path_of("riders", shift.rider_id, "shift"), shift_body(shift))

    def _load(self) -> None:
        """Puts on the heap what happens whatever is decided."""
        for one in self.scenario.demand:
            self._heap.say(i.OrderPlaced(at=one.order.placed_at, order=one.order))
            if one.cancelled_at is not None:
                self._heap.say(i.OrderCancelled(at=one.cancelled_at, order_id=one.order.order_id))
        for item in self.scenario.news:
            self._heap.say(item)
        self._city.begin(report_ready=True)

    # --- living -------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        """What is due happens; between, sleep until the next instant or until the service says something."""
        while not self._is_over():
            now = self.now()
            self._happen(now)
            self._news.clear()
            next_at = self._heap.next_at
            wait_s = 1.0 if next_at is None else min(1.0, max(0.0, (next_at - now) / self._speed))
            try:
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            except TimeoutError:
                pass

    def _happen(self, now: int) -> None:
        """Everything that is due by `now`."""
        while (next_at := self._heap.next_at) is not None and next_at <= now:
            self._happen_once()

    def _happen_once(self) -> None:
        """What is due first."""
        at, what = self._heap.pop()
        if isinstance(what, i.Input):
            self._tell(what)
        else:
            what(at)

    def _is_over(self) -> bool:
        """True once every order has been placed and has ended, or has been waited for long enough."""
        is_done = self._placed == len(self.scenario.demand) and not self._open
        if self._whole_day:
            is_done &= self.now() > self.scenario.ends_at and self._heap.next_at is None
        return is_done or self.now() > self.scenario.ends_at + AFTERMATH_S

    def _tell(self, item: i.Input) -> None:
        """An input of the simulator as a request of a phone, a kitchen or an order system."""
        match item:
            case i.OrderPlaced(order=order):
                self._placed += 1
                self._open.add(order.order_id)
                catalogue = self.scenario.catalogue
                tells_ready = catalogue.settings.rules.ready_times == "exact"
                body = order_body(order, catalogue.places, tells_ready=tells_ready)
                self._send(order.order_id, path_of("deliveries"), body)
            case i.OrderCancelled(order_id=order_id, reason=reason):
                self._send(order_id, path_of("deliveries", order_id, "cancel"), {"reason": reason})
            case i.OrderReady(order_id=order_id, happened_at=happened_at):
                self._send(order_id, path_of("deliveries", order_id, "ready"), instants(happened_at=happened_at))
            case i.StopArrived(rider_id=rider_id, stop_id=stop_id) if stop_id in self._without_acts:
                report = stop_report(item, self._wire_ids, self._proofs)
                self._send(rider_id, *report, then=lambda: self._look_again(rider_id, stop_id))
            case i.StopArrived() | i.StopCompleted() | i.StopFailed():
                self._send(item.rider_id, *stop_report(item, self._wire_ids, self._proofs))
            case i.RouteSeen(rider_id=rider_id, revision=revision, happened_at=happened_at):
                body = {"revision": revision, **instants(happened_at=happened_at)}
                self._send(rider_id, path_of("riders", rider_id, "route", "seen"), body)
            case i.OfferAccepted(rider_id=rider_id, offer_id=offer_id):
                self._send(rider_id, path_of("offers", offer_id, "accept"), {})
            case i.OfferDeclined(rider_id=rider_id, offer_id=offer_id):
                self._send(rider_id, path_of("offers", offer_id, "decline"), {})
            case i.ShiftEnded(rider_id=rider_id):
                self._send(rider_id, path_of("riders", rider_id, "shift", "end"), {})
            case i.StoreClosed(store_id=store_id, until=until):
                self._send(store_id, path_of("stores", store_id, "close"), instants(until=until))
            case i.StoreOpened(store_id=store_id):
                self._send(store_id, path_of("stores", store_id, "open"), {})
            case _:
                self._failures[f"not sent: {type(item).__name__}"] += 1

    async def _send_positions(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_S)
            await self._flush_positions()

    async def _flush_positions(self) -> None:
        places = self.scenario.catalogue.places
        seen, self._city.positions = list(self._city.positions.values()), {}
        for start in range(0, len(seen), 500):
            batch = [
                {
                    "rider_id": one.rider_id,
                    "location": on_globe(places, one.first, one.second),
                    **instants(seen_at=one.seen_at),
                }
                for one in seen[start : start + 500]
            ]
            await self._try("POST", path_of("positions"), {"positions": batch})

    # --- listening ----------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """The service's events, from where it stood when we came; the line may break."""
        while True:
            try:
                async for event in self._events():
                    self._cursor = event["cursor"]
                    await self._hear(event["kind"], event["data"])
                    self._news.set()
            except (httpx.TransportError, Busy):
                pass
            except CursorGone as gone:  # robots know the city as they left it, and hear what comes from now on
                self._cursor = gone.next
            await asyncio.sleep(0.5)

    async def _events(self) -> AsyncIterator[Json]:
        timeout = httpx.Timeout(10.0, read=40.0)
        headers = {} if self._cursor is None else {"Last-Event-ID": self._cursor}
        async with self._http.stream("GET", "/v1/stream", headers=headers, timeout=timeout) as answer:
            if not answer.is_success:
                await answer.aread()
                raise error_of(answer)
            self._listening.set()
            numbered = False
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    numbered = True
                elif line.startswith("data: ") and numbered:
                    yield json.loads(line[6:])
                elif not line:
                    numbered = False

    async def _hear(self, kind: str, data: Mapping[str, Any]) -> None:
        at = self.now()
        if kind == "rider.route" and data["rider_id"] in self._riders:
            shown = await self._try("GET", path_of("riders", data["rider_id"], "route"))
            if shown is not None:
                await self._meet_strangers(shown)
                self._city.hear([RouteRevised(at=at, route=self._route(shown), told=True)], self.now())
        elif kind == "rider.offer" and data["rider_id"] in self._riders:
            expires_at = epoch(data["expires_at"]) or at
            orders = tuple(self._own_id(delivery_id) for delivery_id in data["deliveries"])
            offer = Offer(data["offer_id"], data["rider_id"], orders, expires_at)
            self._city.hear([OfferMade(at=at, offer=offer)], at)
        elif kind == "store.state" and data["store_id"] in self._stores:
            until = (epoch(data["closed_until"]) or FOR_EVER) if data["closed"] else None
            event = StoreStateSet(at=at, store_id=data["store_id"], closed_until=until, delay_s=data["delay_s"])
            self._city.hear([event], at)
        elif kind == "delivery.goods_moved" and data["external_delivery_id"] in self._orders:
            self._city.hear([GoodsMoved(at=at, order_id=data["external_delivery_id"], place=0, reason="")], at)
        elif kind in _FINAL and data["external_delivery_id"] in self._open:
            self._open.discard(data["external_delivery_id"])
            self._ended[kind.partition(".")[2]] += 1

    async def _look_again(self, rider_id: str, stop_id: str) -> None:
        """At a stop without acts: where something follows it is done on arrival, and no longer on the route."""
        shown = await self._try("GET", path_of("riders", rider_id, "route"))
        if shown is not None and all(stop["stop_id"] != stop_id for stop in shown["stops"]):
            at = self.now()
            self._city.hear([RiderDone(at=at, rider_id=rider_id, stop_id=stop_id, place=0, free_at=at)], at)

    async def _meet_strangers(self, shown: Mapping[str, Any]) -> None:
        """Orders on a route that somebody else has placed: they are carried as well, and their customers open."""
        picked: set[str] = set()
        for act in (act for stop in shown["stops"] for act in stop["acts"]):
            own = self._own_id(act["delivery_id"])
            if own not in self._orders:
                found = await self._try("GET", path_of("deliveries", act["delivery_id"]))
                if found is not None and found["dropoff"] is not None:
                    self._orders[own] = order = self._stranger(own, found)
                    self._proofs[own] = proof_of(found)
                    is_carried = act["kind"] != "pickup" and own not in picked
                    ready_at = epoch(found["ready_at"]) or order.expected_ready_at
                    self._city.adopt(order, ready_at, shown["rider_id"] if is_carried else None)
            if act["kind"] == "pickup":
                picked.add(own)

    def _stranger(self, own: str, found: Mapping[str, Any]) -> Order:
        places, at = self.scenario.catalogue.places, self.now()
        drop = found["dropoff"]["location"]  # erased only once it has ended
        place = places.add(*in_frame(places, drop["lat"], drop["lng"]))
        ready_at, due_at = epoch(found["expected_ready_at"]) or at, epoch(found["due_at"]) or at
        return Order(own, found["pickup_store_id"], place, epoch(found["created_at"]) or at, ready_at, due_at)

    def _route(self, shown: Mapping[str, Any]) -> Route:
        stops = tuple(
            Stop(
                stop_id=stop["stop_id"],
                place=self._place_of(stop),
                store_id=stop["store_id"],
                level=Level.TOLD,
                acts=self._acts(stop),
                leg_s=stop["leg_s"],
                leg_m=0,
                expected_arrive_at=epoch(stop["expected_arrive_at"]) or 0,
                expected_act_at=epoch(stop["expected_act_at"]) or 0,
                expected_leave_at=epoch(stop["expected_leave_at"]) or 0,
            )
            for stop in shown["stops"]
        )
        self._without_acts.difference_update(stop.stop_id for stop in stops)
        self._without_acts.update(stop["stop_id"] for stop in shown["stops"] if not stop["acts"])
        return Route(shown["rider_id"], shown["revision"], stops)

    def _acts(self, stop: Mapping[str, Any]) -> tuple[Act, ...]:
        """What is told at a stop, and what is only planned there: robots do nothing about that."""
        told = [Act(self._own_id(act["delivery_id"]), act_kind(act["kind"]), Level.TOLD) for act in stop["acts"]]
        bags = stop.get("planned", ())
        return *told, *(Act(self._own_id(bag["delivery_id"]), ActKind.PICKUP, Level.TENTATIVE) for bag in bags)

    def _own_id(self, delivery_id: str) -> str:
        """The scenario's id of a delivery: what we handed over, without the tenant in front."""
        own = delivery_id.partition(".")[2]
        self._wire_ids.setdefault(own, delivery_id)
        return own

    def _place_of(self, stop: Mapping[str, Any]) -> int:
        """The City's own handle for a stop: matrices and snaps hang on it."""
        if stop["store_id"] in self._stores:
            return self._stores[stop["store_id"]]
        for act in stop["acts"]:
            order = self._orders.get(self._own_id(act["delivery_id"]))
            if act["kind"] == "drop" and order is not None:
                return order.drop_place
        places = self.scenario.catalogue.places
        where = (stop["location"]["lat"], stop["location"]["lng"])
        if where not in self._places_of:
            self._places_of[where] = places.add(*in_frame(places, *where))
        return self._places_of[where]

    # --- sending ------------------------------------------------------------------------------------------------

    def _send(
        self, lane: str, path: str, body: Mapping[str, Any], then: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Sends when everything before it in its lane has been answered; `then` follows the answer in the lane."""
        before = self._lanes.get(lane)

        async def in_turn() -> None:
            if before is not None:
                await before
            if await self._try("POST", path, body) is None and path == path_of("deliveries"):
                self._open.discard(lane)
            if then is not None:
                await then()

        self._lanes[lane] = asyncio.create_task(in_turn())

    async def _try(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer, or None where the service refused or was away for long: that is counted, and life goes on."""
        try:
            return await self._call(method, path, body)
        except ApiError as refused:
            self._failures[refused.code] += 1
        except httpx.TransportError:
            self._failures["no answer"] += 1
        return None

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request, repeated with the same key while the service is busy or away."""
        headers = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        began, attempt = time.monotonic(), 0
        while True:
            attempt += 1
            try:
                answer = await self._http.request(method, path, json=body, headers=headers)
                if answer.is_success:
                    return answer.json() if answer.content else None
                problem: Exception = error_of(answer)
            except httpx.TransportError as error:
                problem = error
            if isinstance(problem, ApiError) and not isinstance(problem, Busy):
                raise problem
            if time.monotonic() - began > _PATIENCE_S:
                raise problem
            self._failures["repeated"] += 1
            asked_s = problem.retry_after_s if isinstance(problem, ApiError) else 0.0
            await asyncio.sleep(max(asked_s, min(2.0, 0.05 * 2**attempt)) * (0.75 + random.random() / 2))
