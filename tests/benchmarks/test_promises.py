"""How what was said is judged: coverage, slices, loss and tenths, each on a few orders counted by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.promises import days, helsinki, steps
from benchmarks.promises.judging import constant_of, covered, ended, judged
from benchmarks.promises.page import Steps, page
from dispatch.promise.told import PLAN, QUOTE, Said
from dispatch.promise.tracker import Tracker
from dispatch.record.telling import Telling


def said(expected_at: int = 1000, on_time: int = 500, p90_s: int = 100, groups: tuple[str, ...] = ()) -> Said:
    return Said(QUOTE, expected_at, 1500, (0,) * 8 + (p90_s, p90_s), on_time, True, groups)


def heard(order_id: str, delivered_at: int | None, known_at: int | None = 2000, **more: object):
    told = said(**more)
    return Telling(order_id, 0, told, known_at, delivered_at), told


def test_orders_are_judged_by_what_came() -> None:
    rows = [
        heard("a", 1100, groups=("quote/all", "quote/load:1", "quote/recent:2")),
        heard("b", 1101, groups=("quote/all", "quote/load:1")),
        heard("c", None, groups=("quote/all", "quote/load:2")),
        heard("d", 1600, known_at=None, groups=("quote/all", "quote/load:2")),
    ]
    found = judged(
        "x", ended(rows, QUOTE), {"a": 1100.0, "b": 1051.0}, {"store": {"a": "busy", "b": "quiet", "c": "busy"}.get}
    )
    assert (found.orders, found.undelivered) == (3, 1)
    assert found.p90 == pytest.approx(1 / 3), "a came by its P90, c never"
    # a: 0 s late; b: 1 s late costs .9 s.  Of the constant: a 0 s, b 50 s late.
    assert found.pinball_s == pytest.approx(0.45) and found.plain_s == pytest.approx(22.5)
    assert found.ratio == pytest.approx(0.02)
    shares = {(one.by, one.group): (one.orders, one.covered) for one in found.slices}
    assert shares == {
        ("load", "1"): (2, 0.5), ("load", "2"): (1, 0.0), ("store", "busy"): (2, 0.5), ("store", "quiet"): (1, 0.0)
    }  # fmt: skip
    assert [(one.orders, one.said, one.came) for one in found.tenths] == [(3, 0.5, pytest.approx(2 / 3))]
    assert found.large == [] and found.widest == 0, "too few orders to tell"
    assert ended(rows, PLAN) == [] and covered(ended(rows, QUOTE)) == pytest.approx(1 / 3)


def test_nine_in_ten_come_by_the_constant() -> None:
    told = [heard(str(n), 1000 + n)[0] for n in range(1, 21)]
    assert constant_of(told) == 18
    told[0] = told[0]._replace(delivered_at=None)
    assert constant_of(told) == 19
    assert constant_of([one._replace(delivered_at=None) for one in told]) == math.inf


def test_a_step_is_followed_and_looked_at_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two days of orders every minute that come when they are expected: without a step all is covered."""
    day = [
        Telling(str(n), 60 * n, said(60 * n + 1200, groups=("quote/all",)), 60 * n + 1200, 60 * n + 1200)
        for n in range(900)
    ]
    known = Tracker()
    after_300, after_600 = steps.after_the_step([day, day, day], known, QUOTE, 1)
    assert after_300 <= after_600 and after_600 > 0.8
    monkeypatch.setattr(steps, "SKIPPED", (0,))
    assert steps.after_the_step([day, day, day], known, QUOTE, 1)[0] < after_300
    assert known.offsets == {}, "what is known beforehand is copied for each seed"


def test_days_differ_in_staff_and_weather() -> None:
    sizes = [days.size_of(seed) for seed in days.REPORTED]
    assert [size.rain for size in sizes] == [False] * 7 + [True]
    assert len({size.scarcity for size in sizes}) > 3
    assert not set(days.REPORTED) & {*days.FITTED, *days.CHOSEN_ON}


def test_real_minutes_are_read_as_quotes(tmp_path: Path) -> None:
    head = "TIMESTAMP,VENUE_LAT,VENUE_LONG,ESTIMATED_DELIVERY_MINUTES,ACTUAL_DELIVERY_MINUTES,PRECIPITATION\n"
    rows = ["2020-08-01 06:07:00.000,60.16,24.946,29,10,0", "2020-08-01 06:05:00.000,60.16,24.946,20,35,0.5"]
    (tmp_path / "orders.csv").write_text(head + "\n".join(rows))
    first, second = helsinki.minutes(tmp_path / "orders.csv")
    assert second.at - first.at == 120, "in the order of placement"
    assert (first.said.expected_at - first.at, first.delivered_at - first.at) == (1200, 2100)
    assert "quote/weather:rain" in first.said.groups and not any("weather" in group for group in second.said.groups)
    assert "quote/load:0" in first.said.groups and "quote/load:2" in second.said.groups, "one is under way: the usual"


def test_the_page_says_where_a_floor_is_missed() -> None:
    found = judged("Days", ended([heard("a", 1100), heard("b", 1101)], QUOTE), {"a": 1100.0, "b": 1051.0}, {})
    text = page([found], [Steps("Days, +8 minutes", 0.7, 0.9)], "promises.csv", [711, 713])
    assert "2 of 8 days (seeds 711, 713)" in text
    assert "| Days | 2 | 0.000 | **0.500**, floor missed | 0.87-0.93 |" in text
    assert "| Days, +8 minutes | 0.900 | 0.700, floor missed |" in text
