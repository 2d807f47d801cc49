"""When a store of a table is open: one day's `opens_at` and `closes_at`, or opening hours as people write them."""

from __future__ import annotations

import datetime
from typing import Any

from dispatch.calendar.opening_hours import InvalidHours, parsed
from sim.scenario import MAX_DAY_S
from sim.sources.clock import DAY_S, DayClock, seconds_of
from sim.sources.rows import TableRow


def opening_of(row: TableRow, clock: DayClock) -> dict[str, Any]:
    """The fields of a Store that say when it is open."""
    one_day = _one_day(row, clock)
    if not row.has("hours"):
        return one_day
    if any(at is not None for at in one_day.values()):
        row.fail("opening hours are said twice", "hours", "Leave opens_at and closes_at empty, or hours.")
    text = row.text("hours")
    try:
        night_before = clock.day - datetime.timedelta(days=1)
        return {"hours": text, "spans": parsed(text).spans(night_before, MAX_DAY_S // DAY_S + 2, clock.zone)}
    except InvalidHours as problem:
        row.fail(problem.message, "hours", problem.hint)


def _one_day(row: TableRow, clock: DayClock) -> dict[str, Any]:
    opens_at = clock.instant(row, "opens_at") if row.has("opens_at") else None
    closes_at = clock.instant(row, "closes_at") if row.has("closes_at") else None
    if opens_at is not None and closes_at is not None and closes_at <= opens_at:
        clock_s = seconds_of(row.text("closes_at"))
        if clock_s is not None and clock_s < DAY_S and closes_at < opens_at:
            # A time of day before the opening is one of the night that follows.
            closes_at = clock.instant(row, "closes_at", days=1)
        if not opens_at < closes_at:
            row.fail("the store closes before it opens", "closes_at", "Past midnight is 02:00, or 26:00.")
    return {"opens_at": opens_at, "closes_at": closes_at}
