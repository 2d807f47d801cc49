"""What conditional tags say at a minute of the week, read anew: nothing is shared with the import."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence

DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
DAY, WEEK = 1440, 7 * 1440
_STATEMENT = re.compile(r"\s*([^;@]+?)\s*@\s*(\([^)]*\)|[^;]*)\s*(?:;|$)")
_PIECE = re.compile(
    r"\s*(?:(ph)|(mo|tu|we|th|fr|sa|su)(?:\s*[-–]\s*(mo|tu|we|th|fr|sa|su))?|"
    r"(\d?\d):(\d\d)\s*[-–]\s*(\d?\d):(\d\d))\s*(,|$|(?=\s))"
)


def minute_of(text: str) -> int:
    """The minute of the week of "We 08:30"."""
    day, clock = text.split()
    hour, minute = clock.split(":")
    return DAYS.index(day.lower()) * DAY + int(hour) * 60 + int(minute)


@functools.cache
def minutes(text: str) -> frozenset[int] | None:
    """The minutes of the week in which a condition of days and times holds; None for any other condition."""
    if text.strip() == "24/7":
        return frozenset(range(WEEK))
    found: set[int] = set()
    for rule in text.lower().split(";"):
        days: list[int] = []
        times: list[tuple[int, int]] = []
        holiday, at, rest = False, 0, rule.strip()
        while at < len(rest):
            piece = _PIECE.match(rest, at)
            if piece is None:
                return None
            at = piece.end()
            holiday = holiday or piece[1] is not None
            if piece[2]:
                if times:
                    found |= _spread(days, times, holiday)
                    days, times, holiday = [], [], False
                first, last = DAYS.index(piece[2]), DAYS.index(piece[3] or piece[2])
                days += [(first + k) % 7 for k in range((last - first) % 7 + 1)]
            if piece[4]:
                begin, end = int(piece[4]) * 60 + int(piece[5]), int(piece[6]) * 60 + int(piece[7])
                if max(begin, end) > DAY:
                    return None
                times.append((begin, end if end > begin else end + DAY))
        found |= _spread(days, times, holiday)
    return frozenset(found) or None


def _spread(days: Sequence[int], times: Sequence[tuple[int, int]], holiday: bool) -> set[int]:
    if not days and (holiday or not times):
        return set()
    return {
        (day * DAY + minute) % WEEK
        for day in days or range(7)
        for begin, end in times or [(0, DAY)]
        for minute in range(begin, end)
    }


def statements(text: str) -> list[tuple[str, frozenset[int]]]:
    """(value, minutes) of every statement of a conditional tag that goes by days and times."""
    said = [(value, minutes(when.strip("() "))) for value, when in _STATEMENT.findall(text)]
    return [(value, when) for value, when in said if when is not None]


def at(tags: Mapping[str, str], minute: int | None) -> dict[str, str]:
    """The tags as they are at a minute of the week: of several statements of a tag the last that holds counts."""
    now = dict(tags)
    for key in [key for key in tags if key.endswith(":conditional")] if minute is not None else ():
        for value, when in statements(tags[key]):
            if minute in when:
                now[key.removesuffix(":conditional")] = value
    return now


def changes(tags: Mapping[str, str]) -> list[int]:
    """The minutes at which something may change."""
    told: set[int] = set()
    for key in tags:
        if key.endswith(":conditional"):
            for _, when in statements(tags[key]):
                told |= {m for m in when if (m - 1) % WEEK not in when}
                told |= {(m + 1) % WEEK for m in when if (m + 1) % WEEK not in when}
    return sorted(told)
