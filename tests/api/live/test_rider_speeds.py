"""Riders' positions as speeds of a running service: off unless wanted, told to the engine, kept, and fading."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from api.ledger.upkeep.verifying import verify
from api.live.rider_speeds import RiderSpeeds
from dispatch.inputs import Position
from routing.roads import RoadNetwork
from tests.api.http.routes.test_deliveries import deliver
from tests.kit.service.running import Running
from tests.kit.service.traffic_town import at, changes, file, ordered, seconds, serving, town, with_rider

__all__ = ["file", "town"]


def crawling(run: Running, town: RoadNetwork, rider_id: str, begins_at: int) -> int:
    """A rider is seen along the way from node 0 to node 7, at a quarter of the speed; when they are there."""
    way = town.path(town.latlng[0], town.latlng[7], profile="scooter")
    line, many = way.geometry, 40
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    share = np.linspace(0.0, along[-1], many)
    spots = np.stack([np.interp(share, along, line[:, side]) for side in (0, 1)], axis=1).tolist()
    for k, (lat, lng) in enumerate(spots):
        seen_at = begins_at + round(4 * way.seconds * k / many)
        run.host.positions.listener(Position(rider_id, float(lat), float(lng), seen_at))  # type: ignore[misc]
    return begins_at + round(4 * way.seconds)


def test_a_crawling_rider_makes_quotes_longer(file: Path, town: RoadNetwork, tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, file) as run:
            assert run.host.positions.listener is None, "off unless wanted"
            speeds = RiderSpeeds(run.host)
            await with_rider(run, town)
            await run.orders.post("/v1/deliveries", json=ordered(town, "o1"))
            await deliver(run, "o1", upto="picked_up")
            usual = seconds((await run.orders.post("/v1/quotes", json=ordered(town, "o2"))).json())
            crawling(run, town, "r1", run.host.clock.now() - 600)
            await speeds.renew()
            slow = seconds((await run.orders.post("/v1/quotes", json=ordered(town, "o2"))).json())
            assert slow > 1.2 * usual
            assert (await run.ops.get("/v1/traffic")).json()["speeds"] == []
            told = run.host.metrics.text().decode()
            assert 'halfhour_live_streets{profile="scooter"}' in told
            assert "halfhour_live_positions_total 40.0" in told
            assert changes(run.ledger)[-1].digest == run.host.times.digest
            await run.ops.patch("/v1/traffic", json={"speeds": [{"factor": 0.5}]})
            assert seconds((await run.orders.post("/v1/quotes", json=ordered(town, "o2"))).json()) > 1.5 * slow
            await run.ops.patch("/v1/traffic", json={"speeds": []})
            digest = run.host.times.digest
        async with serving(tmp_path, file) as run:
            assert run.host.times.digest == digest, "a restart comes back with it"
            await RiderSpeeds(run.host).renew()
            assert seconds((await run.orders.post("/v1/quotes", json=ordered(town, "o2"))).json()) == usual
            assert 'halfhour_live_streets{profile="scooter"}' not in run.host.metrics.text().decode()
        assert verify(tmp_path).entries > 10

    asyncio.run(go())


def test_the_configuration_turns_it_on(file: Path, town: RoadNetwork, tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(tmp_path, file, live_speeds=True) as run:
            await with_rider(run, town)
            assert run.host.positions.listener is not None
            there = at(town, 5)
            assert (await run.riders.post("/v1/riders/r1/position", json={"location": there})).status_code == 200
            await run.until(lambda: "halfhour_live_positions_total 1.0" in run.host.metrics.text().decode())

    asyncio.run(go())
