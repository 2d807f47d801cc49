"""Traffic: speed factors by time slot, road class, zone and edge, and by weather.

Everything here is a description that never changes once made; `state.py` turns one into travel times.
"""

from __future__ import annotations

import datetime
import hashlib
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.cells import Polygon
from routing.roads.errors import InvalidSpeed, InvalidTraffic, OutsideTraffic, UnknownProfile
from routing.roads.source.profiles import require_speed
from routing.roads.streets import Streets


@dataclass(frozen=True, slots=True)
class SpeedRule:
    """Speeds times `factor` on the edges that meet every condition given, for `profiles` (empty: all).

    `classes`: road classes; `zone`: corners of an area as (lat, lng), which selects every edge that it touches;
    `edges`: edge indexes; `ways`: numbers of the streets in their source; `direction`: "forward" (as the street is
    drawn), "backward" or "" for both.  Rules multiply.  `kmh` instead of a factor: for `profiles` the speed itself,
    without any the most that anybody drives.  `closed`: nobody enters; who stands there can leave.
    """

    factor: float
    profiles: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    zone: tuple[tuple[float, float], ...] = ()
    edges: tuple[int, ...] = ()
    ways: tuple[int, ...] = ()
    direction: str = ""
    kmh: float | None = None
    closed: bool = False

    def chosen(self, streets: Streets) -> NDArray[np.bool_]:
        """The edges the rule applies to, bool[e].

        Classes and ways that these streets do not have are passed over where others are there.  Raises InvalidTraffic
        for an edge that is not there, and where none of the classes or none of the ways is.
        """
        chosen = np.ones(streets.edges, dtype=np.bool_)
        if self.classes:
            numbers = [streets.classes.index(name) for name in self.classes if name in streets.classes]
            if not numbers:
                raise InvalidTraffic(f"the streets have no class {self.classes[0]!r}", road_class=self.classes[0])
            chosen &= np.isin(streets.road_class, numbers)
        if self.zone:
            chosen &= _within(streets, Polygon(self.zone))
        if self.edges:
            edges = _whole(self.edges, "edges")
            bad = (edges < 0) | (edges >= streets.edges)
            if bad.any():
                edge = int(edges[np.argmax(bad)])
                raise InvalidTraffic(f"there is no edge {edge} among {streets.edges}", edge=edge)
            listed = np.zeros(streets.edges, dtype=np.bool_)
            listed[edges] = True
            chosen &= listed
        if self.ways:
            ways = _whole(self.ways, "ways")
            if not np.isin(ways, streets.way).any():
                raise InvalidTraffic(f"the streets have no way {ways[0]}", way=int(ways[0]))
            chosen &= np.isin(streets.way, ways)
        return chosen

    def foreign(self, streets: Streets) -> bool:
        """Whether these streets have none of the rule's classes, or none of its ways."""
        no_class = self.classes and not set(self.classes) & set(streets.classes)
        return bool(no_class or (self.ways and not np.isin(_whole(self.ways, "ways"), streets.way).any()))

    def remarks(self, streets: Streets) -> list[str]:
        """What to tell of the rule: classes and ways that are not in these streets, and that no edge is chosen."""
        told = []
        classes = [name for name in self.classes if name not in streets.classes]
        if classes:
            told.append(f"no street is a {' or '.join(classes)}")
        ways = [str(way) for way in self.ways if way not in set(streets.way.tolist())]
        if ways:
            more = f" and {len(ways) - 5} more" if len(ways) > 5 else ""
            told.append(f"{len(ways)} of its ways are not in this city: {', '.join(ways[:5])}{more}")
        if self.foreign(streets) or not self.chosen(streets).any():
            hint = " (the corners of a zone are [lat, lng])" if self.zone else ""
            told.append(f"it selects 0 edges{hint}")
        return told


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EdgeFactors:
    """A measured state of traffic: speeds times `factors` edge by edge, for `profiles` (empty: all).

    `factors`: float64[e] for both directions alike, or float64[2, e] along and against.
    """

    factors: NDArray[np.float64]
    profiles: tuple[str, ...] = ()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        factors = np.ascontiguousarray(self.factors, dtype=np.float64).copy()
        object.__setattr__(self, "factors", factors)
        object.__setattr__(self, "digest", hashlib.sha256(factors.tobytes()).hexdigest()[:16])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EdgeFactors) and (self.digest, self.profiles) == (other.digest, other.profiles)

    def __hash__(self) -> int:
        return int(self.digest, 16)

    def __repr__(self) -> str:
        return f"EdgeFactors({self.digest}, {self.profiles})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EdgeSpeeds:
    """Speeds `kmh` float64[k] of edges in one direction, `code` int64[k] = 2 * edge + direction; 0 closes.

    `share` float64[k]: of the edge's length, what the speed is known of.  For `profiles` the speed itself, without any
    the most that anybody drives.
    """

    code: NDArray[np.int64]
    kmh: NDArray[np.float64]
    share: NDArray[np.float64]
    profiles: tuple[str, ...] = ()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        whole = hashlib.sha256()
        for name, kind in (("code", np.int64), ("kmh", np.float64), ("share", np.float64)):
            array = np.ascontiguousarray(getattr(self, name), dtype=kind).copy()
            object.__setattr__(self, name, array)
            whole.update(array.tobytes())
        object.__setattr__(self, "digest", whole.hexdigest()[:16])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EdgeSpeeds) and (self.digest, self.profiles) == (other.digest, other.profiles)

    def __hash__(self) -> int:
        return int(self.digest, 16)

    def __repr__(self) -> str:
        return f"EdgeSpeeds({self.digest}, {self.profiles})"

    def apply(self, profile: str, streets: Streets, factors: NDArray[np.float64]) -> None:
        """Lay the speeds over the factors of a profile, float64[2, e]."""
        moves = self.kmh > 0
        direction, edge, share = self.code[moves] & 1, self.code[moves] >> 1, self.share[moves]
        drive = streets.drive_ms[streets.profiles.index(profile), direction, edge]
        known = np.where(drive > 0, streets.length_cm[edge] * 36.0 / self.kmh[moves], 1.0)
        if not self.profiles:
            known = np.maximum(known, drive / factors[direction, edge])
        taken = share * known + (1.0 - share) * drive
        factors[direction, edge] = np.where(drive > 0, drive / np.maximum(taken, 1e-9), 1.0)


