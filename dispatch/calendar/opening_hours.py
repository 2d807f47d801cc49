"""Opening hours of a store: the text that people write, and the spans of instants that the engine knows.

The text is a part of what OpenStreetMap calls opening hours: `Mo-Fr 11:00-14:30,17:00-22:00; Sa 12:00-02:00; Su off;
2026-12-25 off`.  A later rule replaces earlier ones on the days it names, a rule without days is for every day, and
times are what clocks show.  Holidays are named by their dates: `PH` is refused in words.  The engine never reads it:
whoever lists a store makes spans of it for the days ahead.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from dispatch.calendar.local_time import instants_of
from routing.errors import InvalidInput

Span = tuple[int, int]
"""Epoch seconds [from, to)."""
Times = tuple[Span, ...]
"""Seconds of clock time since a day's midnight; those past 24 hours lie in the night that follows."""

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DAY_S = 86_400
LONGEST_S = 2 * DAY_S
_TIMES = re.compile(r"(\d{1,2}):([0-5]\d)-(\d{1,2}):([0-5]\d)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_HINT = "Write it like: Mo-Fr 11:00-14:30,17:00-22:00; Sa 12:00-02:00; Su off; 2026-12-25 off"


class InvalidHours(InvalidInput):
    """Opening hours that cannot be read, or that close before they open."""

    code = "invalid_hours"


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """What a text says: times for each day of the week, and for single dates."""

    weekly: tuple[Times, ...]
    dates: tuple[tuple[datetime.date, Times], ...]

    def on(self, day: datetime.date) -> Times:
        """Times of one day."""
        return dict(self.dates).get(day, self.weekly[day.weekday()])

    def spans(self, first: datetime.date, days: int, zone: datetime.tzinfo) -> tuple[Span, ...]:
        """The open spans that begin on `days` days from `first` on, as instants, in order and without overlap."""
        found: list[Span] = []
        for k in range(days):
            day = first + datetime.timedelta(days=k)
            midnight = datetime.datetime.combine(day, datetime.time())
            for opens_s, closes_s in self.on(day):
                span = _instant(midnight, opens_s, zone, 0), _instant(midnight, closes_s, zone, -1)
                if found and span[0] <= found[-1][1]:
                    span = found[-1][0], max(found.pop()[1], span[1])
                if span[0] < span[1]:
                    found.append(span)
        return tuple(found)


def parsed(text: str) -> OpeningHours:
    """Reads opening hours; raises InvalidHours."""
    weekly: list[Times] = [()] * 7
    dates: dict[datetime.date, Times] = {}
    is_weekly = False
    rules = [rule.strip() for rule in text.split(";") if rule.strip()]
    if not rules:
        raise InvalidHours("there is nothing in it", field="hours", hint=_HINT)
    for rule in rules:
        which, times = _rule(rule)
        for day in which:
            if isinstance(day, int):
                weekly[day], is_weekly = times, True
            else:
                dates[day] = times
    if not is_weekly and not any(dates.values()):
        raise InvalidHours(
            "it names days on which it is closed, and none on which it is open", field="hours",
            hint=f"Say when it is open first: 00:00-24:00; {text.strip()}",
        )  # fmt: skip
    return OpeningHours(tuple(weekly), tuple(sorted(dates.items())))


def _rule(rule: str) -> tuple[list[int | datetime.date], Times]:
    if rule == "24/7":
        return _days("Mo-Su"), ((0, DAY_S),)
    words = rule.split()
    if len(words) > 2:
        raise _unread(rule)
    *days, times = words
    named = _days(days[0] if days else "Mo-Su")
    if times in ("off", "closed"):
        return named, ()
    return named, tuple(sorted(_times(part) for part in times.split(",")))


def _times(text: str) -> Span:
    found = _TIMES.fullmatch(text)
    if found is None:
        raise _unread(text)
    hour, minute, to_hour, to_minute = map(int, found.groups())
    opens_s, closes_s = hour * 3600 + minute * 60, to_hour * 3600 + to_minute * 60
    if opens_s >= DAY_S or closes_s > LONGEST_S:
        raise _unread(text)
    if closes_s == opens_s:
        raise InvalidHours(f"{text!r} is no time at all", field="hours", hint="All day long is 00:00-24:00, or 24/7.")
    return opens_s, closes_s if closes_s > opens_s else closes_s + DAY_S


def _days(text: str) -> list[int | datetime.date]:
    found: list[int | datetime.date] = []
    for part in text.split(","):
        if part in ("PH", "SH"):
            raise InvalidHours(
                f"{part} (holidays) is not known here: no calendar comes along", field="hours",
                hint="Name the days themselves: 2026-12-25,2026-12-26 off",
            )  # fmt: skip
        if _DATE.fullmatch(part):
            try:
                found.append(datetime.date.fromisoformat(part))
            except ValueError:
                raise _unread(part) from None
            continue
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise _unread(part)
        begin = DAYS.index(first)
        count = (DAYS.index(last or first) - begin) % 7 + 1
        found += [(begin + k) % 7 for k in range(count)]
    return found


def _unread(text: str) -> InvalidHours:
    return InvalidHours(f"{text!r} is no day, date or time of opening hours", field="hours", hint=_HINT)


def _instant(midnight: datetime.datetime, seconds: int, zone: datetime.tzinfo, which: int) -> int:
    """When clocks show it: opening at the first time, closing at the last; what they skip counts as if they had not."""
    local = midnight + datetime.timedelta(seconds=seconds)
    found = instants_of(local, zone)
    return found[which] if found else int(local.replace(tzinfo=zone).timestamp())
