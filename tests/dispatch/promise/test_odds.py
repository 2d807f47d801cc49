"""Probabilities are held against what came: equal to a slow twin, rising, and true where the quantiles are not."""

from __future__ import annotations

from fractions import Fraction
from math import floor, isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.promise import odds
from dispatch.promise.told import LEAST, LEVELS, MOST, PLAN, Said
from dispatch.promise.tracker import ODDS, Tracker

SAID = st.integers(LEAST, MOST)
MOVED = st.lists(st.integers(-(10**9), 10**9), min_size=len(LEVELS), max_size=len(LEVELS))


def test_there_is_a_correction_for_each_level_of_a_lesson() -> None:
    assert len(odds.MIDDLES) == len(LEVELS)
    assert odds.shares(LEAST)[0] == odds.shares(MOST)[-1] == 1000
    assert odds.shares(500)[4:6] == (500, 500) and odds.shares(550)[5] == 1000


@given(SAID)
def test_nothing_learnt_changes_nothing(on_time: int) -> None:
    assert sum(odds.shares(on_time)) == 1000
    assert abs(odds.corrected([0] * len(LEVELS), on_time) - on_time) <= 1, "rounded down"


@given(MOVED, SAID, SAID)
def test_a_later_promise_is_not_kept_less_often(moved: list[int], one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert LEAST <= odds.corrected(moved, low) <= odds.corrected(moved, high) <= MOST


class SlowOdds:
    """The twin: every end is remembered, and all of them are gone through again each time."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, int, bool]] = []

    def moved(self) -> list[Fraction]:
        moved = [Fraction(0)] * len(odds.MIDDLES)
        for number, (on_time, said, is_kept) in enumerate(self.ends):
            weight = Fraction(max(8, 200_000 // isqrt((number + 1) * 1_000_000)), 1000)
            for k, share in enumerate(self.shares(on_time)):
                moved[k] += weight * share * ((1000 if is_kept else 0) - said)
        return moved

    @staticmethod
    def shares(on_time: int) -> list[Fraction]:
        """Hats over the middles, in thousandths rounded down in favour of the tenth below."""
        below = max(k for k, middle in enumerate(odds.MIDDLES[:-1]) if middle <= on_time)
        way = Fraction(on_time - odds.MIDDLES[below], odds.MIDDLES[below + 1] - odds.MIDDLES[below])
        found = [Fraction(0)] * len(odds.MIDDLES)
        found[below + 1] = Fraction(floor(way * 1000), 1000)
        found[below] = 1 - found[below + 1]
        return found

    def said(self, on_time: int) -> int:
        heights = [middle + move for middle, move in zip(odds.MIDDLES, self.moved(), strict=True)]
        rising = [max(heights[: k + 1]) for k in range(len(heights))]
        value = sum(height * share for height, share in zip(rising, self.shares(on_time), strict=True))
        return max(LEAST, min(floor(value), MOST))


def said_for(tracker: Tracker, on_time: int) -> Said:
    """Said where the quantiles of a second each say `on_time`: a straight line from .1 at 100 s to .95 at 950 s."""
    tracker.offsets["plan/all"] = [level * 1_000_000_000 for level in LEVELS]
    slack = {LEAST: 0, MOST: 2000}.get(on_time, on_time)
    return tracker.said(PLAN, 0, slack, ("plan/all",))


@given(
    st.lists(st.tuples(st.one_of(st.sampled_from((LEAST, MOST)), st.integers(100, 949)), st.booleans()), max_size=40)
)
def test_it_says_what_its_slow_twin_says(ends: list[tuple[int, bool]]) -> None:
    tracker, slow = Tracker(), SlowOdds()
    for on_time, is_kept in ends:
        said = said_for(tracker, on_time)
        assert said.on_time == (slow.said(on_time) if slow.ends else on_time)
        tracker.learn(tracker.odds_lesson(said, said.due_at if is_kept else said.due_at + 1))
        slow.ends.append((on_time, said.on_time, is_kept))
    assert tracker.taught == {} and tracker.counts.get(PLAN + ODDS, 0) == len(ends)


@pytest.mark.parametrize("kept_of", [lambda p: p**0.5, lambda p: p**2, lambda p: 0.3 + 0.4 * p])
def test_what_is_said_comes_true_where_the_quantiles_do_not(kept_of) -> None:
    """A thousand orders teach it; of the next ten thousand, what was said came, in every tenth of it."""
    rng = np.random.default_rng(4)
    tracker, told = Tracker(), []
    for number, on_time in enumerate(rng.integers(100, 950, 11_000).tolist()):
        said = said_for(tracker, on_time)
        is_kept = bool(rng.random() < kept_of(on_time / 1000))
        tracker.learn(tracker.odds_lesson(said, said.due_at if is_kept else None))
        if number >= 1000:
            told.append((said.on_time / 1000, is_kept))
    for tenth in range(10):
        mine = [one for one in told if int(one[0] * 10) == tenth]
        if len(mine) >= 300:
            said_mean, came = np.mean(mine, axis=0)
            assert abs(said_mean - came) < 0.05, (tenth, said_mean, came)
