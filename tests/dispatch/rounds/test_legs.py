"""The legs of a round of trips: those left out are never looked at, whatever stands there; how places are numbered."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from benchmarks.inputs.synthetic_days import busy_round
from dispatch import inputs as i
from dispatch.policies.policy import HalfhourPolicy
from dispatch.rounds import freeze as freezing
from dispatch.rounds import legs
from dispatch.rounds.frozen_round import Frozen
from dispatch.rounds.solve import solve_round
from routing.travel import UNREACHABLE, TravelTimes
from tests.dispatch.engine.test_anything_happens import OPERATIONS, Storm

BAITS = (UNREACHABLE, 0)
"""What stands where no leg is asked for: a plan that looked there would shun it, or drive there for nothing."""
TRIPS: dict[str, Any] = {
    "rules__mix": "same_store", "search__recipe": "lns", "search__work_per_order": 40, "rules__max_batch": 3,
}  # fmt: skip


def answers(frozen: Frozen, times: TravelTimes, monkeypatch: pytest.MonkeyPatch) -> list[i.RoundSolved]:
    """The answer over the whole block, and with each bait where legs are left out."""
    found = []
    for least, bait in ((2**62, UNREACHABLE), *((0, bait) for bait in BAITS)):
        monkeypatch.setattr(legs, "PAIRS_FROM", least)
        monkeypatch.setattr(legs, "AT_ONCE", 1)
        monkeypatch.setattr(legs, "UNREACHABLE", bait)
        found.append(solve_round(frozen, times))
    monkeypatch.undo()
    return found


class TriedWithBaits(HalfhourPolicy):
    """Answers each round as ever, once it has seen that the answer does not change with what is left out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.monkeypatch = monkeypatch
        self.rounds = 0

    def answer(self, frozen: Frozen, travel: TravelTimes) -> i.RoundSolved:
        whole, *baited = answers(frozen, travel, self.monkeypatch)
        assert all(answer == whole for answer in baited)
        self.rounds += bool(whole.changes)
        return super().answer(frozen, travel)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_the_answer_does_not_hang_on_what_is_left_out(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    luck = random.Random(seed)
    more = {
        "rules__divert": luck.random() < 0.5,
        "rules__empty_moves": luck.random() < 0.3,
        "prices__drive_per_metre": seed % 2,
    }
    storm = Storm(luck.random() < 0.5, **TRIPS, **more)
    tried = storm.world.policy = TriedWithBaits(monkeypatch)
    kinds = OPERATIONS.elements  # type: ignore[attr-defined]
    for step in range(60):
        storm.play("order" if step < 6 else luck.choice(kinds), luck.randrange(2000), luck.randrange(2000))
        if luck.random() < 0.03:
            scope = luck.choice(("any", "same_store"))
            storm.world.say(i.SettingChanged(at=storm.world.now, key="rules.mix", value=scope))
    assert tried.rounds > 0


def test_a_busy_round_asks_for_few_legs_and_is_answered_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    made = busy_round(50, 100)
    whole, *baited = answers(made.frozen, made.times, monkeypatch)
    assert all(answer == whole for answer in baited) and whole.changes
    monkeypatch.setattr(legs, "PAIRS_FROM", 0)
    monkeypatch.setattr(legs, "AT_ONCE", 1)
    few, every = (one(made.frozen, made.times).ticks for one in (legs.legs_of_trips, legs.travel_block))
    asked = few < UNREACHABLE
    assert (few[asked] == every[asked]).all() and 0.1 < asked.mean() < 0.5


def test_a_bag_that_mixes_stores_is_given_every_leg(monkeypatch: pytest.MonkeyPatch) -> None:
    made = busy_round(20, 40, rules__mix="any")
    monkeypatch.setattr(legs, "PAIRS_FROM", 0)
    every = legs.travel_block(made.frozen, made.times).ticks
    assert (legs.legs_of_trips(made.frozen, made.times).ticks == every).all() and (every < UNREACHABLE).all()


@pytest.mark.parametrize("scope", ["same_store", "any"])
def test_a_round_numbered_along_cells_is_answered_alike(scope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Local numbers are names: the answer is in ids and handles, and the same for any order of places."""
    made = busy_round(30, 60, rules__mix=scope, reposition__every_s=60)
    by_cell = made.frozen
    assert len(by_cell.problem.place) < freezing.ALONG_CELLS_FROM
    cell = made.engine.board.places.cell[by_cell.problem.place]
    along = by_cell.numbered_along(cell)
    assert not (along.problem.place == by_cell.problem.place).all()
    for part in np.split(made.engine.board.places.cell[along.problem.place], [along.destinations]):
        assert (np.diff(part.astype(np.int64)) >= 0).all()
    assert sorted(along.problem.place.tolist()) == sorted(by_cell.problem.place.tolist())
    for name in ("pick_place", "drop_place", "start_place", "store"):
        of = [problem.place[getattr(problem, name)] for problem in (by_cell.problem, along.problem)]
        assert (of[0] == of[1]).all(), name
    assert solve_round(along, made.times) == solve_round(by_cell, made.times)
    monkeypatch.setattr(freezing, "ALONG_CELLS_FROM", 0)
    large = made.engine.freeze()
    assert (large.problem.place == along.problem.place).all() and large.ids.store_of == along.ids.store_of
