"""Traffic handed to a running service: one table for all, the old one for what was told, the same after a restart."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from api.ledger.protocol import LedgerFailed
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep.maintenance import verify
from api.live.travel import Travel
from api.solver.process import Solver, SolverFailed, task_of
from dispatch.codec import decode_input
from dispatch.engine.engine import Engine
from dispatch.inputs import TravelChanged
from dispatch.record.catalogue import RoadsSpec
from dispatch.settings.settings import Settings
from halfhour.commands import main
from routing.places import PlaceBook
from routing.roads import RoadNetwork, SpeedRule, TrafficNews
from sim.invent.city_plan import plan_city
from sim.invent.ground import streets_of
from tests.api.http.routes.test_deliveries import QUICK, deliver
from tests.kit.service.running import Running, running
from tests.kit.service.serving import serving as served

HALF = {"speeds": [{"factor": 0.5}]}
NIGHT = "slot_s = 3600\n[[speed]]\nfrom = 00:00:00\nto = 00:00:00\nfactor = 0.25\n"
"""A quarter of the speed, all day long."""
DATED = "starts_at = 1700000000\nslots = 4\n[[speed]]\nfactor = 0.5\n"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The city file of a small invented town."""
    path = tmp_path_factory.mktemp("city") / "town.npz"
    streets_of(plan_city(3, width_m=1_500, height_m=1_500)).save(path)
    return path


@pytest.fixture(scope="module")
def town(file: Path) -> RoadNetwork:
    return RoadNetwork.load(file)


def serving(folder: Path, file: Path, **more: Any) -> Any:
    travel = {"kind": "roads", "file": str(file), "profiles": {"default": "scooter"}}
    return running(folder, travel=travel | more.pop("travel", {}), **({"speed": 20} | QUICK | more))


def at(town: RoadNetwork, node: int) -> dict[str, float]:
    lat, lng = town.latlng[node].tolist()
    return {"lat": lat, "lng": lng}


async def with_rider(run: Running, town: RoadNetwork) -> None:
    await run.ops.put("/v1/stores/s1", json={"location": at(town, 0), "mean_ready_s": 0})
    await run.riders.put("/v1/riders/r1", json={"location": at(town, 20)})
    await run.riders.post("/v1/riders/r1/shift")


def ordered(town: RoadNetwork, name: str, node: int = 7) -> dict[str, Any]:
    return {"external_delivery_id": name, "pickup_store_id": "s1", "dropoff": {"location": at(town, node)}}


def leg_s(town: RoadNetwork, here: int, there: int, news: TrafficNews | None = None) -> int:
    """Whole seconds by scooter under news of traffic."""
    network = town if news is None else town.twin(news.conditions(town))
    return round(int(network.travel_ms([here], [there], profile="scooter")[0, 0]) / 1000)


def changes(ledger: SqliteLedger) -> list[TravelChanged]:
    """What the engine was told of travel times, by the journal."""
    said = [decode_input(entry.input) for entry in ledger.entries()]
    return [item for item in said if isinstance(item, TravelChanged)]


def seconds(quote: dict[str, Any]) -> int:
    from datetime import datetime

    pickup, drop = (datetime.fromisoformat(quote[name]) for name in ("pickup_at", "dropoff_at"))
    return round((drop - pickup).total_seconds())


