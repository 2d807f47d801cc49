"""Tracked quantiles: equal to a slow twin, blind to the future, calibrated on what comes, steady under nasty input."""

from __future__ import annotations

import heapq
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dispatch.promise.told import LEAST, LEVELS, MOST, P50, P90, PLAN, kept
from dispatch.promise.tracker import CALIBRATED_FROM, Tracker
from tests.dispatch.promise.twin import SlowTracker

NAMES = st.lists(st.sampled_from(["plan/a", "plan/b", "plan/c"]), unique=True, max_size=3).map(
    lambda found: ("plan/all", *found)
)
LATE = st.one_of(st.none(), st.integers(-7200, 7200), st.just(10**7))
ENDS = st.lists(st.tuples(NAMES, LATE, st.integers(0, 5000)), max_size=30)


@given(ENDS)
def test_it_knows_what_its_slow_twin_knows(ends: list[tuple[tuple[str, ...], int | None, int]]) -> None:
    fast, slow = Tracker(), SlowTracker()
    for groups, late_s, under_way in ends:
        said = fast.said(PLAN, 1000, 1000, groups)
        assert said.tracked_s == slow.said(groups)
        fast.learn(fast.lesson(said, None if late_s is None else 1000 + late_s, under_way))
        slow.ended(groups, said.tracked_s, late_s, under_way)


@given(ENDS)
def test_what_is_said_rises_and_is_a_probability(ends: list[tuple[tuple[str, ...], int | None, int]]) -> None:
    tracker = Tracker()
    for groups, late_s, under_way in ends:
        said = tracker.said(PLAN, 0, 600, groups)
        assert list(said.quantiles_s) == sorted(said.tracked_s) and said.p50_at <= said.p90_at
        assert LEAST <= said.on_time <= MOST
        tracker.learn(tracker.lesson(said, late_s, under_way))


@given(ENDS)
def test_a_snapshot_goes_on_alike(ends: list[tuple[tuple[str, ...], int | None, int]]) -> None:
    tracker = Tracker()
    for groups, late_s, under_way in ends:
        tracker.learn(tracker.lesson(tracker.said(PLAN, 0, 600, groups), late_s, under_way))
    again = Tracker.load(json.loads(json.dumps(tracker.dump())))
    assert again.dump() == tracker.dump()
    assert again.said(PLAN, 0, 600, ("plan/all", "plan/a")) == tracker.said(PLAN, 0, 600, ("plan/all", "plan/a"))
    assert Tracker.load({}).dump() == Tracker().dump()


@given(st.lists(st.integers(-600, 3000), min_size=len(LEVELS), max_size=len(LEVELS)), st.integers(-900, 3600))
def test_a_later_promise_is_kept_more_often(offsets: list[int], slack_s: int) -> None:
    quantiles = tuple(sorted(offsets))
    assert kept(quantiles, slack_s) <= kept(quantiles, slack_s + 1)


def test_between_two_quantiles_by_a_straight_line() -> None:
    quantiles = tuple(range(0, 100 * len(LEVELS), 100))
    assert [kept(quantiles, slack_s) for slack_s in (-1, 0, 50, 100, 850, 899, 900)] == [
        LEAST, 100, 150, 200, 925, 949, MOST
    ]  # fmt: skip
    assert kept((60,) * len(LEVELS), 59) == LEAST and kept((60,) * len(LEVELS), 60) == MOST


# --- a stream of orders ---------------------------------------------------------------------------------------------


def stream(
    late: np.ndarray, *, groups: list[tuple[str, ...]] | None = None, every_s: int = 20
) -> list[tuple[int, ...]]:
    """What is said of each of many orders, one every `every_s`, expected in half an hour, that come so much later."""
    tracker, under_way, told = Tracker(), [], []
    for n, late_s in enumerate(late.tolist()):
        now = n * every_s
        while under_way and under_way[0][0] <= now:
            at, _, ended = heapq.heappop(under_way)
            tracker.learn(tracker.lesson(ended, at, len(under_way)))
        names = groups[n] if groups is not None else ("plan/all",)
        said = tracker.said(PLAN, now + 1800, now + 1800, names)
        told.append(said.quantiles_s)
        heapq.heappush(under_way, (now + 1800 + late_s, n, said))
    return told


