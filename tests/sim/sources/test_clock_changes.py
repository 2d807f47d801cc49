"""Times of day are what clocks show, on days of 23 and 25 hours as on any other."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from dispatch.calendar.local_time import UnclearLocalTime, instant_of, instants_of, zone_of
from halfhour.commands.scenario import described
from sim.sources import open_scenario
from sim.sources.clock import DayClock
from sim.sources.folder_writer import write_folder
from sim.sources.rows import InvalidScenario
from sim.sources.table import import_tables
from tests.kit.folders import FILES, written

BERLIN = "Europe/Berlin"
SPRING, AUTUMN = datetime.date(2026, 3, 29), datetime.date(2026, 10, 25)
"""Clocks go from 02:00 to 03:00, and from 03:00 back to 02:00."""


def utc(*when: int) -> int:
    return int(datetime.datetime(*when, tzinfo=datetime.UTC).timestamp())  # type: ignore[misc]


@pytest.mark.parametrize(
    ("day", "text", "at"),
    [
        (SPRING, "01:59:59", utc(2026, 3, 29, 0, 59, 59)),
        (SPRING, "03:00", utc(2026, 3, 29, 1)),
        (SPRING, "07:30", utc(2026, 3, 29, 5, 30)),
        (SPRING, "25:10:00", utc(2026, 3, 29, 23, 10)),
        (AUTUMN, "01:59:59", utc(2026, 10, 24, 23, 59, 59)),
        (AUTUMN, "03:00", utc(2026, 10, 25, 2)),
        (AUTUMN, "11:00", utc(2026, 10, 25, 10)),
        (AUTUMN, "25:10:00", utc(2026, 10, 26, 0, 10)),
        (datetime.date(2026, 3, 28), "27:10", utc(2026, 3, 29, 1, 10)),  # the night in which they are changed
        (datetime.date(2026, 10, 24), "27:10", utc(2026, 10, 25, 2, 10)),
    ],
)
def test_a_time_of_day_is_what_clocks_show_and_is_written_as_it_was_read(day: Any, text: str, at: int) -> None:
    clock = DayClock(day, BERLIN)
    assert clock.read(text) == at
    assert clock.write(at) == (text if text.count(":") == 2 else f"{text}:00")


@pytest.mark.parametrize("day", [SPRING, AUTUMN, datetime.date(2026, 3, 28), datetime.date(2026, 10, 24)])
def test_every_instant_is_read_again_as_it_was_written(day: Any) -> None:
    clock = DayClock(day, BERLIN)
    for at in range(clock.start_at - 7200, clock.start_at + 3 * 86_400, 917):
        assert clock.read(clock.write(at)) == at


@pytest.mark.parametrize(
    ("text", "what", "choices"),
    [
        ("2026-03-29T02:30:00", "does not exist", "2026-03-29T02:30:00+01:00 or 2026-03-29T02:30:00+02:00"),
        ("2026-10-25T02:05:00", "comes twice", "2026-10-25T02:05:00+02:00 or 2026-10-25T02:05:00+01:00"),
    ],
)
def test_a_local_time_that_is_missing_or_doubled_is_said_with_the_offset_to_write(
    text: str, what: str, choices: str
) -> None:
    clock = DayClock(datetime.date.fromisoformat(text[:10]), BERLIN)
    for cell in (text, text[11:]):
        with pytest.raises(UnclearLocalTime, match=what) as unclear:
            clock.read(cell)
        assert choices in unclear.value.hint
    for choice in choices.split(" or "):
        assert clock.read(choice) == int(datetime.datetime.fromisoformat(choice).timestamp())


def test_instants_of_a_local_time_are_one_none_or_two() -> None:
    zone = zone_of(BERLIN)
    count = {
        datetime.datetime(2026, 3, 29, 2): 0,
        datetime.datetime(2026, 3, 29, 3): 1,
        datetime.datetime(2026, 10, 25, 2): 2,
        datetime.datetime(2026, 10, 25, 3): 1,
    }
    assert {local: len(instants_of(local, zone)) for local in count} == count
    early, late = instants_of(datetime.datetime(2026, 10, 25, 2), zone)
    assert late - early == 3600
    assert instant_of(datetime.datetime(2026, 7, 1), zone_of("utc")) == utc(2026, 7, 1)


def folder_of(tmp_path: Any, day: datetime.date) -> Any:
    """The corner of `test_folder` in Berlin, with times of day alone."""
    toml = FILES["scenario.toml"].replace("2024-05-04", day.isoformat()).replace("Europe/Helsinki", BERLIN)
    riders = "rider_id,lat,lng,profile,start_at,last_pickup_at\nanna,60.16,24.93,bike,11:00,12:00\n"
    orders = "order_id,store_id,lat,lng,placed_at,ready_at\na,bakery,60.176,24.942,11:30,11:40\n"
    tmp_path.mkdir(exist_ok=True)
    return written(tmp_path, **{"scenario.toml": toml, "riders.csv": riders, "orders.csv": orders})


@pytest.mark.parametrize("day", [SPRING, AUTUMN, datetime.date(2026, 5, 3)])
def test_a_folder_means_the_same_times_of_day_on_every_day(tmp_path: Any, day: datetime.date) -> None:
    scenario = open_scenario(folder_of(tmp_path / "in", day))
    (shift,) = scenario.catalogue.shifts
    assert scenario.demand[0].order.placed_at - shift.start_at == 1800
    shown = described(scenario)
    assert (shown["first_order"], shown["last_order"]) == ("11:30", "11:30")
    write_folder(tmp_path / "out", scenario)
    assert ",11:30:00," in (tmp_path / "out" / "orders.csv").read_text()
    assert open_scenario(tmp_path / "out").catalogue.shifts == scenario.catalogue.shifts


def test_a_folder_with_a_doubled_time_is_refused_with_its_line(tmp_path: Any) -> None:
    folder = folder_of(tmp_path, AUTUMN)
    orders = (folder / "orders.csv").read_text().replace("11:30", "02:55").replace("11:40", "02:05")
    (folder / "orders.csv").write_text(orders)
    with pytest.raises(InvalidScenario, match="comes twice") as refused:
        open_scenario(folder)
    assert refused.value.details["line"] == 2 and refused.value.details["field"] == "placed_at"
    assert "2026-10-25T02:55:00+02:00" in refused.value.hint
    toml = (folder / "scenario.toml").read_text()
    (folder / "orders.csv").write_text(orders.replace("02:55", "11:30").replace("02:05", "11:40"))
    (folder / "scenario.toml").write_text(toml.replace("format = 2", 'format = 2\nbegin_at = "02:30"'))
    with pytest.raises(InvalidScenario, match="comes twice") as refused:
        open_scenario(folder)
    assert refused.value.details["field"] == "begin_at"


def test_a_table_means_the_following_night_as_clocks_show_it(tmp_path: Any) -> None:
    """A shift from 22:00 to 04:00 over the spring change ends five hours after it began."""
    (tmp_path / "o.csv").write_text("order_id,store_lat,store_lng,lat,lng,placed_at\na,60.1,24.9,60.1,24.9,23:00\n")
    (tmp_path / "r.csv").write_text("rider_id,lat,lng,start_at,end_at\nx,60.1,24.9,22:00,04:00\n")
    (tmp_path / "map.toml").write_text(f'day = 2026-03-28\ntime_zone = "{BERLIN}"\n')
    scenario = import_tables(tmp_path / "o.csv", tmp_path / "r.csv", tmp_path / "map.toml")
    (shift,) = scenario.catalogue.shifts
    assert shift.last_pickup_at - shift.start_at == 5 * 3600