def test_told_routes_keep_their_legs_and_everything_new_uses_the_new_table(
    file: Path, town: RoadNetwork, tmp_path: Path
) -> None:
    slow = TrafficNews((SpeedRule(0.5),))

    async def go() -> None:
        async with serving(tmp_path, file) as run:
            board = run.host.board
            await with_rider(run, town)
            await run.orders.post("/v1/deliveries", json=ordered(town, "o1"))
            await deliver(run, "o1", upto="picked_up")
            (told,) = board.riders["r1"].route.stops
            assert told.leg_s == leg_s(town, 0, 7)
            quoted = (await run.orders.post("/v1/quotes", json=ordered(town, "o2"))).json()
            assert seconds(quoted) == leg_s(town, 0, 7)

            shown = await run.ops.patch("/v1/traffic", json=HALF)
            assert shown.status_code == 200, shown.text
            assert shown.json() == (await run.ops.get("/v1/traffic")).json()
            found = shown.json()
            assert (found["version"], found["digest"]) == (board.travel_version, board.travel_digest)
            assert board.travel_version == 2 and found["digest"] == run.host.times.digest
            assert found["speeds"][0]["factor"] == 0.5

            # Told: as it was.  Quotes, plans and receipts: by the new table.
            assert board.riders["r1"].route.stops[0].leg_s == told.leg_s
            assert board.riders["r1"].route.travel_version == 1
            quoted = (await run.orders.post("/v1/quotes", json=ordered(town, "o2"))).json()
            assert seconds(quoted) == leg_s(town, 0, 7, slow) > leg_s(town, 0, 7)
            await deliver(run, "o1")
            assert (await run.orders.post("/v1/deliveries", json=ordered(town, "o3", 12))).status_code == 201

            def planned() -> Any:
                stops = board.riders["r1"].route.stops
                return len(stops) == 2 and stops

            pickup, drop = await run.until(planned)
            assert (pickup.leg_s, drop.leg_s) == (leg_s(town, 7, 0, slow), leg_s(town, 0, 12, slow))
            assert board.riders["r1"].route.travel_version == 2
            await deliver(run, "o3")
            assert (await run.orders.get("/v1/decisions/o3")).json()["rider_id"] == "r1"
            assert "travel" not in run.host.rounds.fallbacks
            assert [(item.version, item.digest) for item in changes(run.ledger)][-1] == (2, board.travel_digest)
        assert verify(tmp_path).entries > 10

    asyncio.run(go())


def test_a_restart_comes_back_with_the_traffic(file: Path, town: RoadNetwork, tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, file) as run:
            await run.ops.patch("/v1/traffic", json=HALF)
            await run.ops.patch("/v1/traffic", json={"weather": "rain", "table": NIGHT})
            before = (await run.ops.get("/v1/traffic")).json()
            assert before["version"] == 3
            assert (before["weather"], before["table"]) == ("rain", {"slot_s": 3600, "slots": 24})
            assert before["speeds"][0]["factor"] == 0.5, "what is not named stays"
        async with serving(tmp_path, file) as run:
            assert (await run.ops.get("/v1/traffic")).json() == before
            assert [item.version for item in changes(run.ledger)] == [1, 2, 3], "nothing new to tell"
            assert run.solver.held[3].news == TrafficNews((SpeedRule(0.5),), "rain", NIGHT)
            # All of it multiplies; and all of it can be taken back.
            cleared = (await run.ops.patch("/v1/traffic", json={"speeds": [], "weather": "", "table": ""})).json()
            assert (cleared["version"], cleared["speeds"], cleared["weather"], cleared["table"]) == (4, [], "", None)
            await with_rider(run, town)
            quoted = (await run.orders.post("/v1/quotes", json=ordered(town, "o1"))).json()
            assert seconds(quoted) == leg_s(town, 0, 7)
        # What the configuration opens with is another thing now: what was handed over to the other is forgotten.
        async with serving(tmp_path, file, travel={"weather": "rain"}) as run:
            found = (await run.ops.get("/v1/traffic")).json()
            assert (found["version"], found["weather"]) == (5, "rain")
        assert verify(tmp_path).entries >= 5

    asyncio.run(go())


