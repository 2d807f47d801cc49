"""A service that travels by somebody's matrix: asked as places come into play, kept, and straight lines meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from api.matrix.kept import HEAD
from dispatch.codec import decode_input
from dispatch.inputs import RoundSolved, TravelChanged
from halfhour.live.live_export import export
from routing.asked_travel import AskedTravel
from routing.cells import centre_of
from sim.sources import open_scenario
from tests.api.http.routes.test_deliveries import QUICK, deliver
from tests.kit.service.loops import in_a_loop
from tests.kit.service.running import DROP, Running, order, planned, running, with_city
from tests.kit.service.travel_service import TravelService, seconds, travel_service


def travelling(service: TravelService, **more: Any) -> dict[str, Any]:
    return {
        "kind": "http", "form": "osrm", "url": service.url, "profiles": {"default": "bike"}, "detour": 1.3,
        "metres_per_minute": {"default": 250.0}, "timeout_s": 0.5, **more,
    }  # fmt: skip


def figure(run: Running, name: str, **labels: str) -> float:
    return run.host.metrics.registry.get_sample_value(name, labels) or 0.0


def leg_s(times: AskedTravel, here: int, there: int) -> int:
    one, other = np.array([here], dtype=np.int32), np.array([there], dtype=np.int32)
    return int(times.table(one, other, 0)[0, 0, 0])


def said_s(times: AskedTravel, here: int, there: int) -> int:
    """Seconds between two places by the stand-in's own reckoning."""
    cells = times.cells(np.array([here, there], dtype=np.int32)).tolist()
    a, b = ((round(lat, 6), round(lng, 6)) for lat, lng in map(centre_of, cells))
    found = seconds(a, b)
    assert found is not None
    return round(found)


async def known(run: Running) -> bool:
    return figure(run, "halfhour_matrix_straight") == 0 and len(run.host.times.answers.cells) > 0


@in_a_loop
async def test_routes_travel_by_the_service_and_a_restart_remembers(tmp_path: Path) -> None:
    with travel_service() as service:
        async with running(tmp_path / "ledger", speed=20, travel=travelling(service), **QUICK) as run:
            await with_city(run)
            await run.until(lambda: known(run))
            await run.orders.post("/v1/deliveries", json=order(pickup_ready_at=run.clock.soon()))
            await planned(run)
            drop = run.host.board.orders["acme.o1"].order.drop_place
            store = run.host.board.stores["s1"].store.place
            await run.until(lambda: leg_s(run.host.times, store, drop) == said_s(run.host.times, store, drop))
            await run.until(lambda: known(run))
            await deliver(run, "o1")
            stops = [stop for stop in run.host.board.riders["r1"].route.stops if stop.place == drop]
            assert not stops
            assert figure(run, "halfhour_matrix_ways_total") == service.ways
            asked, digest, version = service.requests, run.host.times.digest, run.host.board.travel_version
            told = [decode_input(entry.input) for entry in run.ledger.entries()]
            changes = [item for item in told if isinstance(item, TravelChanged)]
            assert [item.version for item in changes] == list(range(1, version + 1)) and changes[-1].digest == digest
            assert any(isinstance(item, RoundSolved) for item in told)
            assert run.ledger.value(HEAD)["blocks"] == version - 1
        async with running(tmp_path / "ledger", speed=20, travel=travelling(service), **QUICK) as run:
            assert run.host.times.digest == digest == run.host.board.travel_digest
            await run.until(lambda: run.host.rounds.solver.held)
            assert run.host.board.travel_version == version and service.requests == asked
    # The day that is exported holds the answers: replayed without the service, it sees the same times.
    export(tmp_path / "ledger", tmp_path / "day", exact=True)
    day = open_scenario(tmp_path / "day")
    times = day.catalogue.travel.bind(day.catalogue.places)
    assert isinstance(times, AskedTravel)
    store, drop = day.catalogue.stores[0].place, day.demand[0].order.drop_place
    assert leg_s(times, store, drop) == said_s(times, store, drop)


