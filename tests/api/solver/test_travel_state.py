"""Travel times handed to the solver's process: by version, made ready beside those in use."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api.solver.messages import SolverFailed, task_of
from api.solver.process import Solver
from api.solver.travel_state import TravelState
from dispatch.engine.engine import Engine
from dispatch.record.travel_spec import RoadsSpec
from dispatch.settings.settings import Settings
from routing.places import PlaceBook
from routing.roads import RoadNetwork, SpeedRule, TrafficNews
from tests.kit.service.serving import serving as served
from tests.kit.service.traffic_town import HALF, NIGHT, leg_s, ordered, serving, with_rider
from tests.kit.service.typed import typed


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

    run = partial(typed, capsys)

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
                "factor": 0.2, "kmh": None, "closed": False, "direction": "", "profiles": [], "classes": [], "zone": [],
                "edges": [3], "ways": [],
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

    cold = "import api.solver.warm_up as w; w.warm_up_rounds = w.get_ready = lambda *a: None"
    cold += "; w.warm_up_travel = lambda spec: None"
    script = f"import sys; sys.path[:] = {sys.path!r}; {cold}; from api.solver.child import main; main()"

    async def go() -> None:
        travel = TravelState(4, "wgs84", RoadsSpec(str(file), {"default": "scooter"}))
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
