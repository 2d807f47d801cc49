"""The public names are exactly those documented, and importing them is free."""

from __future__ import annotations

import subprocess
import sys

import pytest

import halfhour
from dispatch.record.travel_spec import RoadsSpec
from halfhour.commands.verify import verified
from sim.invent.city_plan import plan_city

PUBLIC = {
    "Client", "HalfhourError", "LatLng", "PlaceBook", "Plan", "Policy", "Problem", "Replay", "RoadNetwork",
    "Scenario", "Settings", "SimplePolicy", "Solution", "Travel", "View", "__version__", "invent_day",
    "make_problem", "replay", "solve", "Model", "ModelSolution", "Pause", "Stay", "no_improvement", "target",
    "check_plan",
}  # fmt: skip


def test_exported_names_are_exactly_these():
    assert set(halfhour.__all__) == PUBLIC
    assert dir(halfhour) == sorted(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_name_is_there(name):
    assert getattr(halfhour, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'reply'"):
        halfhour.reply  # noqa: B018


def test_importing_the_package_loads_nothing_heavy():
    program = "import sys, halfhour; print([m for m in ('numpy', 'pandas', 'numba', 'ortools') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_replay_gives_tables(small_day):
    done = halfhour.replay(small_day, policy="nearest", settings={"rules.round_s": 60})
    assert done.path is None
    assert len(done.orders) == done.summary["orders"] == 60
    assert done.orders["on_time"].mean() == pytest.approx(done.summary["on_time_share"], abs=1e-4)
    assert done.riders["delivered"].sum() == done.summary["delivered"]
    legs = done.legs
    assert (legs["arrived_at"] >= legs["departed_at"]).all()
    assert done.summary["settings"]["rules.round_s"] == 60
    assert "60 orders" in repr(done)


def test_seeds_are_luck_and_luck_alone(small_day):
    once, again = (halfhour.replay(small_day, policy="nearest", seed=3) for _ in range(2))
    other = halfhour.replay(small_day, policy="nearest", seed=4)
    assert once.summary["decision_digest"] == again.summary["decision_digest"]
    assert once.summary["decision_digest"] != other.summary["decision_digest"]


@pytest.mark.slow
def test_a_day_travels_on_a_road_network(small_day, tmp_path):
    plan = plan_city(5)
    city = tmp_path / "city.npz"
    halfhour.RoadNetwork.from_arrays(plan.lat, plan.lng, plan.tail, plan.head, plan.length_m).save(city)
    done = halfhour.replay(small_day, policy="nearest", roads=city, out=tmp_path / "run")
    travel = done.run.scenario.catalogue.travel
    assert isinstance(travel, RoadsSpec) and travel.file == str(city)
    assert done.summary["delivered"] >= 40
    assert verified(tmp_path / "run")["orders"] == 60
