"""Instants in tables: times of day, ISO 8601, or epoch seconds."""

from __future__ import annotations

import datetime
import re
import zoneinfo

from routing.errors import InvalidInput
from sim.sources.rows import Row

_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d))?")
DAY_S = 86_400
EPOCH_FROM = 100_000_000
"""A bare number from here on (March 1973) is taken for epoch seconds."""

HOURS_WRITTEN = 100
"""Instants within so many hours of the day's start are written as times of day."""


def zone_of(name: str) -> datetime.tzinfo:
    """The time zone of an IANA name; raises InvalidInput."""
    if name.upper() == "UTC":
        return datetime.UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            f"there is no time zone {name!r}", field="time_zone", hint="Use an IANA name such as Europe/Helsinki."
        ) from None


def seconds_of(text: str) -> int | None:
    """Seconds of a time of day (`18:05`, `18:05:30`; hours past 24 lie after midnight), None if it is not one."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)


class DayClock:
    """Turns cells into epoch seconds and back, for one day in one time zone.

    A time of day counts the seconds that have passed since the day's midnight, so 25:10:00 is ten past one at night.
    """

    def __init__(self, day: datetime.date, time_zone: str, *, pattern: str = "", begins_s: int = 0) -> None:
        """`pattern`: how the file writes instants (strptime); `begins_s`: times of day before it lie after midnight."""
        self._pattern = pattern
        self._begins_s = begins_s
        self.zone = zone_of(time_zone)
        self.time_zone = time_zone
        self.day = day
        self.start_at = int(datetime.datetime.combine(day, datetime.time(), self.zone).timestamp())

    @classmethod
    def around(cls, at: int, time_zone: str) -> DayClock:
        """The clock of the day that holds an instant."""
        return cls(datetime.datetime.fromtimestamp(at, zone_of(time_zone)).date(), time_zone)

    def read(self, text: str) -> int | None:
        """Epoch seconds of a cell, None where it is no instant."""
        clock = seconds_of(text)
        if clock is not None:
            return self.start_at + clock + (DAY_S if clock < self._begins_s else 0)
        try:
            number = float(text)
        except ValueError:
            return self._read_moment(text)
        return int(number) if number == int(number) and number >= EPOCH_FROM else None

    def _read_moment(self, text: str) -> int | None:
        try:
            moment = (
                datetime.datetime.strptime(text, self._pattern)
                if self._pattern
                else datetime.datetime.fromisoformat(text)
            )
        except ValueError:
            return None
        return int((moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).timestamp())

    def instant(self, row: Row, field: str) -> int:
        """Epoch seconds of a cell; fails with file, line and field where it is no instant."""
        text = row.text(field)
        at = self.read(text)
        if at is None:
            row.fail(
                f"{text!r} is not an instant", field, "Write 18:05:30, 2024-05-04T18:05:30+02:00, or epoch seconds."
            )
        return at

    def write(self, at: int) -> str:
        """A cell that `read` turns into `at` again."""
        seconds = at - self.start_at
        if not 0 <= seconds < HOURS_WRITTEN * 3600:
            return str(at) if at >= EPOCH_FROM else datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