def _whole(numbers: Sequence[int], field: str) -> NDArray[np.int64]:
    try:
        return np.array(numbers, dtype=np.int64)
    except OverflowError:
        raise InvalidTraffic(f"one of the {field} is no number that streets have", field=field) from None


Rule = SpeedRule | EdgeFactors | EdgeSpeeds
_DIRECTIONS = {"": (0, 1), "forward": (0,), "backward": (1,)}


def _within(streets: Streets, zone: Polygon) -> NDArray[np.bool_]:
    """Edges of which any part lies in the zone."""
    return zone.touches(streets.shape_lat, streets.shape_lng, streets.shape_start)


@dataclass(frozen=True, slots=True)
class TrafficTable:
    """Speed rules by time slot: slot k holds from `starts_at` + k * `slot_s` for `slot_s` seconds.

    `rules[k]`: the rules of slot k.  With `daily` the table (which then spans a day, or a week) repeats for ever.
    `timezone`: the name of the zone whose clocks it goes by, "" for UTC.
    """

    starts_at: int
    slot_s: int
    rules: tuple[tuple[Rule, ...], ...]
    daily: bool = False
    timezone: str = ""

    def slot(self, at: int) -> int:
        """The slot that holds at epoch second `at`.  Raises OutsideTraffic where the table does not reach."""
        slot = (self._by_clock(at) - self.starts_at) // self.slot_s
        if self.daily:
            return int(slot % len(self.rules))
        if not 0 <= slot < len(self.rules):
            end = self.starts_at + self.slot_s * len(self.rules)
            raise OutsideTraffic(f"{at} lies outside the traffic table ({self.starts_at} to {end})", at=at)
        return int(slot)

    def begin_of(self, slot: int) -> int:
        """When a slot begins (of a daily table: on its first day)."""
        begins = self.starts_at + slot * self.slot_s
        return begins - (self._by_clock(begins) - begins)

    def _by_clock(self, at: int) -> int:
        """Epoch seconds that a clock of the zone would show as UTC."""
        if not self.timezone:
            return at
        offset = datetime.datetime.fromtimestamp(at, zoneinfo.ZoneInfo(self.timezone)).utcoffset()
        return at + int(offset.total_seconds()) if offset is not None else at

    def next_slot_at(self, at: int) -> int | None:
        """When the slot after the one at `at` begins; None after the last."""
        begins = at + self.slot_s - (self._by_clock(at) - self.starts_at) % self.slot_s
        inside = self.daily or begins < self.starts_at + self.slot_s * len(self.rules)
        return begins if inside else None

    def neighbours(self) -> list[tuple[int, int]]:
        """Slots that follow each other; of a daily table, the last and the first too."""
        pairs = [(slot, slot + 1) for slot in range(len(self.rules) - 1)]
        return [*pairs, (len(self.rules) - 1, 0)] if self.daily and len(self.rules) > 1 else pairs