def test_the_same_again_changes_nothing(file: Path, tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, file) as run:
            for _ in range(2):
                assert (await run.ops.patch("/v1/traffic", json=HALF)).json()["version"] == 2
            assert (await run.ops.patch("/v1/traffic", json={})).json()["version"] == 2
            assert (await run.ops.patch("/v1/traffic", json={"weather": ""})).json()["version"] == 2

    asyncio.run(go())


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"speeds": [{"factor": 0}]}, "validation_failed", "speeds.0.factor"),
        ({"speeds": [{"factor": -1}]}, "validation_failed", "speeds.0.factor"),
        ({"speeds": [{"factor": 1, "zone": [{"lat": 1, "lng": 1}]}]}, "validation_failed", "speeds.0"),
        ({"speeds": [{"factor": 1, "street": "x"}]}, "validation_failed", "speeds.0.street"),
        ({"speeds": [{"factor": 1, "classes": ["canal"]}]}, "invalid_traffic", "speeds[0]"),
        ({"speeds": [{"factor": 1}, {"factor": 1, "edges": [10**6]}]}, "invalid_traffic", "speeds[1]"),
        ({"speeds": [{"factor": 1, "ways": [-5]}]}, "invalid_traffic", "speeds[0]"),
        ({"speeds": [{"factor": 1, "profiles": ["tram"]}]}, "unknown_profile", "speeds[0]"),
        ({"speeds": [{"factor": 1e-9}]}, "invalid_speed", ""),
        ({"table": "slot_s = 3600\n[[speed]]\nfrom = 03:00:00\nto = 04:00:00\nfactor = 1e-9\n"}, "invalid_speed", ""),
        ({"weather": "frogs"}, "invalid_traffic", "weather"),
        ({"table": "slot_s ="}, "unreadable_file", "table"),
        ({"table": "[[speed]]\nfactor = 0\n"}, "invalid_speed", "speed[0].factor"),
        ({"table": DATED}, "invalid_traffic", "table"),
        ({"table": "a\ud800b"}, "validation_failed", "table"),
        ({"colour": "red"}, "validation_failed", "colour"),
    ],
)
def test_traffic_that_cannot_be(file: Path, tmp_path: Path, body: dict[str, Any], code: str, field: str) -> None:
    async def go() -> None:
        async with serving(tmp_path, file) as run:
            answer = await run.ops.patch(
                "/v1/traffic", content=json.dumps(body), headers={"Content-Type": "application/json"}
            )
            assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
            if field:
                assert [error["field"] for error in answer.json()["field_errors"]] == [field]
            assert (await run.ops.get("/v1/traffic")).json()["version"] == 1

    asyncio.run(go())


def test_a_large_body_is_taken_here(file: Path, tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, file) as run:
            edges = list(range(60)) * 1000
            answer = await run.ops.patch("/v1/traffic", json={"speeds": [{"factor": 0.9, "edges": edges}]})
            assert answer.status_code == 200, answer.text

    asyncio.run(go())


