"""A whole day through engine and city: nothing is lost, nothing is known too early, the same day twice is the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatch.board.board import Board
from dispatch.engine.decisions import rounds
from dispatch.inputs import Parked, PositionsSeen
from dispatch.model import OrderState
from dispatch.policies.batch import Batch
from dispatch.policies.greedy import Greedy
from dispatch.policies.nearest import Nearest
from dispatch.policies.policy import HalfhourPolicy
from dispatch.record.kpi import decisions
from sim.mdrp.rules import judge, read_instance, read_solution
from sim.replay.replay import replay, replay_into
from tests.kit.data import grubhub_instances, needs_data
from tests.kit.days import broken_physics, cut_orders, ends, lived, read_day, write_day

POLICIES = (Nearest, Greedy, Batch, HalfhourPolicy)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def day(seed, **size):
    with tempfile.TemporaryDirectory() as name:
        return read_day(write_day(Path(name) / f"day{seed}", seed, **size))


@pytest.mark.parametrize("policy", POLICIES)
@given(seed=st.integers(0, 10_000))
@example(seed=0)
def test_a_day_is_sound(policy, seed):
    scenario = day(seed)
    run, heard = lived(scenario, policy(), audit=True)
    final = ends(heard)
    assert run.complete
    assert run.violations == []
    assert set(run.folded.orders) == {one.order.order_id for one in scenario.demand}
    assert all(states == [OrderState.DELIVERED] for states in final.values())
    assert run.summary["delivered"] == len(final)
    assert run.summary["delivered"] + run.summary["undelivered"] == run.summary["orders"] == len(scenario.demand)
    assert broken_physics(scenario, run.folded) == []
    assert run.summary["counts"].get("contradicted_reports", 0) == 0


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(6))
def test_the_judge_of_the_published_rules_finds_nothing(folder, policy, seed):
    instance = write_day(folder / "day", seed, orders=40, couriers=6)
    run = replay_into(folder / "run", read_day(instance), policy())
    verdict = judge(read_instance(instance), read_solution(folder / "run" / "mdrp"), "preposition")
    assert verdict.violations == []
    assert verdict.measures["orders"] - verdict.measures["undelivered"] == run.summary["delivered"] > 0


def test_without_empty_moves_nobody_leaves_before_he_could_know(folder):
    instance = write_day(folder / "day", 3, orders=40, couriers=6)
    scenario = read_day(instance)
    settings = scenario.catalogue.settings.with_values({"rules.empty_moves": False})
    replay_into(folder / "run", scenario, HalfhourPolicy(), settings=settings)
    verdict = judge(read_instance(instance), read_solution(folder / "run" / "mdrp"), "updates")
    assert verdict.violations == []


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("minute", [31, 64, 97])
def test_nobody_sees_the_future(folder, policy, minute):
    whole = write_day(folder / "whole", 11, orders=40, couriers=6)
    cut = cut_orders(whole, folder / "cut", minute)
    assert len(read_day(cut).demand) < len(read_day(whole).demand)
    told = []
    for instance in (whole, cut):
        scenario = read_day(instance)
        _, heard = lived(scenario, policy())
        told.append(decisions(heard, before=scenario.catalogue.begin_at + minute * 60))
    assert told[0] == told[1]
    assert told[0] != []


def test_the_whole_journal_before_a_cut_is_the_same(folder):
    scenario = read_day(write_day(folder / "whole", 11, orders=40, couriers=6))
    at = scenario.catalogue.begin_at + 64 * 60
    said = []
    for version in (scenario, scenario.before(at)):
        _, heard = lived(version, HalfhourPolicy())
        said.append([entry for entry in heard if entry[0].at < at])
    assert said[0] == said[1]


def test_what_is_folded_equals_what_was_lived(folder):
    scenario = read_day(write_day(folder / "day", 5, orders=40, couriers=6))
    run, heard = lived(scenario, HalfhourPolicy())
    board = Board(scenario.fresh().catalogue.places, run.settings)
    for item, events in heard:
        for event in events:
            board.apply(event)
        board.now = max(board.now, item.at)
    assert board.dump() == run.board.dump()


@pytest.mark.parametrize(("jit", "orders"), [("on", 30), ("off", 8)])
def test_two_processes_decide_alike(folder, jit, orders):
    instance = write_day(folder / "day", 7, orders=orders, couriers=5)
    here = replay(read_day(instance), HalfhourPolicy()).summary["decision_digest"]
    code = (
        "import sys; from pathlib import Path; from dispatch.policies.policy import HalfhourPolicy;"
        "from sim.replay.replay import replay;"
        "from sim.sources import open_scenario;"
        "print(replay(open_scenario(Path(sys.argv[1])), HalfhourPolicy()).summary['decision_digest'])"
    )
    env = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": str(ROOT), "NUMBA_DISABLE_JIT": str(int(jit == "off"))}
    there = subprocess.run(
        [sys.executable, "-c", code, str(instance)], env=env, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


def test_a_replay_leaves_the_scenario_as_it_was(folder):
    scenario = read_day(write_day(folder / "day", 2))
    before = scenario.catalogue.digest
    first = replay(scenario, Nearest()).summary["decision_digest"]
    assert replay(scenario, Nearest()).summary["decision_digest"] == first
    assert read_day(folder / "day").catalogue.digest == before


def test_an_interrupt_keeps_what_was_finished(folder):
    scenario = read_day(write_day(folder / "day", 4, orders=30, couriers=5))

    def stop(progress):
        if progress.delivered >= 5:
            raise KeyboardInterrupt

    replay_into(folder / "run", scenario, Nearest(), progress=stop)
    summary = json.loads((folder / "run" / "summary.json").read_text())
    assert summary["complete"] is False
    assert 5 <= summary["delivered"] < 30


def test_store_means_hide_the_true_ready_times(folder):
    scenario = read_day(write_day(folder / "day", 9, orders=40, couriers=6))
    settings = scenario.catalogue.settings.with_values({"rules.ready_times": "store_mean"})
    run, heard = lived(scenario, HalfhourPolicy(), settings=settings)
    means = {store.store_id: store.mean_ready_s for store in scenario.catalogue.stores}
    ready = {one.order.order_id: one.ready_at for one in scenario.demand}
    for life in run.folded.orders.values():
        assert life.order.expected_ready_at - life.order.placed_at == means[life.order.store_id]
        assert life.known_ready_at == ready[life.order.order_id]
    assert broken_physics(scenario, run.folded) == []
    assert all(states == [OrderState.DELIVERED] for states in ends(heard).values())


def test_who_may_be_diverted_is_seen_on_his_way():
    """Phones of published days report stops only: a rider under way would be believed where their shift began."""
    door_s = {}
    for divert in (False, True):
        total = 0.0
        for seed in range(3):
            scenario = day(seed, orders=40, couriers=6)
            settings = scenario.catalogue.settings.with_values({"rules.divert": divert})
            run, heard = lived(scenario, HalfhourPolicy(), settings=settings, audit=True)
            seen = [item for item, _ in heard if isinstance(item, PositionsSeen)]
            assert bool(seen) is divert
            assert run.violations == []
            total += run.summary["click_to_door_mean_s"]
        door_s[divert] = total
    # Diverting is a liberty: used with open eyes it does not cost more than the noise of three small days.
    assert door_s[True] < 1.05 * door_s[False]


@needs_data
@pytest.mark.data
@pytest.mark.parametrize("name", ["0o50t100s1p100", "1o50t100s1p100"])
def test_published_days_show_no_future(folder, name):
    whole = next(path for path in grubhub_instances() if path.name == name)
    for minute in (500, 700):
        cut = cut_orders(whole, folder / f"cut{minute}", minute)
        told = []
        for instance in (whole, cut):
            scenario = read_day(instance)
            _, heard = lived(scenario, HalfhourPolicy())
            told.append(decisions(heard, before=scenario.catalogue.begin_at + minute * 60))
        assert told[0] == told[1] != []


@needs_data
@pytest.mark.data
@pytest.mark.parametrize("policy", [Nearest, Batch])
def test_published_days_break_no_rule(folder, policy):
    for path in grubhub_instances()[::9]:
        replay_into(folder / path.name, read_day(path), policy())
        verdict = judge(read_instance(path), read_solution(folder / path.name / "mdrp"), "preposition")
        assert verdict.violations == []


@pytest.mark.parametrize("what", ["wake", "answer"])
def test_what_fails_because_of_one_rider_costs_that_rider_and_not_the_day(monkeypatch, what):
    """As a live host does: the culprit of a wake-up or of an answer is parked, and the rest of the day happens."""
    scenario = day(3)
    sick = scenario.catalogue.riders[0].rider_id
    if what == "wake":
        honest_silent = rounds._silent

        def silent(board, rider_id, at):
            if rider_id == sick:
                raise ZeroDivisionError
            return honest_silent(board, rider_id, at)

        monkeypatch.setattr(rounds, "_silent", silent)
    else:
        honest_fits = rounds._fits

        def fits(board, change, chosen):
            if change.rider_id == sick:
                raise ZeroDivisionError
            return honest_fits(board, change, chosen)

        monkeypatch.setattr(rounds, "_fits", fits)
    run, heard = lived(scenario, HalfhourPolicy())
    blamed = [item for item, _ in heard if isinstance(item, Parked)]
    assert blamed and {rider_id for item in blamed for rider_id in item.rider_ids} == {sick}
    assert run.complete and run.summary["delivered"] >= len(scenario.demand) // 2
    assert {life.rider_id for life in run.folded.orders.values() if life.delivered_at} - {sick}


def test_a_fault_that_no_rider_is_to_blame_for_ends_the_day_as_before(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(rounds, "next_round_at", broken)
    with pytest.raises(ZeroDivisionError):
        lived(day(3), HalfhourPolicy())
