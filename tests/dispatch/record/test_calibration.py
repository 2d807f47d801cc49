"""What was said against what came; and what was said in finished runs, tracked once more."""

from __future__ import annotations

import numpy as np
import pytest

from dispatch import events as e
from dispatch.inputs import Wake
from dispatch.model import Order, OrderState
from dispatch.promise.told import LEVELS, PLAN, Said
from dispatch.promise.tracker import Tracker
from dispatch.record import calibration
from dispatch.record.lives import OrderLife
from dispatch.record.telling import taught_by, tellings, tracked_again


def said(on_time: int = 500, due_at: int = 1000, groups: tuple[str, ...] = ("plan/all", "plan/load:2")) -> Said:
    return Said(PLAN, 1000, due_at, tuple(range(-300, 700, 100)), on_time, False, groups)


def ended(delivered_at: int | None, what: Said, state: OrderState = OrderState.DELIVERED) -> OrderLife:
    order = Order("o", "s", 0, placed_at=0, expected_ready_at=0, due_at=what.due_at)
    end = delivered_at if delivered_at is not None else 9999
    return OrderLife(order, state, delivered_at=delivered_at, ended_at=end, said=(what,))


def test_coverage_counts_what_never_came_as_missed() -> None:
    lives = [ended(1100, said()), ended(1101, said()), ended(None, said(), OrderState.UNDELIVERED)]
    lives.append(ended(None, said(), OrderState.CANCELLED))
    found = calibration.outcomes(lives)
    assert len(found) == 3, "who called it off is left out"
    assert calibration.coverage(found, 500) == pytest.approx(1 / 3)  # by 1100
    assert calibration.coverage(found, 950) == pytest.approx(2 / 3)
    assert calibration.coverage([], 500) is None


def test_tenths_say_what_was_said_and_what_came() -> None:
    lives = [ended(900, said(210))] * 3 + [ended(1001, said(290))] + [ended(900, said(975))] * 2
    rows = calibration.tenths(calibration.outcomes(lives))
    assert [(row.orders, round(row.said, 3), row.came) for row in rows] == [(4, 0.23, 0.75), (2, 0.975, 1.0)]
    found = calibration.outcomes(lives)
    assert calibration.gap(found, enough=4) == pytest.approx(0.52)
    assert calibration.gap(found, enough=5) is None


def test_slices_go_by_the_groups_that_were_said() -> None:
    lives = [ended(1000, said()), ended(1600, said()), ended(1000, said(groups=("plan/all",)))]
    found = calibration.outcomes(lives)
    rows = calibration.slices(found, lambda one: calibration.group_of(one, "load"))
    assert rows == {"": (1, 1.0), "2": (2, 0.5)}


def run(late: np.ndarray, every_s: int = 30) -> list[tuple[Wake, tuple[e.Event, ...]]]:
    """A journal of orders expected half an hour after something is said of them."""
    entries: list[tuple[int, e.Event]] = []
    for n, late_s in enumerate(late.tolist()):
        at = n * every_s
        what = Tracker().said(PLAN, at + 1800, at + 1800, ("plan/all", "plan/recent:2"))
        entries.append((at, e.PromiseSaid(at=at, order_id=f"o{n}", said=what)))
        came = at + 1800 + late_s
        moved = e.OrderMoved(at=came, order_id=f"o{n}", state=OrderState.DELIVERED, happened_at=came)
        entries.append((came, moved))
    return [(Wake(at=at), (event,)) for at, event in sorted(entries, key=lambda one: one[0])]


def test_a_run_tracked_once_more_is_calibrated_for_the_next() -> None:
    rng = np.random.default_rng(4)
    first, second = (tellings(run(rng.gamma(2.0, 200, 1500).astype(int))) for _ in range(2))
    tracker = Tracker()
    tracked_again(first, tracker)
    assert tracker.is_calibrated(PLAN)
    found = tracked_again(second, tracker)
    share = np.mean([one.delivered_at <= what.p90_at for one, what in found])
    assert 0.87 <= share <= 0.93
    assert all(what.calibrated for _, what in found)


def test_tracking_once_more_uses_no_end_before_it_is_known() -> None:
    late = np.random.default_rng(6).normal(100, 200, 400).astype(int)
    other = late.copy()
    other[200:] += 1800
    before, after = (tracked_again(tellings(run(one)), Tracker()) for one in (late, other))
    first_known = 200 * 30 + 1800 + int(late[200:].min())
    same = [(a.at, x.tracked_s == y.tracked_s) for (a, x), (_, y) in zip(before, after, strict=True)]
    assert all(equal for at, equal in same if at < first_known)
    assert not all(equal for at, equal in same if at > first_known + 3600)


def test_a_step_can_be_tried() -> None:
    told = tellings(run(np.zeros(300, dtype=int)))
    plain, later = tracked_again(told, Tracker()), tracked_again(told, Tracker(), shifted=lambda one: 480)
    assert later[0][0].delivered_at - plain[0][0].delivered_at == 480
    assert later[-1][1].p90_at > plain[-1][1].p90_at


def test_what_a_tracker_knows_is_said_to_an_engine_whole() -> None:
    tracker = Tracker()
    tracked_again(tellings(run(np.full(50, 120))), tracker)
    item = taught_by(tracker, 7)
    again = Tracker.of(item.groups, item.taught, item.spread_ms)
    for field in ("offsets", "counts", "taught", "spread_ms"):
        assert getattr(again, field) == getattr(tracker, field)
    assert all(len(offsets) == len(LEVELS) for _, _, offsets in item.groups)
