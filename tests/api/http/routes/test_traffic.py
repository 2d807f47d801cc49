"""Traffic handed to a running service: one table for all, the old one for what was told, the same after a restart."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from api.ledger.protocol import LedgerFailed
from api.ledger.upkeep.verifying import verify
from routing.roads import RoadNetwork, SpeedRule, TrafficNews
from tests.api.http.routes.test_deliveries import deliver
from tests.kit.service.running import running
from tests.kit.service.traffic_town import DATED, HALF, NIGHT, changes, leg_s, ordered, seconds, serving, with_rider


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


def test_a_street_is_closed_and_another_slowed_to_a_speed(file: Path, tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, file) as run:
            speeds = [{"closed": True, "edges": [3], "direction": "forward"}, {"kmh": 12.0, "edges": [4]}]
            shown = (await run.ops.patch("/v1/traffic", json={"speeds": speeds})).json()
            assert [one["closed"] for one in shown["speeds"]] == [True, False]
            assert [one["kmh"] for one in shown["speeds"]] == [None, 12.0]
            assert shown["speeds"][0]["direction"] == "forward" and shown["version"] == 2
            nothing = await run.ops.patch("/v1/traffic", json={"speeds": [{"edges": [3]}]})
            assert nothing.status_code == 422 and "say factor, kmh or closed" in nothing.text

    asyncio.run(go())
