"""Hours and rest by law: `rules.hours`, one line of text, and until when it lets a rider work.

    shift 36000; rest 39600; stretch 16200; break 1800: 7200-21600

`shift`: seconds from the beginning of a rider's duty within which they work.  `rest`: off duty for so long, duty begins
anew; a shift that begins sooner goes on with the duty before.  `stretch`: most seconds without a break of `break`
seconds.  Behind `break`: a break of each duty begins within these seconds from its beginning.
"""

from __future__ import annotations

import functools
from itertools import pairwise
from typing import NamedTuple

from dispatch.errors import InvalidSetting
from dispatch.model import Shift

KEY = "rules.hours"

USUAL_REST_S = 39_600
"""Eleven hours off duty, where a line names no rest."""

IDLE_S = 300
"""Who has had nothing to do for so long takes a break that is due before long."""

LEAVES_S = 120
"""Plans end so long before hours do: an answer that takes its time keeps them, too."""

KEPT_S = 2 * 86_400
"""Shifts and breaks that ended longer ago are forgotten."""

_BOUNDS = {"shift": (3_600, 86_400), "rest": (3_600, 86_400), "stretch": (1_800, 86_400), "break": (300, 7_200)}

Span = tuple[int, int]
"""From an instant to another, epoch seconds."""


class HoursRule(NamedTuple):
    """A line of `rules.hours`, read; None for what it does not limit."""

    shift_s: int | None = None
    rest_s: int = USUAL_REST_S
    stretch_s: int | None = None
    break_s: int = 0
    window: Span | None = None
    """Seconds from the beginning of duty between which a break begins."""


class Hours(NamedTuple):
    """What the law leaves a rider at an instant; epoch seconds, None: no limit."""

    duty_from: int
    stretch_from: int
    works_until: int | None
    """No work beyond: the end of what duty and stretch may last, or a break that is due."""
    break_from: int | None
    """A break that is due may begin from here on; None where none is due."""
    break_by: int | None
    """It begins by then."""


@functools.cache
def hours_rule(text: str) -> HoursRule:
    """The rule of a line of `rules.hours`; raises InvalidSetting naming what is wrong."""
    given: dict[str, int] = {}
    window = None
    for clause in text.split(";") if text.strip() else ():
        said, colon, between = clause.partition(":")
        word, _, number = said.strip().partition(" ")
        if word not in _BOUNDS or word in given or not number.strip().isdecimal() or (colon and word != "break"):
            raise _wrong(f"{clause.strip()!r} says nothing of hours")
        low, high = _BOUNDS[word]
        given[word] = int(number)
        if not low <= given[word] <= high:
            raise _wrong(f"{word} is {given[word]}, not between {low} and {high} seconds")
        window = _window(between) if colon else window
    if "stretch" in given and "break" not in given:
        raise _wrong("a stretch ends with a break, and none is named")
    if "break" in given and "stretch" not in given and window is None:
        raise _wrong("a break without a stretch needs its window, as in break 1800: 7200-21600")
    return HoursRule(
        given.get("shift"), given.get("rest", USUAL_REST_S), given.get("stretch"), given.get("break", 0), window
    )


def check_hours(text: str) -> None:
    """Raises InvalidSetting where the text is no line of `rules.hours`."""
    hours_rule(text)


def span_of(shift: Shift) -> Span:
    """From when to when a shift lasts."""
    return shift.start_at, shift.last_pickup_at if shift.end_at is None else shift.end_at


def recent(spans: tuple[Span, ...], now: int) -> tuple[Span, ...]:
    """The spans that still count."""
    return tuple(span for span in spans if span[1] > now - KEPT_S)


def hours_of(rule: HoursRule, shift: Shift, worked: tuple[Span, ...], breaks: tuple[Span, ...]) -> Hours:
    """What the law leaves of a shift.

    `worked`: shifts before it; `breaks`: those taken, and one that has been given and lasts still.
    """
    spans = [*sorted(span for span in worked if span[0] < shift.start_at), span_of(shift)]
    duty_from = shift.start_at
    for begin, end in reversed(spans[:-1]):
        if duty_from - end < rule.rest_s:
            duty_from = min(duty_from, begin)
    off_duty = [(before[1], after[0]) for before, after in pairwise(spans)]
    rests = [span for span in (*breaks, *off_duty) if span[1] - span[0] >= rule.break_s > 0]
    stretch_from = max([duty_from, *(end for _, end in rests)])
    by, opens = [], []
    if rule.stretch_s is not None:
        by.append(stretch_from + rule.stretch_s)
        opens.append(stretch_from + rule.stretch_s // 2)
    if rule.window is not None:
        first, last = (duty_from + seconds for seconds in rule.window)
        if not any(begin >= first for begin, _ in rests):
            by.append(last)
            opens.append(first)
    break_by = min(by, default=None)
    ends = [] if rule.shift_s is None else [duty_from + rule.shift_s]
    works_until = min([*by, *ends], default=None)
    if break_by is None or break_by >= min([span_of(shift)[1], *ends]):
        return Hours(duty_from, stretch_from, works_until, None, None)
    return Hours(duty_from, stretch_from, works_until, min(max(opens), break_by), break_by)


def _window(text: str) -> Span:
    first, _, last = text.strip().partition("-")
    if not first.isdecimal() or not last.isdecimal() or not int(first) < int(last) <= 86_400:
        raise _wrong(f"{text.strip()!r} is no window of seconds from the beginning of duty")
    return int(first), int(last)


def _wrong(message: str) -> InvalidSetting:
    return InvalidSetting(
        message, field=KEY, hint="For instance: shift 36000; rest 39600; stretch 16200; break 1800: 7200-21600"
    )
