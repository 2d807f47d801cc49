"""Profiles: who may use which street in which direction, and how fast.

Constants come from `profiles.toml`, which a user's file may override value by value.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from routing.errors import UnreadableFile
from routing.roads.errors import InvalidSpeed, UnknownProfile
from routing.roads.source.access import (
    VALUES,
    Access,
    check_sections,
    is_being_built,
    is_impassable,
    is_too_small,
    read_access,
    read_oneway,
    readable,
)
from routing.roads.source.countries import of_code, parse_maxspeed
from routing.roads.source.hours import (
    SUFFIXES,
    Side,
    TimedSide,
    by_hours,
    read_conditional,
    timed_side,
    written_hours,
)

CLOSED = 0.0
"""Speed of a direction that may not be used."""

NO_LIMIT_KMH = 130.0
"""What "none" means where it can be meant."""


class GateByHours(NamedTuple):
    """What a barrier lets through, the seconds that takes, and hours in which it is shut (open, where `opens`)."""

    verdict: Access
    seconds: float
    hours: str = ""
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """One way to travel; fields as documented at the head of `profiles.toml`."""

    name: str
    access: tuple[str, ...]
    oneway: tuple[str, ...]
    kmh: Mapping[str, float]
    kmh_if_allowed: Mapping[str, float]
    surface: Mapping[str, float]
    barriers: frozenset[str]
    passes: frozenset[str] = frozenset()
    maxspeed: str = "caps"
    maxspeed_share: float = 1.0
    max_kmh: float = 200.0
    signal_s: float = 0.0
    contraflow: bool = False
    shut: frozenset[str] = frozenset()
    ends_only: frozenset[str] = frozenset()
    values: Mapping[str, Access] = field(default_factory=lambda: VALUES)
    tracktype: Mapping[str, float] = field(default_factory=dict)
    service: Mapping[str, float] = field(default_factory=dict)
    smoothness_shut: frozenset[str] = frozenset()
    height_m: float = 0.0
    width_m: float = 0.0
    gate_s: float = 0.0
    restrictions: tuple[str, ...] = ()
    turn_s: float = 0.0
    turn_bias: float = 1.0
    u_turn_s: float = 0.0
    push: Profile | None = None
    push_kmh: float = 4.5
    ferries: bool = False
    country: str = ""
    """Where the map lies (two letters), as far as it says."""

    def speeds(self, tags: Mapping[str, str]) -> tuple[float, float]:
        """Speed of riding along and against the way, km/h; CLOSED where the profile may not go."""
        along, against = self.ridden(tags)
        return along[0], against[0]

    def ridden(self, tags: Mapping[str, str]) -> tuple[Side, Side]:
        """As `ways`, without pushing."""
        open_ = read_oneway(tags, self.oneway, contraflow=self.contraflow)
        along, against = (
            self._kmh(tags, suffix) if may else (CLOSED, False) for suffix, may in zip(SUFFIXES, open_, strict=True)
        )
        return along, against

    def ways(self, tags: Mapping[str, str]) -> tuple[Side, Side]:
        """Along and against the way: speed in km/h (CLOSED where the profile may not go), and whether for ends only.

        Where riding is closed and walking is not, a profile with `push` walks.
        """
        both = []
        for suffix, (kmh, ends) in zip(SUFFIXES, self.ridden(tags), strict=True):
            if kmh <= 0 and self.push is not None and tags.get("highway") != "ferry":
                walk, ends = self.push._kmh(tags, suffix)
                kmh = min(0.9 * walk, self.push_kmh)
            both.append((kmh, ends and kmh > 0))
        return both[0], both[1]

    def timed_ways(self, tags: Mapping[str, str]) -> tuple[TimedSide | None, TimedSide | None]:
        """Along and against the way: what it is at other times than usual, None where hours make no difference."""
        walked = self.push.access if self.push is not None else ()
        said = readable(read_conditional(tags, (*self.access, *self.oneway, *walked, "maxspeed")), self.country)
        if not said:
            return None, None
        usual = self.ways(tags)
        then = [(spans, self.ways(those)) for spans, those in by_hours(tags, said)]
        alone = said[0][2] if len(said) == 1 else ""
        along, against = (timed_side(usual[d], [(spans, ways[d]) for spans, ways in then], alone) for d in (0, 1))
        return along, against

    def gate(self, tags: Mapping[str, str]) -> tuple[Access, float]:
        """What a barrier node lets through, and the seconds that takes."""
        kind = tags.get("barrier", "")
        price = self.gate_s if kind.endswith("gate") else 0.0
        if tags.get("locked") in ("yes", "true", "1"):
            return Access.SHUT, price
        verdict = read_access(tags, self.access, values=self.values)
        if verdict is None:
            stops = kind in self.barriers or (self.passes and kind not in self.passes)
            if tags.get("bollard") == "rising":
                stops, price = False, self.gate_s
            verdict = Access.SHUT if stops else Access.OPEN
        if verdict != Access.SHUT and is_too_small(tags, self.height_m, self.width_m):
            verdict = Access.SHUT
        if verdict == Access.ENDS_ONLY:
            price = self.gate_s
        return verdict, price

    def timed_gate(self, tags: Mapping[str, str]) -> GateByHours:
        """What a barrier node lets through, and the hours in which it is shut, or open."""
        usual, seconds = self.gate(tags)
        said = read_conditional(tags, self.access)
        then = [(spans, self.gate(those)) for spans, those in by_hours(tags, said)] if said else []
        opens = usual == Access.SHUT
        flips = [(spans, found) for spans, found in then if (found[0] == Access.SHUT) != opens]
        if not flips:
            return GateByHours(usual, seconds)
        hours = said[0][2] if len(said) == 1 else written_hours(span for spans, _ in flips for span in spans)
        return GateByHours(*(flips[0][1] if opens else (usual, seconds)), hours, opens)

    def _kmh(self, tags: Mapping[str, str], suffix: str) -> tuple[float, bool]:
        road = tags.get("highway", "")
        if road in self.shut or self._is_impossible(tags):
            return CLOSED, False
        allowed = read_access(tags, self.access, suffix, self.values)
        if road == "ferry":
            aboard = self.ferries if allowed is None else allowed != Access.SHUT
            return float(tags.get("ferry_kmh", CLOSED)) if aboard else CLOSED, allowed == Access.ENDS_ONLY
        kmh = self.kmh.get(road, CLOSED)
        if kmh <= 0 and self._is_invited(tags, suffix, allowed):
            kmh = self.kmh_if_allowed.get(road, CLOSED)
        if kmh <= 0 or allowed == Access.SHUT:
            return CLOSED, False
        kind = tags.get("tracktype", "") if road == "track" else ""
        ends = allowed == Access.ENDS_ONLY
        if road in self.ends_only and allowed is None and kind != "grade1":
            ends = True
        if tags.get(self.access[-1]) == "dismount":
            return min(kmh, 4.5), ends
        sign = self._sign(tags, suffix)
        if sign is not None:
            kmh = sign * self.maxspeed_share if self.maxspeed == "sets" else min(kmh, sign)
        kmh *= self.surface.get(tags.get("surface", ""), 1.0) * self.tracktype.get(kind, 1.0)
        if road == "service":
            kmh = min(kmh, self.service.get(tags.get("service", ""), kmh))
        return min(kmh, self.max_kmh), ends

    def _is_invited(self, tags: Mapping[str, str], suffix: str, allowed: Access | None) -> bool:
        """Whether tags open a class that is closed to the profile otherwise: `access=yes` alone invites nobody."""
        if allowed == Access.OPEN and self.access[0] == "access":
            return read_access(tags, self.access[1:], suffix, self.values) == Access.OPEN
        return allowed in (Access.OPEN, Access.ENDS_ONLY)

    def _is_impossible(self, tags: Mapping[str, str]) -> bool:
        """Whether something besides access keeps the profile out of a way."""
        if tags.get("area") == "yes" and not self._walks:
            return True
        if tags.get("motorroad") == "yes" and "motorway" not in self.kmh:
            return True
        if tags.get("service") == "emergency_access" and not self._walks:
            return True
        if tags.get("smoothness") in self.smoothness_shut or is_being_built(tags) or is_impassable(tags):
            return True
        return is_too_small(tags, self.height_m, self.width_m)

    @property
    def _walks(self) -> bool:
        return self.access[-1] == "foot"

    def _sign(self, tags: Mapping[str, str], suffix: str) -> float | None:
        """The speed that a sign allows in a direction of the way, km/h."""
        text = tags.get("maxspeed" + suffix, tags.get("maxspeed"))
        if text == "none":
            fast = tags.get("highway") in ("motorway", "trunk") or tags.get("motorroad") == "yes"
            return NO_LIMIT_KMH if fast else None
        sign = parse_maxspeed(text)
        if sign is None and text:
            sign = of_code(text, self.country)
        if sign is None:
            for key in ("maxspeed:type", "source:maxspeed", "zone:maxspeed", "zone:traffic"):
                sign = of_code(tags.get(key, ""), self.country)
                if sign is not None:
                    # What a country says of towns is a limit; streets within them have a pace of their own.
                    break
        return sign


MODES = ("vehicle", "motor_vehicle", "motorcar", "moped", "mofa", "motorcycle", "bicycle", "foot")
TAGS_READ = (
    "highway", "access", *MODES, "oneway", *(f"oneway:{mode}" for mode in MODES), "junction", "maxspeed", "surface",
    "area", "cycleway", "cycleway:left", "cycleway:right", "cycleway:both",
    "cycleway:left:oneway", "cycleway:right:oneway", "cycleway:both:oneway", "tracktype", "service", "smoothness",
    "motorroad", "construction", "maxheight", "maxheight:physical", "maxwidth", "maxwidth:physical",
    "ferry_kmh", "maxspeed:type", "source:maxspeed", "zone:maxspeed", "zone:traffic", "tunnel", "bridge", "covered",
    "layer", "indoor", "location", "impassable", "status", "maxspeed:forward", "maxspeed:backward",
)  # fmt: skip
"""Tags of a way that the built-in tables look at."""


def tags_read(profiles: Sequence[Profile]) -> tuple[str, ...]:
    """Every tag of a way that these profiles look at, their own access and one-way tags by direction and hour too."""
    keys = [key for each in profiles for key in (*each.access, *each.oneway)]
    keys += [key for each in profiles if each.push is not None for key in each.push.access]
    sides = [key + suffix for key in dict.fromkeys([*keys, "maxspeed"]) for suffix in ("", *SUFFIXES)]
    return tuple(dict.fromkeys([*TAGS_READ, *sides, *(f"{side}:conditional" for side in sides)]))


def read_tables(override: Path | None = None) -> dict[str, Any]:
    """The profile and weather tables, with the values of the TOML file `override` laid over them."""
    tables = tomllib.loads((Path(__file__).parent / "profiles.toml").read_text(encoding="utf-8"))
    if override is not None:
        try:
            given = tomllib.loads(override.read_text(encoding="utf-8"))
        except OSError as error:
            raise UnreadableFile(f"the profile file cannot be read: {error.strerror}", file=str(override)) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UnreadableFile(f"the profile file is not TOML: {error}", file=str(override)) from error
        check_sections(tables, given)
        _overlay(tables, given)
    return tables


def _overlay(tables: dict[str, Any], given: Mapping[str, Any]) -> None:
    for key, value in given.items():
        if isinstance(value, dict) and isinstance(tables.get(key), dict):
            _overlay(tables[key], value)
        else:
            tables[key] = value


def make_profiles(names: Sequence[str], tables: Mapping[str, Any]) -> tuple[Profile, ...]:
    """The named profiles out of the tables.

    Raises UnknownProfile for a name without a table, for a key that no profile has and for a table without speeds,
    InvalidSpeed for a speed that is not above zero.
    """
    return tuple(_make_profile(name, tables) for name in names)


def _make_profile(name: str, tables: Mapping[str, Any]) -> Profile:
    known = [key for key in tables if key != "weather"]
    if name not in known:
        raise UnknownProfile(f"there is no profile {name!r}", profile=name, hint=f"Known: {', '.join(known)}.")
    if not isinstance(tables[name], Mapping):
        raise UnknownProfile(f"profile {name!r} must be a table", profile=name)
    table = {"kmh_if_allowed": {}, "surface": {}, **tables[name]}
    _check_keys(name, table)
    for part in ("kmh", "kmh_if_allowed", "surface", "tracktype", "service"):
        if not isinstance(table.get(part, {}), Mapping):
            raise UnknownProfile(f"{name}.{part} must be a table", profile=name, field=f"{name}.{part}")
        for road, value in table.get(part, {}).items():
            require_speed(value, f"{name}.{part}.{road}")
    for part in ("maxspeed_share", "max_kmh", "turn_bias", "push_kmh"):
        require_speed(table.get(part, 1.0), f"{name}.{part}")
    for part in ("access", "oneway", "restrictions"):
        table[part] = tuple(table.get(part, ()))
    for part in ("barriers", "passes", "shut", "ends_only", "smoothness_shut"):
        table[part] = frozenset(table.get(part, ()))
    table["values"] = {**VALUES, **{key: _verdict(said, name) for key, said in table.get("values", {}).items()}}
    if "push" in table:
        table["push"] = _make_profile(table["push"], tables)
    try:
        return Profile(name=name, **table)
    except TypeError as error:
        raise UnknownProfile(f"the table of profile {name!r} cannot be used: {error}", profile=name) from error


def _check_keys(name: str, table: Mapping[str, Any]) -> None:
    allowed = sorted(each.name for each in fields(Profile) if each.name not in ("name", "country"))
    for key in table:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, 1)
            raise UnknownProfile(
                f"the table of profile {name!r} has a key that no profile has: {key}",
                profile=name,
                field=f"{name}.{key}",
                hint=f"Did you mean {near[0]}?" if near else f"Known: {', '.join(allowed)}.",
            )
    if not table.get("kmh"):
        raise UnknownProfile(
            f"the table of profile {name!r} says nothing of speed",
            profile=name,
            field=f"{name}.kmh",
            hint="Give kmh = { residential = 20 } and so on, or lay the file over a built-in profile.",
        )
    if not table.get("access"):
        raise UnknownProfile(
            f"the table of profile {name!r} names no access tags", profile=name, field=f"{name}.access",
            hint='Give access = ["access", "foot"] or the like.',
        )  # fmt: skip


def _verdict(said: Any, name: str) -> Access:
    words = {"open": Access.OPEN, "ends": Access.ENDS_ONLY, "shut": Access.SHUT}
    if said not in words:
        raise UnknownProfile(f"{name}.values: {said!r} is none of {', '.join(words)}", field=f"{name}.values")
    return words[said]


def require_speed(value: Any, field: str) -> float:
    """`value` as a float; InvalidSpeed unless it is a number above zero."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf")
    if not good:
        raise InvalidSpeed(f"{field} must be a number above zero, not {value!r}", field=field)
    return float(value)