def test_no_delivery_counts_before_it_has_happened() -> None:
    """What comes after an instant, in whatever order, changes nothing that was said up to it."""
    rng = np.random.default_rng(7)
    late, cut = rng.normal(120, 300, 900).astype(int), 500
    told = stream(late)
    other = late.copy()
    other[cut:] = rng.permutation(other[cut:]) + 900
    known = next(n for n in range(len(late)) if n * 20 >= (cut * 20 + 1800 + min(late[cut:].min(), other[cut:].min())))
    again = stream(other)
    assert again[: known + 1] == told[: known + 1]
    assert again[known + 200 :] != told[known + 200 :], "or the test would see nothing"


def coverage(told: list[tuple[int, ...]], late: np.ndarray, level: int, begin: int, end: int | None = None) -> float:
    said = np.array([quantiles[level] for quantiles in told])
    return float((late[begin:end] <= said[begin:end]).mean())


def test_what_is_said_comes_true() -> None:
    """Two kinds of orders, one late and wild, one early and tame: each is covered for itself."""
    rng = np.random.default_rng(3)
    wild = rng.random(12_000) < 0.4
    late = np.where(wild, rng.gamma(2.0, 400, 12_000), rng.normal(-200, 90, 12_000)).astype(int)
    told = stream(late, groups=[("plan/all", f"plan/kind:{int(one)}") for one in wild])
    for kind in (True, False):
        mine = np.flatnonzero(wild == kind)[2400:]
        picked = [told[n] for n in mine]
        for level in range(len(LEVELS)):
            assert abs(coverage(picked, late[mine], level, 0) - LEVELS[level] / 1000) < 0.05, (kind, level)


def test_a_step_of_eight_minutes_is_followed() -> None:
    """Everything takes eight minutes more from one order on: P90 holds again in the 300 orders after the 600th."""
    before, after = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        late = rng.normal(60, 330, 3000).astype(int)
        late[1800:] += 480
        told = stream(late)
        before.append(coverage(told, late, P90, 1800, 1880))
        after.append(coverage(told, late, P90, 2400, 2700))
    assert np.mean(before) < 0.7, "there is something to follow"
    assert 0.87 <= np.mean(after) <= 0.93, after


def test_orders_that_never_come_make_it_careful() -> None:
    rng = np.random.default_rng(5)
    missing = rng.random(3000) < 0.3
    tracker = Tracker()
    for lost in missing:
        said = tracker.said(PLAN, 0, 0, ("plan/all",))
        tracker.learn(tracker.lesson(said, None if lost else 0, 20))
    before = tracker.said(PLAN, 0, 0, ("plan/all",))
    assert before.quantiles_s[P50] <= 60, "seven in ten come when they are expected"
    assert before.quantiles_s[P90] > 600, "three in ten never do: nobody knows by when nine in ten have come"


def test_it_counts_as_calibrated_when_enough_orders_have_ended() -> None:
    tracker = Tracker()
    for n in range(CALIBRATED_FROM):
        said = tracker.said(PLAN, 0, 0, ("plan/all",))
        assert not said.calibrated, n
        tracker.learn(tracker.lesson(said, 30, 20))
    assert tracker.said(PLAN, 0, 0, ("plan/all",)).calibrated
    assert not tracker.said("quote", 0, 0, ("quote/all",)).calibrated, "another basis"


def test_a_lesson_moves_what_it_names_and_nothing_else() -> None:
    tracker = Tracker()
    said = tracker.said(PLAN, 0, 0, ("plan/all", "plan/a"))
    tracker.learn(tracker.lesson(said, 500, 100))
    assert set(tracker.offsets) == {"plan/all", "plan/a"}
    # A first spread of 300 s, times 2.1, shared by 100 orders under way and two groups: 3.15 s; five times that for a
    # group's first order, times the level, for it came later than said at each of them; the tails move further.
    speed = {500: 1000, 900: 1666}
    for level, factor in speed.items():
        moved = 3_150_000 * factor // 1000 * level // 1000
        assert tracker.offsets["plan/a"][LEVELS.index(level)] == 5000 * moved


def test_of_quantiles_at_one_second_the_highest_counts() -> None:
    quantiles_s = (-60, 0, 0, 0, 60, 120, 180, 240, 300, 360)
    assert [kept(quantiles_s, slack_s) for slack_s in (-30, -1, 0, 30, 60)] == [150, 198, 400, 450, 500]
