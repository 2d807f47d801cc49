"""Conditional tags of a map (`motor_vehicle:conditional=delivery @ (Mo-Fr 06:00-11:00)`): what holds at which hours."""

from __future__ import annotations

import datetime
import functools
import itertools
import re
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

SUFFIXES = (":forward", ":backward")
"""Of tags that hold along a way, and against it."""
Statement = tuple[str, str, str]
"""A key, the value that it has for a while, and when."""
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN
_DAY = "Mo|Tu|We|Th|Fr|Sa|Su"
_WORD = re.compile(
    rf"(?P<always>24/7)|(?P<holiday>PH(\s+off)?\b)|(?P<first>{_DAY})(\s*[-–]\s*(?P<last>{_DAY}))?(?![a-z])"
    r"|(?P<from_h>\d{1,2}):(?P<from_m>\d{2})\s*[-–]\s*(?P<to_h>\d{1,2}):(?P<to_m>\d{2})|(?P<gap>[,\s()]+)",
    re.IGNORECASE,
)

Side = tuple[float, bool]
"""Speed in one direction of a way in km/h, and whether it is for ends only."""
Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class TimedSide:
    """What hours make of one direction of a way.

    `usual`: what it is while it is open and no hours say more; `shut`: hours in which it is shut (in which alone it is
    open, where `opens`); `ends`: hours in which it is for ends only (those in which it is not, where that is usual);
    `speeds`: hours, and the km/h in them.  Hours are "" for none.
    """

    usual: Side
    shut: str = ""
    opens: bool = False
    ends: str = ""
    speeds: tuple[tuple[str, float], ...] = ()


Windows = tuple[tuple[int, int, int], ...]
"""(day of the week, first minute, minute after the last); a window over midnight ends above DAY_MIN."""


@functools.cache
def parse_hours(text: str) -> Windows | None:
    """The windows of a condition; None where it speaks of anything but days and times of day.

    Days hold for the times that follow them; after those, new days begin a rule of their own ("Mo-Fr 07:00-09:00, Sa
    10:00-12:00").  Public holidays are passed over.
    """
    windows: list[tuple[int, int, int]] = []
    for part in text.split(";"):
        rules = _rules(part)
        if rules is None:
            return None
        for days, times, holiday in rules:
            if days or (times and not holiday):
                windows += [(day, *time) for day in days or range(7) for time in times or [(0, DAY_MIN)]]
    return tuple(windows) or None


def _rules(part: str) -> list[tuple[list[int], list[tuple[int, int]], bool]] | None:
    """(days, times, whether it names holidays) of every rule in a row; None where a word is neither."""
    rules: list[tuple[list[int], list[tuple[int, int]], bool]] = []
    days: list[int] = []
    times: list[tuple[int, int]] = []
    holiday, at = False, 0
    while at < len(part):
        word = _WORD.match(part, at)
        if word is None:
            return None
        at = word.end()
        if (word["first"] or word["holiday"]) and times:
            rules.append((days, times, holiday))
            days, times, holiday = [], [], False
        holiday = holiday or word["holiday"] is not None
        if word["always"]:
            days = list(range(7))
        if word["first"]:
            days = [*days, *_span(word["first"], word["last"] or word["first"])]
        if word["from_h"]:
            begin, end = _minutes(word["from_h"], word["from_m"]), _minutes(word["to_h"], word["to_m"])
            if begin is None or end is None:
                return None
            times = [*times, (begin, end if end > begin else end + DAY_MIN)]
    return [*rules, (days, times, holiday)]


def _span(first: str, last: str) -> list[int]:
    begin, end = DAYS.index(first.capitalize()), DAYS.index(last.capitalize())
    return [day % 7 for day in range(begin, end + 1 + (7 if end < begin else 0))]


def _minutes(hours: str, minutes: str) -> int | None:
    found = int(hours) * 60 + int(minutes)
    return found if int(minutes) < 60 and found <= DAY_MIN else None


