"""Tariffs: what a delivery is charged, and what serving one costs, as `rules.tariff` says it in words.

    base 250; km 60; minute 8; peak 125: Mo-Fr 11:30-13:30; tier gold: 50; least 150; most 990
    zone Europe/Berlin; cost order 40; cost hour 1800; cost km 12

Clauses stand on lines of their own or are parted by semicolons; what follows a # is for people.  Amounts are minor
units of the currency (cents).  `base`, `km`, `minute`: of every order, per kilometre and minute of the way from its
store to its door.  `peak`: percent of these three while it lasts, by clocks in `zone` as the order is placed; of
several the highest.  `tier`: percent of all that, for members.  `least`, `most`: bounds of a fee.  `cost`: what an
order, an hour of a rider's work and a kilometre driven cost whoever runs the riders.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

from dispatch.calendar.local_time import local_of, zone_of
from dispatch.calendar.opening_hours import OpeningHours, parsed
from dispatch.errors import InvalidSetting
from routing.errors import InvalidInput

KEY = "rules.tariff"
MOST_MINOR = 10**9
MOST_PERCENT = 1_000
USUAL_PERCENT = 100

_AMOUNTS = ("base", "km", "minute", "least", "most", "cost order", "cost hour", "cost km")
_TIER = re.compile(r"tier ([a-z][a-z0-9_]{0,31})")
_PEAK = re.compile(r"peak (\d+)")
_HINT = "For instance: base 250; km 60; peak 125: Mo-Fr 11:30-13:30; tier gold: 50; cost hour 1800"


def rounded(part: int, whole: int) -> int:
    """part / whole to the nearest integer, halves upwards."""
    return (2 * part + whole) // (2 * whole)


class Peak(NamedTuple):
    """When what is charged is another share of the usual."""

    percent: int
    hours: OpeningHours


class Tariff(NamedTuple):
    """What a text of `rules.tariff` says; amounts in minor units of the currency."""

    amounts: Mapping[str, int]
    peaks: tuple[Peak, ...]
    tiers: Mapping[str, int]
    """Percent of the fee that members of a tier pay."""
    zone: str

    def amount(self, name: str) -> int:
        """What a word of the text says; 0 where it stands nowhere."""
        return self.amounts.get(name, 0)

    def cost(self, orders: int, work_s: int, way_m: int) -> int:
        """What so many orders, seconds of work and metres cost, halves rounded up; never below 0."""
        worked, driven = rounded(self.amount("cost hour") * work_s, 3_600), self.amount("cost km") * way_m
        return max(0, self.amount("cost order") * orders + worked + rounded(driven, 1_000))

    def peak_percent(self, at: int) -> int:
        """Percent of the usual that an order placed at an instant is charged."""
        local = local_of(at, zone_of(self.zone))
        midnight = datetime.datetime.combine(local.date(), datetime.time())
        second = int((local - midnight).total_seconds())
        yesterday = local.date() - datetime.timedelta(days=1)
        now = [
            peak.percent
            for peak in self.peaks
            if _holds(peak.hours, local.date(), second) or _holds(peak.hours, yesterday, second + 86_400)
        ]
        return max(now, default=USUAL_PERCENT)


def _holds(hours: OpeningHours, day: datetime.date, second: int) -> bool:
    return any(opens_s <= second < closes_s for opens_s, closes_s in hours.on(day))


@functools.cache
def tariff_of(text: str) -> Tariff | None:
    """The tariff of a text of `rules.tariff`, None of an empty one; raises InvalidSetting naming what is wrong."""
    amounts: dict[str, int] = {}
    tiers: dict[str, int] = {}
    peaks: list[Peak] = []
    zone = ""
    clauses = [clause for line in text.splitlines() for clause in line.partition("#")[0].split(";")]
    for clause in filter(None, map(str.strip, clauses)):
        head, colon, rest = (part.strip() for part in clause.partition(":"))
        word, _, number = head.rpartition(" ")
        tier, peak = _TIER.fullmatch(head), _PEAK.fullmatch(head)
        if tier and colon and tier[1] not in tiers:
            tiers[tier[1]] = _number(rest, clause, MOST_PERCENT)
        elif peak and colon:
            peaks.append(Peak(_number(peak[1], clause, MOST_PERCENT), _hours(rest, clause)))
        elif not colon and word == "zone" and not zone:
            zone = _zone(number, clause)
        elif not colon and word in _AMOUNTS and word not in amounts:
            amounts[word] = _number(number, clause, MOST_MINOR)
        else:
            raise _wrong(f"{clause!r} says nothing of a tariff, or says it twice")
    if not (amounts or tiers or peaks):
        return None
    if amounts.get("most", MOST_MINOR) < amounts.get("least", 0):
        raise _wrong(f"most {amounts['most']} lies below least {amounts['least']}")
    return Tariff(amounts, tuple(peaks), tiers, zone or "UTC")


def check_tariff(text: str) -> None:
    """Raises InvalidSetting where the text is no tariff."""
    tariff_of(text)


def _number(text: str, clause: str, most: int) -> int:
    if not text.isdecimal() or int(text) > most:
        raise _wrong(f"{clause!r}: {text!r} is no whole number from 0 to {most}")
    return int(text)


def _hours(text: str, clause: str) -> OpeningHours:
    try:
        return parsed(text)
    except InvalidInput as problem:
        raise _wrong(f"{clause!r}: {problem.message}") from None


def _zone(name: str, clause: str) -> str:
    try:
        zone_of(name)
    except InvalidInput as problem:
        raise _wrong(f"{clause!r}: {problem.message}") from None
    return name


def _wrong(message: str) -> InvalidSetting:
    return InvalidSetting(message, field=KEY, hint=_HINT)
