"""Profiles: who may use which street in which direction, and how fast.

Constants come from `profiles.toml`, which a user's file may override value by value.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routing.errors import UnreadableFile
from routing.roads.errors import InvalidSpeed, UnknownProfile

MILE_KM = 1.609344
CLOSED = 0.0
"""Speed of a direction that may not be used."""

_OPEN = frozenset(
    {"yes", "permissive", "designated", "official", "destination", "delivery", "customers", "public", "allowed"}
)
_SHUT = frozenset({"no", "private", "agricultural", "forestry", "military", "emergency", "restricted", "use_sidepath"})
_WORDS = {"none": 1000.0, "walk": 7.0, "living_street": 10.0}


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
    maxspeed: str = "caps"
    maxspeed_share: float = 1.0
    max_kmh: float = 200.0
    signal_s: float = 0.0
    contraflow: bool = False

    def speeds(self, tags: Mapping[str, str]) -> tuple[float, float]:
        """Speed along and against the way, km/h; CLOSED where the profile may not go."""
        kmh = self._kmh(tags)
        if kmh <= 0:
            return CLOSED, CLOSED
        along, against = self._directions(tags)
        return kmh if along else CLOSED, kmh if against else CLOSED

    def passes(self, tags: Mapping[str, str]) -> bool:
        """Whether a barrier node lets the profile through."""
        verdict = self._access(tags)
        return tags.get("barrier") not in self.barriers if verdict is None else verdict

    def _access(self, tags: Mapping[str, str]) -> bool | None:
        verdict = None
        for key in self.access:
            value = tags.get(key)
            if value in _OPEN or value == "dismount":
                verdict = True
            elif value in _SHUT:
                verdict = False
        return verdict

    def _kmh(self, tags: Mapping[str, str]) -> float:
        road = tags.get("highway", "")
        allowed = self._access(tags)
        kmh = self.kmh.get(road, CLOSED)
        if kmh <= 0 and allowed:
            kmh = self.kmh_if_allowed.get(road, CLOSED)
        if kmh <= 0 or allowed is False:
            return CLOSED
        if tags.get("area") == "yes" and self.name != "foot":
            return CLOSED
        if tags.get(self.access[-1]) == "dismount":
            return min(kmh, 4.5)
        sign = parse_maxspeed(tags.get("maxspeed"))
        if sign is not None:
            kmh = sign * self.maxspeed_share if self.maxspeed == "sets" else min(kmh, sign)
        kmh *= self.surface.get(tags.get("surface", ""), 1.0)
        return min(kmh, self.max_kmh)

    def _directions(self, tags: Mapping[str, str]) -> tuple[bool, bool]:
        if not self.oneway:
            return True, True
        ring = tags.get("junction") in ("roundabout", "circular")
        along, against = True, not (ring or tags.get("highway") == "motorway")
        for key in self.oneway:
            value = tags.get(key)
            if value in ("yes", "true", "1"):
                along, against = True, False
            elif value in ("-1", "reverse"):
                along, against = False, True
            elif value in ("no", "false", "0"):
                along, against = True, True
            elif value == "reversible":
                along, against = False, False
        if self.contraflow and "oneway:bicycle" not in tags and _has_contraflow(tags):
            return True, True
        return along, against


def _has_contraflow(tags: Mapping[str, str]) -> bool:
    lanes = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")
    if any(tags.get(lane, "").startswith("opposite") for lane in lanes):
        return True
    return any(tags.get(f"{lane}:oneway") in ("no", "-1") for lane in lanes)


def parse_maxspeed(value: str | None) -> float | None:
    """A `maxspeed` tag in km/h, None where it says nothing that can be read.

    Plain numbers are km/h, "30 mph" is converted, "none" and "walk" are known; of "50;30" the first counts.
    """
    if not value:
        return None
    text = value.split(";")[0].strip().lower()
    if text in _WORDS:
        return _WORDS[text]
    factor = 1.0
    for unit, scale in (("mph", MILE_KM), ("km/h", 1.0), ("kmh", 1.0), ("kph", 1.0), ("knots", 1.852)):
        if text.endswith(unit):
            text, factor = text[: -len(unit)].strip(), scale
            break
    try:
        kmh = float(text) * factor
    except ValueError:
        return None
    return kmh if 0 < kmh < 400 else None


TAGS_READ = (
    "highway", "access", "vehicle", "motor_vehicle", "motorcar", "moped", "bicycle", "foot", "oneway",
    "oneway:bicycle", "oneway:moped", "oneway:motorcar", "junction", "maxspeed", "surface", "area",
    "cycleway", "cycleway:left", "cycleway:right", "cycleway:both",
    "cycleway:left:oneway", "cycleway:right:oneway", "cycleway:both:oneway",
)  # fmt: skip
"""Tags of a way that the built-in tables look at; a user's own access and one-way keys are added to them."""


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

    Raises UnknownProfile for a name without a table, InvalidSpeed for a speed that is not above zero.
    """
    known = [key for key in tables if key != "weather"]
    profiles = []
    for name in names:
        if name not in known:
            raise UnknownProfile(f"there is no profile {name!r}", profile=name, hint=f"Known: {', '.join(known)}.")
        table = {"kmh_if_allowed": {}, "surface": {}, **tables[name]}
        for part in ("kmh", "kmh_if_allowed", "surface"):
            for road, value in table[part].items():
                require_speed(value, f"{name}.{part}.{road}")
        for part in ("maxspeed_share", "max_kmh"):
            require_speed(table.get(part, 1.0), f"{name}.{part}")
        for part in ("access", "oneway"):
            table[part] = tuple(table[part])
        table["barriers"] = frozenset(table.get("barriers", ()))
        try:
            profiles.append(Profile(name=name, **table))
        except TypeError as error:
            raise UnknownProfile(f"the table of profile {name!r} cannot be used: {error}", profile=name) from error
    return tuple(profiles)


def require_speed(value: Any, field: str) -> float:
    """`value` as a float; InvalidSpeed unless it is a number above zero."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf")
    if not good:
        raise InvalidSpeed(f"{field} must be a number above zero, not {value!r}", field=field)
    return float(value)
