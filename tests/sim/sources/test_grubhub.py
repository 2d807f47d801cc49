"""Meal-delivery instances: what is read, and what is said of files that are wrong."""

from __future__ import annotations

import pytest

from dispatch.policies.nearest import Nearest
from routing.errors import HalfhourError, UnreadableFile
from sim.replay.replay import replay_into
from sim.sources import open_scenario
from sim.sources.grubhub import MINUTE_0
from sim.sources.rows import InvalidScenario
from tests.kit.days import read_day, write_day

DAY = {
    "instance_parameters.txt": (
        "meters_per_minute\tpickup service minutes\tdropoff service minutes\ttarget click-to-door\t"
        "maximum click-to-door\tpay per order\tguaranteed pay per hour\n320\t4\t6\t40\t90\t10\t15\n"
    ),
    "restaurants.txt": "restaurant\tx\ty\nr1\t100\t200\nr2\t700\t900\n",
    "couriers.txt": "courier\tx\ty\ton_time\toff_time\nc1\t0\t0\t0\t90\n",
    "orders.txt": (
        "order\tx\ty\tplacement_time\trestaurant\tready_time\n"
        "o2\t300\t400\t30\tr1\t50\no10\t500\t600\t20\tr1\t40\no1\t1\t2\t30\tr2\t30\n"
    ),
}


def written(folder, **changes):
    for name, text in (DAY | {f"{key}.txt": text for key, text in changes.items()}).items():
        (folder / name).write_text(text)
    return folder


def test_a_day_is_read(tmp_path):
    scenario = open_scenario(written(tmp_path))
    catalogue = scenario.catalogue
    rules = catalogue.settings.rules
    assert [one.order.order_id for one in scenario.demand] == ["o10", "o2", "o1"]
    first = scenario.demand[0].order
    assert (first.placed_at, first.expected_ready_at, first.due_at) == (
        MINUTE_0 + 1200, MINUTE_0 + 2400, MINUTE_0 + 1200 + 2400,
    )  # fmt: skip
    # Halves of the service times lie before and after the act: 4 / 2 minutes at stores, 6 / 2 at doors.
    book = catalogue.places
    assert (book.enter_s[catalogue.stores[0].place], book.exit_s[catalogue.stores[0].place]) == (120, 120)
    assert (book.enter_s[first.drop_place], book.exit_s[first.drop_place]) == (180, 180)
    assert (book.first[first.drop_place], book.second[first.drop_place]) == (600.0, 500.0)
    assert catalogue.shifts[0].last_pickup_at == MINUTE_0 + 5400
    assert catalogue.shifts[0].end_at is None
    # Means of (20, 20) and (0) minutes.
    assert [store.mean_ready_s for store in catalogue.stores] == [1200, 0]
    assert (rules.round_s, rules.round_mode, rules.travel_round_s, rules.mix) == (60, "beat", 60, "same_store")
    assert catalogue.settings.prices.late_after_s == 2400
    assert catalogue.settings.prices.fail_after_s == 5400
    assert catalogue.pay.of(2, 3600) == 20
    assert catalogue.pay.of(1, 3600) == 15
    assert MINUTE_0 % 3600 == 0


BAD = [
    ("orders", "order\tx\ty\tplacement_time\trestaurant\nready", "there is no column ready_time", 1, "ready_time"),
    ("orders", DAY["orders.txt"].replace("300", "3oo"), "'3oo' is not a number", 2, "x"),
    ("orders", DAY["orders.txt"].replace("r2\t30", "r9\t30"), "there is no restaurant r9", 4, "restaurant"),
    ("orders", DAY["orders.txt"].replace("20\tr1\t40", "20\tr1\t10"), "ready before it is placed", 3, "ready_time"),
    ("orders", DAY["orders.txt"].replace("o10", "o2"), "order o2 is already on line", None, "order"),
    ("orders", DAY["orders.txt"].splitlines()[0] + "\n", "there are no orders", None, None),
    ("orders", DAY["orders.txt"].replace("300\t400", "3e9\t400"), "lies outside the world", 2, "y, x"),
    ("orders", DAY["orders.txt"].replace("300\t400", "nan\t400"), "not a finite number", 2, "x"),
    ("orders", DAY["orders.txt"].replace("o2\t", "\t"), "this cell is empty", 2, "order"),
    ("couriers", DAY["couriers.txt"].replace("0\t90", "95\t90"), "ends before it starts", 2, "off_time"),
    ("couriers", DAY["couriers.txt"] + "c1\t0\t0\t0\t90\n", "courier c1 is already on line 2", 3, "courier"),
    ("couriers", DAY["couriers.txt"].splitlines()[0] + "\n", "there are no couriers", None, None),
    ("restaurants", DAY["restaurants.txt"].replace("r2", "r1"), "restaurant r1 is already on line 2", 3, "restaurant"),
    ("instance_parameters", DAY["instance_parameters.txt"].replace("320", "0"), "must move", 2, "meters_per_minute"),
]


@pytest.mark.parametrize(("name", "text", "message", "line", "field"), BAD, ids=[case[2] for case in BAD])
def test_bad_input_is_named(tmp_path, name, text, message, line, field):
    with pytest.raises(InvalidScenario, match=message) as found:
        open_scenario(written(tmp_path, **{name: text}))
    details = found.value.details
    assert details["file"].endswith(f"{name}.txt")
    assert details.get("field") == field
    if line is not None:
        assert details["line"] == line


@pytest.mark.parametrize("name", ["orders", "couriers", "restaurants"])
def test_a_missing_file_is_named(tmp_path, name):
    written(tmp_path)
    (tmp_path / f"{name}.txt").unlink()
    with pytest.raises(UnreadableFile, match="missing") as found:
        open_scenario(tmp_path)
    assert found.value.details["file"].endswith(f"{name}.txt")


def test_a_binary_file_is_no_table(tmp_path):
    written(tmp_path)
    (tmp_path / "orders.txt").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(HalfhourError):
        open_scenario(tmp_path)


def test_an_unknown_folder_is_no_scenario(tmp_path):
    with pytest.raises(UnreadableFile, match="no scenario is recognised"):
        open_scenario(tmp_path)
    with pytest.raises(UnreadableFile, match="no such scenario"):
        open_scenario(tmp_path / "nowhere")


def test_equal_coordinates_are_still_two_doors(tmp_path):
    text = DAY["orders.txt"].replace("500\t600", "300\t400")
    scenario = open_scenario(written(tmp_path, orders=text))
    assert len({one.order.drop_place for one in scenario.demand}) == 3


def test_the_solution_files_hold_the_day(tmp_path):
    scenario = read_day(write_day(tmp_path / "day", 1))
    run = replay_into(tmp_path / "run", scenario, Nearest())
    tables = {}
    for name in ("assignments", "orders", "moves"):
        lines = (tmp_path / "run" / "mdrp" / f"{name}.csv").read_text().splitlines()
        tables[name] = [line.split(",") for line in lines[1:]]
    assert len(tables["orders"]) == run.summary["delivered"] > 0
    assert sum(len(line) - 3 for line in tables["assignments"]) == run.summary["delivered"]
    lives = run.folded.orders
    for order_id, placed, ready, pickup, drop, rider_id in tables["orders"]:
        life = lives[order_id]
        instants = (life.order.placed_at, life.ready_at, life.picked_up_at, life.delivered_at)
        assert [MINUTE_0 + 60 * int(minute) for minute in (placed, ready, pickup, drop)] == list(instants)
        assert rider_id == life.rider_id
    assert {line[2] for line in tables["moves"]} & {"0"}
