"""Another dispatcher's decisions replayed: ours come out as they were, streets and shifts still count."""

from __future__ import annotations

import dataclasses

import pytest

from dispatch.policies.batch import Batch
from dispatch.policies.nearest import Nearest
from dispatch.policies.recorded import Recorded
from dispatch.record.travel_spec import StraightSpec
from halfhour.replaying import as_recorded
from routing.errors import InvalidInput
from sim.replay.replay import replay
from sim.replay.table_writer import write_tables
from sim.sources import open_scenario
from sim.sources.folder_writer import write_folder
from sim.sources.table import import_tables
from sim.world.luck import SureAcceptance
from tests.architecture.sources import ROOT
from tests.sim.sources.test_table_doubts import changed, crew, day, imported


def evening(folder, count=16):
    """Sixteen orders of Wellington, a minute apart, for three riders."""
    rows = []
    for k, row in enumerate(day(count)):
        lat, lng = -41.280 - 0.001 * (k * 7 % 19), 174.760 + 0.002 * (k * 5 % 17)
        at = [f"{(17 * 60 + minute) // 60}:{minute % 60:02d}" for minute in (k, k + 5 + k % 9, k + 40)]
        cells = {"placed_at": at[0], "ready_at": at[1], "due_at": at[2], "lat": f"{lat:.3f}", "lng": f"{lng:.3f}"}
        rows.append(row | cells)
    return imported(folder, orders=rows, riders=crew("kim", "lee", "mo", start_at="16:55", end_at="18:00"))


def outcomes(run):
    return {
        order_id: (life.state, life.rider_id, life.picked_up_at, life.delivered_at)
        for order_id, life in run.folded.orders.items()
    }


def as_strangers(folder, run):
    """The run exported as two tables and imported again."""
    write_tables(folder, run.scenario.catalogue, run.folded)
    return import_tables(folder / "orders.csv", folder / "riders.csv", folder / "mapping.toml")


def again(scenario, seed=1):
    return replay(scenario, Recorded(scenario.recorded), seed=seed, acceptance=SureAcceptance())


@pytest.mark.parametrize("policy", [Nearest(), Batch()], ids=lambda policy: policy.name)
def test_a_recorded_day_of_ours_comes_out_as_it_was_to_the_second(tmp_path, policy):
    run = replay(evening(tmp_path), policy)
    recorded = as_strangers(tmp_path / "theirs", run)
    assert len(recorded.recorded) == sum(life.picked_up_at is not None for life in run.folded.orders.values()) > 10
    assert outcomes(again(recorded)) == outcomes(run)


def test_only_decisions_are_read_not_recorded_times(tmp_path):
    """With streets 20 % slower pickups and deliveries move; who carries what stays."""
    run = replay(evening(tmp_path), Batch())
    recorded = as_strangers(tmp_path / "theirs", run)
    slower = StraightSpec({"default": 250.0 / 1.2}, detour=1.35)
    catalogue = dataclasses.replace(recorded.catalogue, travel=slower)
    late = again(dataclasses.replace(recorded, catalogue=catalogue))
    before, after = outcomes(run), outcomes(late)
    carried = [order_id for order_id, (_, _, picked, _) in after.items() if picked is not None]
    assert [after[o][1] for o in carried] == [before[o][1] for o in carried]
    assert sum(after[o][3] - before[o][3] for o in carried) > 30 * len(carried)
    # Nor do other recorded times change anything: they are kept for the report alone.
    times = tuple(one._replace(picked_up_at=0, delivered_at=1) for one in recorded.recorded_times)
    assert outcomes(again(dataclasses.replace(recorded, recorded_times=times))) == before


def test_a_folder_keeps_what_was_recorded(tmp_path):
    run = replay(evening(tmp_path), Nearest())
    recorded = as_strangers(tmp_path / "theirs", run)
    write_folder(tmp_path / "made", recorded)
    read = open_scenario(tmp_path / "made")
    assert (read.recorded, read.recorded_times) == (recorded.recorded, recorded.recorded_times)
    assert outcomes(again(read)) == outcomes(run)


