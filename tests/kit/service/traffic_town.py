"""A small town on streets, and a service that travels in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.ledger.sqlite.store import SqliteLedger
from dispatch.codec import decode_input
from dispatch.inputs import TravelChanged
from routing.roads import RoadNetwork, TrafficNews
from sim.invent.city_plan import plan_city
from sim.invent.ground import streets_of
from tests.api.http.routes.test_deliveries import QUICK
from tests.kit.service.running import Running, running

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
