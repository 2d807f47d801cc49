"""Instant-delivery days with times of day: what is read, what is repaired, and that they can be lived."""

from __future__ import annotations

import numpy as np
import pytest

from dispatch.model import OrderState
from dispatch.policies.policy import HalfhourPolicy
from sim.sources import colombia, open_scenario
from sim.sources.rows import InvalidScenario
from tests.kit.data import folder, needs_data
from tests.kit.days import broken_physics, ends, lived

HEADER = (
    "order_id,pick_up_lat,pick_up_lng,drop_off_lat,drop_off_lng,placement_time,preparation_time,ready_time,"
    "expected_drop_off_time\n"
)
ORDERS = f"""{HEADER}\
1,7.0685,-73.1045,7.0605,-73.1098,12:05:44,12:06:00,12:24:50,12:35:44
2,7.0956,-73.1075,7.1077,-73.1162,23:50:00,23:55:00,00:10:00,00:25:00
3,7.0685,-73.1045,7.0605,-73.1098,12:00:00,11:00:00,11:58:00,12:30:00
"""
COURIERS = """courier_id,vehicle,on_lat,on_lng,on_time,off_time
1,motorcycle,7.0700,-73.1000,00:00:01,23:58:00
2,bicycle,7.0900,-73.1100,11:00:00,22:00:00
"""


def written(path, orders=ORDERS, couriers=COURIERS):
    (path / "orders.csv").write_text(orders)
    (path / "couriers.csv").write_text(couriers)
    return path


def test_a_day_is_read(tmp_path):
    scenario = open_scenario(written(tmp_path))
    midnight = scenario.catalogue.begin_at
    orders = [one.order for one in scenario.demand]
    assert [order.order_id for order in orders] == ["3", "1", "2"]
    assert len(scenario.catalogue.stores) == 2
    assert orders[0].store_id == orders[1].store_id
    assert [rider.profile for rider in scenario.catalogue.riders] == ["motorcycle", "bicycle"]
    # Ready two minutes before it was placed: at once.  Ready at ten past midnight: the next day.
    assert [one.ready_at - midnight for one in scenario.demand] == [43_200, 44_690, 86_400 + 600]
    assert orders[2].due_at - midnight == 86_400 + 25 * 60
    assert scenario.notes == ("1 orders were ready before they were placed: taken as ready at once.",)


def test_speeds_follow_the_vehicle(tmp_path):
    catalogue = open_scenario(written(tmp_path)).catalogue
    times = catalogue.travel.bind(catalogue.places)
    start, store = catalogue.riders[0].place, catalogue.stores[0].place
    assert times.profiles == tuple(colombia.SPEED_KMH)
    legs = times.table(np.array([start], dtype=np.int32), np.array([store], dtype=np.int32), 0)[:, 0, 0]
    slow, fast = times.profiles.index("bicycle"), times.profiles.index("motorcycle")
    assert legs[slow] == pytest.approx(2 * legs[fast], abs=1)


@pytest.mark.parametrize(
    ("orders", "couriers", "message", "field"),
    [
        (ORDERS, COURIERS.replace("bicycle", "balloon"), "no vehicle", "vehicle"),
        (ORDERS, COURIERS.replace("11:00:00,22", "23:00:00,22"), "ends before it starts", "off_time"),
        (ORDERS.replace("12:05:44", "12h05"), COURIERS, "not an instant", "placement_time"),
        (ORDERS.replace("2,7.0956", "1,7.0956"), COURIERS, "already on line", "order_id"),
    ],
)
def test_bad_days_are_named(tmp_path, orders, couriers, message, field):
    with pytest.raises(InvalidScenario, match=message) as found:
        open_scenario(written(tmp_path, orders, couriers))
    assert found.value.details["field"] == field


@needs_data
@pytest.mark.data
def test_a_published_morning_is_lived():
    scenario = open_scenario(folder("colombia_instant", "day_16"))
    morning = scenario.before(scenario.catalogue.begin_at + 11 * 3600)
    assert len(morning.demand) > 15
    run, heard = lived(morning, HalfhourPolicy())
    assert all(states == [OrderState.DELIVERED] for states in ends(heard).values())
    assert run.summary["delivered"] == len(morning.demand)
    assert broken_physics(morning, run.folded) == []
