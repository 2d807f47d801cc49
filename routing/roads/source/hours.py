"""When a condition of a map's tag holds: days and times of day, such as "Mo-Fr 07:00-09:00,16:00-18:00"."""

from __future__ import annotations

import datetime
import functools
import re
import zoneinfo

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DAY_MIN = 24 * 60
_TIME = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_DAY = re.compile(r"(Mo|Tu|We|Th|Fr|Sa|Su)(?:\s*-\s*(Mo|Tu|We|Th|Fr|Sa|Su))?")

Windows = tuple[tuple[int, int, int], ...]
"""(day of the week, first minute, minute after the last); a window over midnight ends above DAY_MIN."""


@functools.cache
def parse_hours(text: str) -> Windows | None:
    """The windows of a condition; None where it speaks of anything but days and times of day.

    Public holidays are passed over.
    """
    windows: list[tuple[int, int, int]] = []
    for part in text.split(";"):
        days, times, rest = _read(part)
        if rest:
            return None
        if days or times:
            windows += [(day, *time) for day in days or range(7) for time in times or [(0, DAY_MIN)]]
    return tuple(windows) or None


def _read(part: str) -> tuple[list[int], list[tuple[int, int]], str]:
    days, times = [], []
    for found in _DAY.finditer(part):
        first, last = DAYS.index(found[1]), DAYS.index(found[2] or found[1])
        days += [day % 7 for day in range(first, last + 1 + (7 if last < first else 0))]
    for found in _TIME.finditer(part):
        begin, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
        times.append((begin, end if end > begin else end + DAY_MIN))
    rest = re.sub(r"\bPH\b(\s+off)?|[,\s()]", "", _DAY.sub("", _TIME.sub("", part)))
    return days, times, rest


def holds(text: str, at: int, timezone: str = "") -> bool:
    """Whether a condition holds at epoch second `at`, by the clocks of a time zone ("" for UTC)."""
    windows = parse_hours(text)
    if windows is None:
        return False
    clock = datetime.datetime.fromtimestamp(at, zoneinfo.ZoneInfo(timezone or "UTC"))
    minute = clock.hour * 60 + clock.minute
    for day, first, end in windows:
        since = (clock.weekday() - day) % 7 * DAY_MIN + minute
        if first <= since < end:
            return True
    return False
