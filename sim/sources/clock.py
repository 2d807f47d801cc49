"""Instants in tables: times of day, ISO 8601, epoch seconds or milliseconds."""

from __future__ import annotations

import datetime
import math
import re

from dispatch.calendar.local_time import UnclearLocalTime, instant_of, instants_of, local_of, zone_of
from sim.sources.rows import TableRow

_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d))?")
DAY_S = 86_400
EPOCH_FROM = 100_000_000
"""A bare number from here on (March 1973) is taken for epoch seconds."""
MILLISECONDS_FROM, MILLISECONDS_TO = 10**11, 10**14
"""And from here on for epoch milliseconds: as seconds it would lie behind the year 5000."""

YEARS = (1971, 2999)
"""A date outside these years is no instant of a delivery."""

HOURS_WRITTEN = 100
"""Instants within so many hours of the day's start are written as times of day."""


def seconds_of(text: str) -> int | None:
    """Seconds of a time of day (`18:05`, `18:05:30`; hours past 24 lie after midnight), None if it is not one."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)


def is_milliseconds(text: str) -> bool:
    """Whether a cell holds epoch milliseconds."""
    return MILLISECONDS_FROM <= (_number(text) or 0.0) < MILLISECONDS_TO


def _number(text: str) -> float | None:
    """The finite number in a cell, None where it holds none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class DayClock:
    """Turns cells into epoch seconds and back, for one day in one time zone.

    A time of day is what clocks show, also on days when they are changed; 25:10:00 is ten past one in the night that
    follows.
    """

    def __init__(self, day: datetime.date, time_zone: str, *, pattern: str = "", begins_s: int = 0) -> None:
        """`pattern`: how the file writes instants (strptime); `begins_s`: times of day before it lie after midnight."""
        self._pattern = pattern
        self._begins_s = begins_s
        self._midnight = datetime.datetime.combine(day, datetime.time())
        self.zone = zone_of(time_zone)
        self.time_zone = time_zone
        self.day = day
        self.start_at = int(self._midnight.replace(tzinfo=self.zone).timestamp())

    @classmethod
    def around(cls, at: int, time_zone: str) -> DayClock:
        """The clock of the day that holds an instant."""
        return cls(local_of(at, zone_of(time_zone)).date(), time_zone)

    def read(self, text: str, *, days: int = 0) -> int | None:
        """Epoch seconds of a cell, None where it is no instant; raises UnclearLocalTime.

        `days`: times of day are those of so many days later.
        """
        clock_s = seconds_of(text)
        if clock_s is not None:
            later = days + (clock_s < self._begins_s)
            return instant_of(self._midnight + datetime.timedelta(days=later, seconds=clock_s), self.zone)
        number = _number(text)
        if number is None:
            return self._read_moment(text)
        if is_milliseconds(text):
            return int(number // 1000)
        return int(number) if number == int(number) and EPOCH_FROM <= number < MILLISECONDS_FROM else None

    def _read_moment(self, text: str) -> int | None:
        try:
            moment = (
                datetime.datetime.strptime(text, self._pattern)
                if self._pattern
                else datetime.datetime.fromisoformat(text)
            )
        except ValueError:
            return None
        if not YEARS[0] <= moment.year <= YEARS[1]:
            return None
        return int(moment.timestamp()) if moment.tzinfo else instant_of(moment, self.zone)

    def instant(self, row: TableRow, field: str, *, days: int = 0) -> int:
        """Epoch seconds of a cell; fails with file, line and field where it is no instant."""
        text = row.text(field)
        try:
            at = self.read(text, days=days)
        except UnclearLocalTime as problem:
            row.fail(problem.message, field, problem.hint)
        if at is None:
            dated = f"a date as in {self._pattern}" if self._pattern else "2024-05-04T18:05:30+02:00"
            row.fail(f"{text!r} is not an instant", field, f"Write 18:05:30, {dated}, or epoch seconds.")
        return at

    def write(self, at: int) -> str:
        """A cell that `read` turns into `at` again."""
        local = local_of(at, self.zone)
        seconds = int((local - self._midnight).total_seconds())
        if not 0 <= seconds < HOURS_WRITTEN * 3600 or instants_of(local, self.zone) != (at,):
            return str(at) if at >= EPOCH_FROM else datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