def test_a_service_that_is_not_on_streets_says_so(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            shown = (await run.ops.get("/v1/traffic")).json()
            assert (shown["on_streets"], shown["version"]) == (False, 1)
            answer = await run.ops.patch("/v1/traffic", json=HALF)
            assert (answer.status_code, answer.json()["code"]) == (409, "not_on_streets")

    asyncio.run(go())


def test_a_table_that_ends_is_refused_at_the_start(file: Path, tmp_path: Path) -> None:
    table = tmp_path / "today.toml"
    table.write_text(DATED)

    async def go() -> None:
        with pytest.raises(Exception, match="every hour of every day"):
            async with serving(tmp_path / "ledger", file, travel={"traffic": str(table)}):
                raise AssertionError

    asyncio.run(go())


def test_quotes_see_one_whole_table_while_traffic_changes(file: Path, town: RoadNetwork, tmp_path: Path) -> None:
    factors = (1.0, 0.5, 0.25)
    allowed = {
        (leg_s(town, 20, 0, news), leg_s(town, 0, 7, news))
        for news in (TrafficNews((SpeedRule(factor),)) for factor in factors)
    }
    assert len(allowed) == len(factors)

    async def go() -> None:
        async with serving(tmp_path, file, speed=0.001) as run:
            await with_rider(run, town)
            seen, going = set(), True

            async def ask() -> None:
                from datetime import datetime

                while going:
                    quote = (await run.orders.post("/v1/quotes", json=ordered(town, "o1"))).json()
                    pickup = datetime.fromisoformat(quote["pickup_at"]).timestamp()
                    seen.add((round(pickup - run.clock.now()), seconds(quote)))
                    await asyncio.sleep(0)

            readers = [asyncio.create_task(ask()) for _ in range(3)]
            for turn in range(12):
                body = {"speeds": [{"factor": factors[turn % 3]}]}
                assert (await run.ops.patch("/v1/traffic", json=body)).json()["version"] >= turn
            going = False
            await asyncio.gather(*readers)
            assert len(seen) >= 2
            # The clock may have moved by a second between the quote and our look at it.
            assert {(abs(way), drop) for way, drop in seen} <= {(a - d, b) for a, b in allowed for d in (0, 1)}

    asyncio.run(go())


@pytest.mark.parametrize("at_once", [True, False])
def test_a_change_that_does_not_reach_the_disk_never_was(
    file: Path, town: RoadNetwork, tmp_path: Path, at_once: bool
) -> None:
    async def go() -> None:
        async with serving(tmp_path, file) as run:
            await with_rider(run, town)
            append = run.ledger.append
            refused: Future[None] = Future()
            refused.set_exception(LedgerFailed("the disk refuses"))

            def refuses(write: Any) -> Any:
                if not any(name == "traffic" for name, _ in write.extra):
                    return append(write)
                return refused.result() if at_once else refused

            run.ledger.append = refuses  # type: ignore[method-assign]
            answer = await run.ops.patch("/v1/traffic", json=HALF)
            assert answer.status_code == 503, answer.text
            run.ledger.append = append  # type: ignore[method-assign]
            await run.until(lambda: run.host.failure is None)
            assert (await run.ops.get("/v1/traffic")).json()["version"] == 1
            quoted = (await run.orders.post("/v1/quotes", json=ordered(town, "o1"))).json()
            assert seconds(quoted) == leg_s(town, 0, 7)
            await run.until(lambda: max(run.solver.held) == 1)
            assert (await run.ops.patch("/v1/traffic", json=HALF)).json()["version"] == 2

    asyncio.run(go())


def test_operations_hand_traffic_over_on_the_command_line(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speeds, table = tmp_path / "closures.toml", tmp_path / "usual.toml"
    corners = "[[44.9, 8.9], [44.9, 9.1], [45.1, 9.1], [45.1, 8.9]]"
    speeds.write_text(
        f'[zones]\nall = {corners}\n[[speed]]\nfactor = 0.5\nzone = "all"\nclass = "primary"\n'
        "[[speed]]\nfactor = 0.2\nedges = [3]\n"
    )
    table.write_text(NIGHT)

    async def run(*words: str) -> tuple[int, str]:
        def call() -> int:
            with pytest.raises(SystemExit) as left:
                main(list(words))
            return int(left.value.code or 0)

        status = await asyncio.to_thread(call)
        out = capsys.readouterr()
        return status, out.out + out.err

    async def go() -> None:
        async with serving(tmp_path / "ledger", file) as run_, served(run_.app) as url:
            reach = ("--url", url, "--key", run_.keys["ops"])
            assert await run("admin", "traffic", *reach) == (
                0, "travel times 1: 0 reported speeds, no weather, no table\n"
            )  # fmt: skip
            status, text = await run(
                "admin", "traffic", "--speeds", str(speeds), "--weather", "rain", "--table", str(table), *reach
            )
            assert (status, text) == (0, "travel times 2: 2 reported speeds, rain, 24 slots a day\n")
            status, text = await run("admin", "traffic", "--json", *reach)
            shown = json.loads(text)
            assert shown["speeds"][0]["classes"] == ["primary"] and len(shown["speeds"][0]["zone"]) == 4
            assert shown["speeds"][1] == {
                "factor": 0.2, "profiles": [], "classes": [], "zone": [], "edges": [3], "ways": []
            }  # fmt: skip
            status, text = await run("admin", "traffic", "--weather", "frogs", *reach)
            assert status == 2 and "frogs" in text and "invalid_traffic" in text
            for wrong, told in (
                ("[[speed]]\nfactor = 0\n", "invalid_speed"),
                ("[[speed]]\nfactor = 1\nfrom = 07:00:00\n", "invalid_traffic"),
                ("slot_s = 900\n", "invalid_traffic"),
                ("[[speed]\n", "unreadable_file"),
                ('[[speed]]\nfactor = 1\nzone = "moon"\n', "invalid_traffic"),
            ):
                speeds.write_text(wrong)
                status, text = await run("admin", "traffic", "--speeds", str(speeds), *reach)
                assert status == 2 and told in text and "closures.toml" in text, text
            assert (await run_.ops.get("/v1/traffic")).json()["version"] == 2

    asyncio.run(go())


def test_a_solver_without_the_version_is_given_it(file: Path, town: RoadNetwork, tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, file) as run:
            await with_rider(run, town)
            await run.ops.patch("/v1/traffic", json=HALF)
            del run.solver.held[2]  # as if it had missed the news
            await run.orders.post("/v1/deliveries", json=ordered(town, "o1"))
            await run.until(lambda: run.host.rounds.fallbacks.get("travel"))
            await run.until(lambda: 2 in run.solver.held)
            # The host's own answer was by the same table.
            stops = await run.until(lambda: run.host.board.riders["r1"].route.stops)
            assert stops[1].leg_s == leg_s(town, 0, 7, TrafficNews((SpeedRule(0.5),)))

    asyncio.run(go())


def test_the_process_makes_new_times_ready_beside_those_in_use(file: Path, town: RoadNetwork) -> None:
    import sys

    cold = "import api.solver.warm_up as w; w.warm_up = w.get_ready = lambda *a: None; w.warm_up_roads = lambda spec: None"
    script = f"import sys; sys.path[:] = {sys.path!r}; {cold}; from api.solver.process import main; main()"

    async def go() -> None:
        travel = Travel(4, "wgs84", RoadsSpec(str(file), {"default": "scooter"}))
        solver = Solver(travel, (sys.executable, "-c", script))
        await solver.hold(travel)  # before it is there: what it will begin with
        await solver.start()
        engine = Engine(PlaceBook("wgs84"), Settings())
        engine.board.places.add(*town.latlng[0].tolist())

        async def ask(version: int) -> Any:
            frozen = engine.freeze()
            return await solver.solve(task_of(frozen, engine.board.places, version, "insertion", 1.0), 120.0)

        assert (await ask(4)).cause == "SOLVED"
        await solver.hold(travel._replace(version=5, news=TrafficNews((SpeedRule(0.5),))))
        for version in (4, 5):
            assert (await ask(version)).cause == "SOLVED"
        # Once a round was solved with the newer times, the older are gone.
        with pytest.raises(SolverFailed, match="holds travel times 5, not 4") as failed:
            await ask(4)
        assert failed.value.why == "travel"
        assert solver.restarts == 0 and solver.is_warm
        # News that the process cannot follow: another one begins in its place.
        await solver.hold(travel._replace(version=6, news=TrafficNews(weather="frogs")))
        assert solver.restarts == 1 and not solver.is_warm
        await solver.hold(travel._replace(version=6, news=TrafficNews(weather="rain")))
        async with asyncio.timeout(120):
            while not solver.is_warm:
                await asyncio.sleep(0.05)
        assert (await ask(6)).cause == "SOLVED"
        await solver.close()

    asyncio.run(go())
