"""Hours and instants of a scenario folder."""

from __future__ import annotations

import datetime

import pytest

from dispatch.policies.nearest import Nearest
from halfhour.commands.scenario import described
from sim.replay.replay import replay
from sim.sources import open_scenario
from sim.sources.clock import DayClock
from sim.sources.folder_writer import write_folder
from tests.kit.folders import at, hours_of, written


@pytest.mark.parametrize(
    ("cells", "opens", "closes"),
    [
        ("18:00,22:00,", ("18:00", 4), ("22:00", 4)),
        ("18:00,02:00,", ("18:00", 4), ("02:00", 5)),
        ("18:00,26:00,", ("18:00", 4), ("02:00", 5)),
        (",,Sa 18:00-02:00", ("18:00", 4), ("02:00", 5)),
        (",,Su-Fr 09:00-10:00; 2024-05-04 18:00-02:00", ("18:00", 4), ("02:00", 5)),
    ],
)
def test_a_store_hands_out_goods_within_its_hours_only(tmp_path, cells, opens, closes):
    scenario = open_scenario(written(tmp_path, **{"stores.csv": hours_of(cells)}))
    kiosk = scenario.catalogue.stores[0]
    noon, evening, night = at("12:00"), at(*opens), at(*closes)
    assert (kiosk.opens_from(noon), kiosk.closes_from(evening)) == (evening, night)
    assert kiosk.opens_from(night - 1) == night - 1 and kiosk.opens_from(night) != night
    run = replay(scenario, Nearest())
    assert run.board.orders["b"].picked_up_at >= evening, "placed at 11:05, and anna is at work until half past one"
    write_folder(tmp_path / "again", scenario)
    assert open_scenario(tmp_path / "again").catalogue.stores == scenario.catalogue.stores


def test_who_describes_a_day_is_told_of_orders_for_closed_stores(tmp_path):
    scenario = open_scenario(written(tmp_path, **{"stores.csv": hours_of("18:00,22:00,")}))
    assert any("1 orders" in note and "closed" in note for note in described(scenario)["notes"])
    assert not any("closed" in note for note in described(open_scenario(written(tmp_path)))["notes"])


@pytest.mark.parametrize("text", ["00:00:00", "07:05:09", "24:00:01", "47:59:59"])
def test_times_of_day_are_read_and_written(text):
    clock = DayClock(datetime.date(2024, 5, 4), "Europe/Helsinki")
    assert clock.write(clock.read(text)) == text


def test_far_instants_are_written_so_that_they_can_be_read():
    clock = DayClock(datetime.date(2024, 5, 4), "Europe/Helsinki")
    for instant in (clock.start_at - 1, clock.start_at + 400_000, 50_000_000):
        assert clock.read(clock.write(instant)) == instant