@in_a_loop
async def test_a_quote_asks_for_its_door(tmp_path: Path) -> None:
    with travel_service() as service:
        async with running(tmp_path, travel=travelling(service), **QUICK) as run:
            await with_city(run)
            await run.until(lambda: known(run))
            before = service.requests
            found = await run.orders.post("/v1/quotes", json=order())
            assert found.status_code == 200, found.text
            await run.until(lambda: service.requests > before)
            await run.until(lambda: known(run))
            run.host.looked_at(*DROP["location"].values())  # type: ignore[attr-defined]
            times, store = run.host.times, run.host.board.stores["s1"].store.place
            assert leg_s(times, store, run.host._scratch) == said_s(times, store, run.host._scratch)


@in_a_loop
async def test_while_the_service_fails_everything_goes_on_by_straight_lines(tmp_path: Path) -> None:
    with travel_service(behaviour="500") as service:
        async with running(tmp_path, speed=20, travel=travelling(service), **QUICK) as run:
            await with_city(run)
            await run.until(lambda: figure(run, "halfhour_matrix_paused") == 1)
            assert figure(run, "halfhour_matrix_requests_total", end="gone") == 3 == service.requests
            await run.orders.post("/v1/deliveries", json=order(pickup_ready_at=run.clock.soon()))
            await planned(run)
            assert figure(run, "halfhour_matrix_straight") > 0
            await deliver(run, "o1")
            assert run.host.board.travel_version == 1 and run.host.rounds.fallbacks == {}


@in_a_loop
async def test_no_more_is_asked_than_may_be(tmp_path: Path) -> None:
    with travel_service() as service:
        travel = travelling(service, most_per_minute=1)
        async with running(tmp_path, travel=travel, **QUICK) as run:
            await with_city(run)
            await run.until(lambda: service.ways > 0)
            await run.orders.post("/v1/deliveries", json=order())
            await run.until(lambda: figure(run, "halfhour_matrix_requests_total", end="saved") > 2)
            assert service.requests == 1 and figure(run, "halfhour_matrix_straight") > 0


@in_a_loop
async def test_cells_out_of_play_are_forgotten_where_there_are_too_many(tmp_path: Path) -> None:
    with travel_service() as service:
        travel = travelling(service, most_cells=16)
        async with running(tmp_path, travel=travel, **QUICK) as run:
            await with_city(run)
            for k in range(18):
                where = {"lat": 48.15 + k / 1000, "lng": 11.58}
                await run.orders.post("/v1/quotes", json=order(dropoff=DROP | {"location": where}))
            run.service.travel_answers._quoted.clear()
            await run.until(lambda: len(run.host.times.answers.cells) >= 10)
            await run.until(lambda: figure(run, "halfhour_matrix_straight") == 0)
            assert len(run.host.times.answers.cells) <= 20
            digest = run.host.times.digest
        async with running(tmp_path, travel=travel, **QUICK) as run:
            assert run.host.times.digest == digest


@in_a_loop
async def test_a_ledger_forgets_answers_of_another_service(tmp_path: Path) -> None:
    with travel_service() as service, travel_service() as other:
        async with running(tmp_path, travel=travelling(service), **QUICK) as run:
            await with_city(run)
            await run.until(lambda: known(run))
        async with running(tmp_path, travel=travelling(other), **QUICK) as run:
            await run.until(lambda: known(run))
            assert other.requests


@in_a_loop
async def test_a_city_of_more_cells_than_may_be_remembered_goes_on_by_straight_lines(tmp_path: Path) -> None:
    with travel_service() as service:
        async with running(tmp_path, travel=travelling(service, most_cells=16), **QUICK) as run:
            await with_city(run)
            for k in range(12):
                where = {"lat": 48.15 + k / 1000, "lng": 11.58}
                await run.orders.post("/v1/quotes", json=order(dropoff=DROP | {"location": where}))
            await run.until(lambda: service.ways >= 64 and figure(run, "halfhour_matrix_straight") > 0)
            await run.orders.post("/v1/deliveries", json=order())
            await planned(run)
            assert len(run.host.times.answers.cells) <= 16 and run.host.rounds.fallbacks == {}