def minutes_of_week(text: str) -> list[tuple[int, int]]:
    """(first minute, minute after the last) of a condition's windows, from Monday's midnight, within the week."""
    found = []
    for day, first, end in parse_hours(text) or ():
        begin, finish = day * DAY_MIN + first, day * DAY_MIN + end
        found.append((begin, min(finish, WEEK_MIN)))
        if finish > WEEK_MIN:
            found.append((0, finish - WEEK_MIN))
    return found


def written_hours(spans: Iterable[tuple[int, int]]) -> str:
    """A condition that holds in these spans of a week's minutes: days with the same times stand together."""
    by_day: dict[int, list[str]] = {}
    for begin, end in sorted(spans):
        for day in range(begin // DAY_MIN, (end - 1) // DAY_MIN + 1):
            first, last = max(begin - day * DAY_MIN, 0), min(end - day * DAY_MIN, DAY_MIN)
            by_day.setdefault(day, []).append(f"{_clock(first)}-{_clock(last)}")
    alike: dict[Sequence[str], list[str]] = {}
    for day, times in sorted(by_day.items()):
        alike.setdefault(tuple(times), []).append(DAYS[day])
    return "; ".join(f"{','.join(days)} {','.join(times)}" for times, days in alike.items())


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


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


def read_conditional(tags: Mapping[str, str], keys: Sequence[str]) -> list[Statement]:
    """What conditional tags say of the keys and their directions, of days and times alone; later ones win."""
    return [each for each in _statements(tags, keys) if parse_hours(each[2]) is not None]


def unread_conditions(tags: Mapping[str, str], keys: Sequence[str]) -> list[str]:
    """Conditional tags of the keys, as key=value, of which something speaks of more than days and times."""
    unread = [key for key, _, when in _statements(tags, keys) if parse_hours(when) is None]
    return [f"{key}:conditional={tags[f'{key}:conditional']}" for key in dict.fromkeys(unread)]


def by_hours(
    tags: Mapping[str, str], said: Sequence[Statement]
) -> Iterator[tuple[list[tuple[int, int]], Mapping[str, str]]]:
    """(spans of the week in minutes, tags that hold in them) for all hours at which a statement holds."""
    spans = [minutes_of_week(when) for _, _, when in said]
    edges = sorted({0, WEEK_MIN, *itertools.chain.from_iterable(itertools.chain.from_iterable(spans))})
    holding: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for begin, end in itertools.pairwise(edges):
        now = tuple(k for k, each in enumerate(spans) if any(first <= begin < last for first, last in each))
        holding.setdefault(now, []).append((begin, end))
    for now, those in holding.items():
        if now:
            yield those, {**tags, **{said[k][0]: said[k][1] for k in now}}


def split_outside_brackets(text: str) -> list[str]:
    """Parts between semicolons that stand outside brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == ";" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part.strip()]


def _statements(tags: Mapping[str, str], keys: Sequence[str]) -> Iterator[Statement]:
    for key in keys:
        for each in (key, *(key + suffix for suffix in SUFFIXES)):
            for said in split_outside_brackets(tags.get(f"{each}:conditional", "")):
                value, _, when = said.partition("@")
                yield each, value.strip(), when.strip().strip("()").strip()


def timed_side(usual: Side, then: Sequence[tuple[Spans, Side]], alone: str) -> TimedSide | None:
    """What one direction is by hours; `alone`: how they are written where there is one condition only."""

    def written(those: Sequence[Spans]) -> str:
        return (alone or written_hours(span for spans in those for span in spans)) if those else ""

    opens = usual[0] <= 0
    open_ = [(spans, side) for spans, side in then if side[0] > 0]
    if opens and not open_:
        return None
    base = open_[0][1] if opens else usual
    speeds: dict[float, list[Spans]] = {}
    for spans, (kmh, _) in open_:
        if kmh != base[0]:
            speeds.setdefault(kmh, []).append(spans)
    found = TimedSide(
        base,
        written([spans for spans, (kmh, _) in then if (kmh > 0) == opens]),
        opens,
        written([spans for spans, (_, ends) in open_ if ends != base[1]]),
        tuple((written(those), kmh) for kmh, those in speeds.items()),
    )
    return found if found.shut or found.ends or found.speeds else None