@dataclass(frozen=True, slots=True)
class Conditions:
    """What speeds depend on at one moment of knowledge: the table, what was reported since, and the weather."""

    table: TrafficTable | None = None
    reported: tuple[Rule, ...] = ()
    weather: str = ""
    weather_factors: Mapping[str, Any] = field(default_factory=dict)

    def rules(self, at: int | None) -> tuple[Rule, ...]:
        """Every rule that holds at epoch second `at` (None: outside all slots, what the table says is left out)."""
        slotted = () if self.table is None or at is None else self.table.rules[self.table.slot(at)]
        return (*slotted, *self.reported, *self._weather_rules())

    def instants(self) -> list[int | None]:
        """One instant of every set of rules that ever holds."""
        if self.table is None:
            return [None]
        return [
            self.table.begin_of(slot) for slot in {rules: slot for slot, rules in enumerate(self.table.rules)}.values()
        ]

    def _weather_rules(self) -> tuple[SpeedRule, ...]:
        rules = []
        for profile, value in sorted(self.weather_factors.items()):
            if not isinstance(value, Mapping):
                rules.append(SpeedRule(require_speed(value, f"weather.{self.weather}.{profile}"), (profile,)))
                continue
            for road, factor in sorted(value.items()):
                require_speed(factor, f"weather.{self.weather}.{profile}.{road}")
                rules.append(SpeedRule(float(factor), (profile,), (road,)))
        return tuple(rules)


def factors_of(rules: Sequence[Rule], profile: str, streets: Streets) -> NDArray[np.float64]:
    """Product of the rules' factors on every edge along and against for one profile, float64[2, e].

    The class "other" of a weather rule means the classes that no rule of the same profile names.
    """
    factors = np.ones((2, streets.edges))
    named = {c for rule in rules if isinstance(rule, SpeedRule) and profile in rule.profiles for c in rule.classes}
    for rule in rules:
        if rule.profiles and profile not in rule.profiles:
            continue
        if isinstance(rule, EdgeFactors):
            factors *= rule.factors
        elif isinstance(rule, EdgeSpeeds):
            rule.apply(profile, streets, factors)
        elif rule.classes == ("other",):
            rest = [i for i, c in enumerate(streets.classes) if c not in named]
            factors[:, np.isin(streets.road_class, rest)] *= rule.factor
        elif len(rule.classes) == 1 and rule.profiles and rule.classes[0] not in streets.classes:
            continue
        elif not rule.closed:
            _apply(rule, profile, streets, factors)
    return factors


def _apply(rule: SpeedRule, profile: str, streets: Streets, factors: NDArray[np.float64]) -> None:
    chosen = np.flatnonzero(rule.chosen(streets))
    for direction in _DIRECTIONS[rule.direction]:
        if rule.kmh is None:
            factors[direction, chosen] *= rule.factor
            continue
        drive = streets.drive_ms[streets.profiles.index(profile), direction, chosen]
        given = drive / np.maximum(streets.length_cm[chosen] * 36.0 / rule.kmh, 1e-9)
        given = np.where(drive > 0, given, 1.0)
        factors[direction, chosen] = given if rule.profiles else np.minimum(factors[direction, chosen], given)


def closed_by(rules: Sequence[Rule], profile: str, streets: Streets) -> NDArray[np.bool_]:
    """What rules close to a profile, bool[2, e]."""
    closed = np.zeros((2, streets.edges), dtype=np.bool_)
    for rule in rules:
        if rule.profiles and profile not in rule.profiles:
            continue
        if isinstance(rule, EdgeSpeeds):
            shut = rule.code[rule.kmh == 0]
            closed[shut & 1, shut >> 1] = True
        elif isinstance(rule, SpeedRule) and rule.closed:
            for direction in _DIRECTIONS[rule.direction]:
                closed[direction] |= rule.chosen(streets)
    return closed


def check_rule(rule: Rule, streets: Streets, field: str) -> None:
    """Raise InvalidSpeed, InvalidTraffic or UnknownProfile for a rule that these streets cannot follow."""
    if isinstance(rule, EdgeFactors):
        if rule.factors.shape not in ((streets.edges,), (2, streets.edges)):
            raise InvalidTraffic(f"{field}.factors must have {streets.edges} entries", field=f"{field}.factors")
        good = np.isfinite(rule.factors) & (rule.factors > 0)
        if not good.all():
            raise InvalidSpeed(
                "a speed factor must be above zero", field=f"{field}.factors", edge=int(np.argwhere(~good)[0][-1])
            )
    elif isinstance(rule, EdgeSpeeds):
        if rule.code.shape != rule.kmh.shape or not ((rule.code >= 0) & (rule.code < 2 * streets.edges)).all():
            raise InvalidTraffic(f"{field}.code must name edges, each with its speed", field=f"{field}.code")
        if not (np.isfinite(rule.kmh) & (rule.kmh >= 0)).all():
            raise InvalidSpeed("a speed must not be below zero", field=f"{field}.kmh")
    else:
        require_speed(rule.factor, f"{field}.factor")
        if rule.kmh is not None:
            require_speed(rule.kmh, f"{field}.kmh")
        if rule.direction not in _DIRECTIONS:
            raise InvalidTraffic(
                f"a direction is forward or backward, not {rule.direction!r}", field=f"{field}.direction"
            )
        rule.chosen(streets)
    for profile in rule.profiles:
        if profile not in streets.profiles:
            raise UnknownProfile(f"the network was not built for {profile!r}", profile=profile, field=field)


def digest_of(*parts: object) -> str:
    """Short hash of what the parts' `repr` says."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
