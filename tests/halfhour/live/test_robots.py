"""Robots live a small day against a real service: everything placed ends, as the simulator would have it."""

from __future__ import annotations

import random
from pathlib import Path

import httpx
import pytest

from dispatch.inputs import OrderPlaced, StoreClosed
from dispatch.model import Engagement, Order, Rider, Shift, Store
from dispatch.record.catalogue import Catalogue
from dispatch.record.travel_spec import StraightSpec
from halfhour.robots import Robots, moved_to
from routing.places import PlaceBook
from sim.scenario import Demand, Reality, Scenario
from tests.kit.service.running import order, running
from tests.kit.service.serving import serving
from tests.kit.service.stepped import SteppedClock, SteppedRobots

pytestmark = pytest.mark.anyio
SPEED = 120.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def small_day(orders: int = 8, riders: int = 4, *, crowd: int = 1, seed: int = 3) -> Scenario:
    """Two stores, a few riders beside them, an order every 20 seconds."""
    draw = random.Random(seed)
    places = PlaceBook("wgs84")

    def near(metres: float) -> int:
        return places.add(
            48.137 + draw.uniform(-metres, metres) / 111_195, 11.575 + draw.uniform(-metres, metres) / 74_000,
            enter_s=60, exit_s=30,
        )  # fmt: skip

    stores = tuple(Store(f"store {k}", near(500)) for k in range(2))
    crew = tuple(
        Rider(f"rider/{k}", near(600), engagement=Engagement.CROWD if k < crowd else Engagement.EMPLOYED)
        for k in range(riders)
    )
    shifts = tuple(Shift(rider.rider_id, 1000, 1000 + 7200, 1000 + 7500) for rider in crew)
    demand = tuple(
        Demand(
            Order(
                f"o {k}", stores[k % 2].store_id, near(1200), placed_at=1060 + 20 * k,
                expected_ready_at=1360 + 20 * k, due_at=2860 + 20 * k,
            ),
            ready_at=1360 + 20 * k,
            cancelled_at=1100 + 20 * k if k == 5 else None,
        )
        for k in range(orders)
    )  # fmt: skip
    catalogue = Catalogue("small", 1000, places, stores, crew, shifts, StraightSpec({"default": 250.0}, detour=1.3))
    return Scenario(catalogue, demand, Reality(decline_share=0.3))


def test_a_moved_day_is_the_same_day_with_ids_that_the_wire_takes() -> None:
    day = small_day()
    moved = moved_to(day, 5000, "x-")
    assert moved.catalogue.begin_at == 5000
    assert [one.order.placed_at - 4000 for one in moved.demand] == [one.order.placed_at for one in day.demand]
    assert [one.ready_at - 4000 for one in moved.demand] == [one.ready_at for one in day.demand]
    assert moved.demand[0].order.order_id == "x-o-0" and moved.demand[0].order.store_id == "store-0"
    assert moved.demand[5].cancelled_at == 5200 and moved.demand[4].cancelled_at is None
    assert moved.catalogue.shifts[0] == Shift("rider-0", 5000, 12200, 12500)
    assert moved.catalogue.places is not day.catalogue.places
    news = moved_to(Scenario(day.catalogue, (), news=(StoreClosed(at=1500, store_id="store 1", until=1800),)), 5000, "")
    assert news.news == (StoreClosed(at=5500, store_id="store-1", until=5800),)


async def test_a_day_of_robots_ends_with_every_order_delivered_or_cancelled(tmp_path: Path) -> None:
    day = small_day()
    engine = {"rules.route_ack_timeout_s": 600, "rules.stale_s": 0, "rules.lost_after_s": 0}
    async with running(tmp_path, speed=SPEED, engine=engine) as run, serving(run.app) as url:
        tally = await Robots(url, run.keys["admin"], day, speed=SPEED, prefix="t-", clock=run.clock.exact).run()
        assert tally.placed == 8
        assert sum(tally.ended.values()) == 8, (tally, await _open(run))
        assert tally.ended["delivered"] >= 7
        entries = [entry for entry in run.ledger.entries() if entry.input["kind"] == OrderPlaced.__name__]
        assert len(entries) == 8


async def test_an_order_that_somebody_else_places_is_carried_too(tmp_path: Path) -> None:
    day, clock = small_day(orders=6, crowd=0), SteppedClock()
    engine = {"rules.route_ack_timeout_s": 600, "rules.stale_s": 0, "rules.lost_after_s": 0}
    async with running(tmp_path, clock=clock, engine=engine) as run, serving(run.app) as url:

        class Neighbours(SteppedRobots):
            async def _live(self) -> None:
                """Before the day begins somebody else hands over an order."""
                body = order("mine") | {"pickup_store_id": "store-1", "proof_of_delivery": "pin"}
                made = await run.orders.post("/v1/deliveries", json=body)
                assert made.status_code == 201, made.text
                await run.orders.post("/v1/deliveries/mine/ready")
                await super()._live()

        tally = await Neighbours(run, clock, url, run.keys["admin"], day, prefix="t-").run()
        assert sum(tally.ended.values()) == 6, tally
        mine = (await run.orders.get("/v1/deliveries/mine")).json()
        assert (mine["status"], mine["proof"]) == ("delivered", {"kind": "pin"})


async def test_a_service_that_is_away_is_counted_and_life_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("halfhour.robots.city._PATIENCE_S", 0.0)

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    robots = Robots("http://test", "hh_key", small_day(), transport=httpx.MockTransport(away))
    assert await robots._try("POST", "/v1/positions", {}) is None
    assert robots._failures["no answer"] == 1


async def _open(run: object) -> object:
    answer = await run.ops.get("/v1/deliveries")  # type: ignore[attr-defined]
    return [(one["external_delivery_id"], one["status"], one["waiting_because"]) for one in answer.json()["deliveries"]]