def test_rounds_come_on_the_widest_beat_that_meets_every_instant(tmp_path):
    settings = imported(tmp_path).catalogue.settings
    minutes = imported(tmp_path, orders=recorded_rows()).recorded
    assert Recorded(minutes).configure(settings).rules.round_s == 60
    seconds = [minutes[0]._replace(told_at=minutes[0].told_at + 7), *minutes[1:]]
    assert Recorded(seconds).configure(settings).rules.round_s == 1


def recorded_rows(count=9):
    """Orders that kim carries one after the other, and lee the last."""
    rows = []
    for k, row in enumerate(day(count)):
        told, fetched, brought = (f"17:{5 * k + minute:02d}" for minute in (1, 3, 4))
        rider = "lee" if k == count - 1 else "kim"
        rows.append(row | {"rider_id": rider, "told_at": told, "picked_up_at": fetched, "delivered_at": brought})
    return rows


def test_the_sequence_of_a_rider_is_that_of_their_recorded_acts(tmp_path):
    scenario = imported(tmp_path, orders=changed(recorded_rows(), [1], picked_up_at="17:09", delivered_at="17:21"))
    numbers = {one.order_id: (one.fetch_number, one.drop_number) for one in scenario.recorded}
    # kim: fetch 0, bring 0, fetch 1 (17:09), fetch 2 (17:13), bring 2 (17:14), fetch 3 (17:18) ... bring 1 at 17:21.
    assert [numbers[f"w{k}"] for k in range(4)] == [(0, 1), (2, 7), (3, 4), (5, 6)]
    assert scenario.recorded_times[1].delivered_at - scenario.recorded_times[1].picked_up_at == 12 * 60


@pytest.mark.parametrize(
    ("where", "cells", "field", "words"),
    [
        ([2], {"rider_id": "zoe"}, "rider_id", "no rider zoe"),
        ([2], {"rider_id": ""}, "rider_id", "not who carried it"),
        ([2], {"delivered_at": "17:12"}, "delivered_at", "before it was picked up"),
        ([2], {"told_at": "soon"}, "told_at", "not an instant"),
    ],
)
def test_what_cannot_have_been_recorded_is_refused(tmp_path, where, cells, field, words):
    with pytest.raises(InvalidInput, match=words) as found:
        imported(tmp_path, orders=changed(recorded_rows(), where, **cells))
    assert (found.value.details["line"], found.value.details["field"]) == (4, field)


@pytest.mark.parametrize(
    ("where", "cells", "words"),
    [
        ([3], {"rider_id": "", "told_at": "", "picked_up_at": "", "delivered_at": ""}, "1 of 9 orders name no rider"),
        ([3], {"told_at": ""}, "1 recorded orders say not when"),
        ([3], {"told_at": "17:19"}, "1 recorded orders were told after their pickup"),
        ([3], {"lat": "-41.10", "lng": "174.90"}, "2 times a rider was in two places, the worst kim"),
        (range(9), {"told_at": "15:30"}, ""),
    ],
)
def test_what_cannot_be_is_named(tmp_path, where, cells, words):
    if not words:
        rows = changed(recorded_rows(), [8], told_at="22:30", picked_up_at="22:35", delivered_at="22:40")
        words = "1 recorded orders were told to riders outside their shifts, the first w8"
    else:
        rows = changed(recorded_rows(), where, **cells)
    notes = imported(tmp_path, orders=rows).notes
    assert [note for note in notes if note.startswith(words)], notes


def test_the_example_is_read_without_a_word_and_agrees_with_itself():
    """The evening that docs/your-day.md walks through: as replayed it is as recorded."""
    folder = ROOT / "examples" / "your_day"
    scenario = import_tables(folder / "orders.csv", folder / "riders.csv", folder / "mapping.toml")
    assert scenario.notes == () and len(scenario.recorded) == 60
    lives = again(scenario).folded.orders
    replayed = [(o, life.picked_up_at, life.delivered_at) for o, life in sorted(lives.items())]
    assert replayed == sorted(map(tuple, scenario.recorded_times))
    assert as_recorded(scenario)["delivered"] == 60
