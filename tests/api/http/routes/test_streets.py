"""A live service on streets: one table for quotes, plans and receipts, its board's map, its solver's process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.config import read_config
from api.ledger.recovery import recover
from api.solver.process import Solver
from api.solver.travel_state import TravelState
from dispatch.board.board import Board
from dispatch.model import LastMetres
from dispatch.record.travel_spec import RoadsSpec
from halfhour.live.live_export import export
from routing.errors import UnreadableFile
from routing.roads import RoadNetwork
from sim.invent.city_plan import plan_city
from sim.invent.ground import streets_of
from sim.sources.folder import read
from tests.api.http.routes.test_deliveries import QUICK, deliver
from tests.kit.roads.streetmap import StreetMap
from tests.kit.service.running import running

HOME = {"highway": "residential"}
TRAVEL = {"kind": "roads", "profiles": {"default": "scooter"}}


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """The city file of a small invented town."""
    file = tmp_path / "town.npz"
    streets_of(plan_city(3, width_m=1_500, height_m=1_500)).save(file)
    return file


def at(city: Path, node: int) -> dict[str, float]:
    lat, lng = RoadNetwork.load(city).latlng[node].tolist()
    return {"lat": lat, "lng": lng}


def test_quote_plan_and_receipt_tell_the_times_of_one_table(city: Path, tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path / "ledger", speed=20, travel=TRAVEL | {"file": str(city)}, **QUICK) as run:
            board = run.host.board
            assert (board.travel_version, board.travel_digest) == (run.host.times.version, run.host.times.digest)
            assert board.profiles == ("default",)
            await run.ops.put("/v1/stores/s1", json={"location": at(city, 0), "mean_ready_s": 0})
            await run.riders.put("/v1/riders/r1", json={"location": at(city, 20)})
            await run.riders.post("/v1/riders/r1/shift")
            body = {"external_delivery_id": "o1", "pickup_store_id": "s1", "dropoff": {"location": at(city, 7)}}
            quoted = (await run.orders.post("/v1/quotes", json=body)).json()
            made = await run.orders.post("/v1/quotes/o1/accept", json={"quote_id": quoted["quote_id"]})
            assert made.status_code == 201, made.text

            def told() -> Any:
                stops = board.riders["r1"].route.stops
                return stops if any(act.order_id for stop in stops for act in stop.acts) else None

            pickup, drop = await run.until(told, most_s=60)
            network, times = run.host.times.network, run.host.times
            legs = [[20, 0], [0, 7]]
            for stop, (here, there) in zip((pickup, drop), legs, strict=True):
                exact = network.travel_ms([here], [there], profile="scooter")[0, 0]
                assert stop.leg_s == round(exact / 1000)
            assert times.profiles == ("default",)
            # The quote adds up the same legs: stops take no time here.
            apart = seconds(quoted["dropoff_at"]) - seconds(quoted["pickup_at"])
            assert drop.expected_act_at - pickup.expected_act_at == drop.leg_s == apart
            # The receipt is given when the order is told for good, by a plan on the same legs.
            await deliver(run, "o1", upto="picked_up")
            receipt = (await run.orders.get("/v1/decisions/o1")).json()
            assert receipt["rider_id"] == "r1"
            (last,) = board.riders["r1"].route.stops
            assert last.leg_s == drop.leg_s
            assert board.travel_version == times.version

    asyncio.run(go())


def drawn_city(folder: Path) -> tuple[dict[str, Any], Callable[[str], dict[str, float]]]:
    """Travel on two streets with three links between them, and where a name of the drawing lies."""
    picture = StreetMap("\n".join(["A B C", "D E F"]), [(way, HOME) for way in ("ABC", "DEF", "AD", "BE", "CF")])
    file = folder / "drawn.npz"
    RoadNetwork.from_osm(picture.write(folder / "drawn.osm"), profiles=("car",)).save(file)

    def spot(name: str) -> dict[str, float]:
        return dict(zip(("lat", "lng"), picture.at(name), strict=True))

    return {"kind": "roads", "file": str(file), "profiles": {"default": "car"}}, spot


def test_quote_delivery_and_receipt_tell_what_is_walked(tmp_path: Path) -> None:
    travel, spot = drawn_city(tmp_path)

    async def go() -> None:
        async with running(tmp_path / "ledger", speed=20, travel=travel, **QUICK) as run:
            await run.ops.put("/v1/stores/s1", json={"location": spot("A-B:40+25"), "mean_ready_s": 0})
            await run.riders.put("/v1/riders/r1", json={"location": spot("D-E:50")})
            await run.riders.post("/v1/riders/r1/shift")
            body = {"external_delivery_id": "o1", "pickup_store_id": "s1", "dropoff": {"location": spot("B-C:60+40")}}
            quoted = (await run.orders.post("/v1/quotes", json=body)).json()
            # 25 m and 40 m at 5 km/h: 18 s and 28.8 s.
            walked = {"pickup_s": 18, "pickup_m": 25, "dropoff_s": 29, "dropoff_m": 40}
            assert quoted["last_metres"] == walked
            assert (await run.orders.post("/v1/deliveries", json=body)).json()["last_metres"] is None
            await deliver(run, "o1", upto="picked_up")
            assert (await run.orders.get("/v1/decisions/o1")).json()["last_metres"] == walked
            assert (await run.orders.get("/v1/deliveries/o1")).json()["last_metres"] == walked
            route = (await run.riders.get("/v1/riders/r1/route")).json()
            assert [(stop["walk_s"], stop["walk_m"]) for stop in route["stops"]] == [(29, 40)]
            again = Board.load(run.host.board.places, json.loads(json.dumps(run.host.board.dump())))
            assert again.orders["acme.o1"].last_metres == LastMetres(18, 25, 29, 40)

    asyncio.run(go())


def test_access_points_of_stores_and_doors_win_and_are_kept(tmp_path: Path) -> None:
    travel, spot = drawn_city(tmp_path)
    # Both lie 30 m from the northern street; their bays lie at the southern one, 70 m away.
    store = {"location": spot("A-B:40+-30"), "access": spot("D-E:40"), "mean_ready_s": 0}
    drop = {"location": spot("B-C:60+-30"), "access": spot("E-F:60")}
    walked = {"pickup_s": 50, "pickup_m": 70, "dropoff_s": 50, "dropoff_m": 70}

    async def go() -> None:
        async with running(tmp_path / "ledger", speed=20, travel=travel, **QUICK) as run:
            shown = (await run.ops.put("/v1/stores/s1", json=store)).json()
            assert shown["access"] == store["access"]
            place = run.host.board.stores["s1"].store.place
            assert (await run.ops.put("/v1/stores/s1", json=store)).status_code == 200
            assert run.host.board.stores["s1"].store.place == place
            await run.riders.put("/v1/riders/r1", json={"location": spot("A-D:50")})
            await run.riders.post("/v1/riders/r1/shift")
            body = {"external_delivery_id": "o1", "pickup_store_id": "s1", "dropoff": drop}
            assert (await run.orders.post("/v1/quotes", json=body)).json()["last_metres"] == walked
            made = (await run.orders.post("/v1/deliveries", json=body)).json()
            assert made["dropoff"]["access"] == drop["access"]
            far = body | {"dropoff": drop | {"access": {"lat": 0.5, "lng": 20.0}}}
            refused = (await run.orders.post("/v1/quotes", json=far)).json()
            assert (refused["code"], refused["field_errors"][0]["field"]) == ("far_access", "dropoff.access")
            refused = (await run.ops.put("/v1/stores/s2", json=store | {"access": {"lat": 0.5, "lng": 20.0}})).json()
            assert (refused["code"], refused["field_errors"][0]["field"]) == ("far_access", "access")
            # A bay that moves is another place; without one it is the nearest street again.
            moved = {"dropoff": {"location": drop["location"]}}
            before = run.host.board.orders["acme.o1"].order.drop_place
            assert (await run.orders.patch("/v1/deliveries/o1", json=moved)).json()["dropoff"]["access"] is None
            after = run.host.board.orders["acme.o1"].order.drop_place
            places = run.host.board.places
            assert before != after and places.access_of(after) is None
            await run.orders.patch("/v1/deliveries/o1", json={"dropoff": drop})
            await deliver(run, "o1", upto="picked_up")
            assert (await run.orders.get("/v1/decisions/o1")).json()["last_metres"] == walked
            await run.host.settled()
            book = recover(run.ledger, run.host.board.settings).places
            at_door = run.host.board.orders["acme.o1"].order.drop_place
            for handle, given in ((place, store), (after, {}), (at_door, drop)):
                assert book.access_of(handle) == (tuple(given["access"].values()) if given else None)
        export(tmp_path / "ledger", tmp_path / "day", exact=True)
        days = read(tmp_path / "day").catalogue.places
        given = {days.access_of(handle) for handle in range(len(days))}
        assert given == {None, tuple(store["access"].values()), tuple(drop["access"].values())}

    asyncio.run(go())


def seconds(text: str) -> int:
    from datetime import datetime

    return round(datetime.fromisoformat(text).timestamp())


def test_the_board_draws_the_streets_around_its_stores(city: Path, tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path / "ledger", travel=TRAVEL | {"file": str(city)}) as run:
            assert (await run.ops.get("/v1/board/streets")).json() == {"lines": [], "attribution": ""}
            await run.ops.put("/v1/stores/s1", json={"location": at(city, 0)})
            shown = (await run.ops.get("/v1/board/streets")).json()
            assert shown["attribution"] == "Invented city, seed 3"
            assert len(shown["lines"]) > 40
            lat, lng = shown["lines"][0][0]
            assert 44 < lat < 46 and 8 < lng < 10
            assert (await run.ops.get("/v1/board/streets")).json() == shown
        async with running(tmp_path / "plain") as run:
            await run.ops.put("/v1/stores/s1", json={"location": at(city, 0)})
            assert (await run.ops.get("/v1/board/streets")).json() == {"lines": [], "attribution": ""}

    asyncio.run(go())


def test_the_solver_in_its_own_process_holds_the_streets(city: Path) -> None:
    async def go() -> None:
        solver = Solver(TravelState(1, "wgs84", RoadsSpec(str(city), {"default": "scooter"}, weather="rain")))
        await solver.start()
        assert solver.is_warm
        await solver.close()

    asyncio.run(go())


def test_files_of_a_configuration_lie_beside_it(city: Path, tmp_path: Path) -> None:
    file = tmp_path / "service.toml"
    file.write_text('[travel]\nkind = "roads"\nfile = "town.npz"\nweather = "rain"\n')
    assert read_config(file).travel == {"kind": "roads", "file": str(city), "weather": "rain"}
    file.write_text('[travel]\nkind = "roads"\nfile = "nowhere.npz"\n')
    with pytest.raises(UnreadableFile) as caught:
        read_config(file)
    assert caught.value.details["file"] == str(tmp_path / "nowhere.npz")
