"""What raw tags of a map say to a car, read anew from docs/roads.md: nothing is shared with the import.

Only the constants (speeds by class and the like) come from the profile tables, since they are what the page refers to.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import routing.roads

OPEN, ENDS, SHUT = "open", "ends", "shut"
_OPEN = ("yes", "permissive", "designated", "official", "public", "allowed", "true", "1", "dismount")
_ENDS = ("destination", "delivery", "customers", "private", "permit", "residents", "resident", "visitors", "tenants")
_SILENT = ("", "unknown", "variable", "fixme")
_ORDER = (OPEN, ENDS, SHUT)
CHAIN = ("access", "vehicle", "motor_vehicle", "motorcar")


def car_table() -> dict[str, Any]:
    """The constants of the car."""
    path = Path(routing.roads.__file__).parent / "source" / "profiles.toml"
    found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["car"]
    return found


def allowed(tags: Mapping[str, str], side: str = "") -> str | None:
    """What the access tags say of one direction (":forward", ":backward"), None where they say nothing."""
    said = None
    for key in CHAIN:
        text = tags.get(key + side) if side and key + side in tags else tags.get(key)
        words = [word.strip().lower() for word in (text or "").split(";")]
        verdicts = [OPEN if w in _OPEN else ENDS if w in _ENDS else SHUT for w in words if w not in _SILENT]
        if verdicts:
            said = min(verdicts, key=_ORDER.index)
    return said


def directions(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether a way may be driven as it is drawn, and against that."""
    both = (True, True)
    if tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway":
        both = (True, False)
    for key in ("oneway", *(f"oneway:{mode}" for mode in CHAIN[1:])):
        value = tags.get(key, "")
        if value in ("yes", "true", "1"):
            both = (True, False)
        if value in ("-1", "reverse"):
            both = (False, True)
        if value in ("no", "false", "0", "alternating"):
            both = (True, True)
        if value == "reversible":
            both = (False, False)
    return both


def metres(text: str | None) -> float:
    """A height or width in metres, endless where it cannot be read."""
    words = (text or "").lower().replace(",", ".").strip()
    try:
        if "'" in words:
            feet, inches = words.split("'", 1)
            return float(feet) * 0.3048 + float(inches.strip('" ') or 0) * 0.0254
        if words.endswith("ft"):
            return float(words[:-2]) * 0.3048
        return float(words.rstrip("m ")) or math.inf
    except ValueError:
        return math.inf


def fits(tags: Mapping[str, str], table: Mapping[str, Any]) -> bool:
    """Whether a car fits below and between."""
    high = min(metres(tags.get(key)) for key in ("maxheight", "maxheight:physical"))
    wide = min(metres(tags.get(key)) for key in ("maxwidth", "maxwidth:physical"))
    return high >= table["height_m"] and wide >= table["width_m"]


def drive(tags: Mapping[str, str], side: str, table: Mapping[str, Any]) -> tuple[float, bool]:
    """(km/h in one direction, whether for ends only); 0 km/h where a car may not go."""
    road = tags["highway"]
    impossible = (
        tags.get("area") == "yes"
        or tags.get("service") == "emergency_access"
        or tags.get("smoothness") in table["smoothness_shut"]
        or tags.get("construction", "no") not in ("no", "minor", "widening")
        or not fits(tags, table)
    )
    may = directions(tags)[0 if side == ":forward" else 1]
    said = allowed(tags, side)
    kmh = table["kmh"].get(road, 0.0)
    if not kmh and said in (OPEN, ENDS):
        kmh = table["kmh_if_allowed"].get(road, 0.0)
    if not may or impossible or said == SHUT or not kmh:
        return 0.0, False
    grade = tags.get("tracktype", "") if road == "track" else ""
    ends = said == ENDS or (road in table["ends_only"] and said is None and grade != "grade1")
    limit = sign(tags, side)
    if limit:
        kmh = limit * table["maxspeed_share"]
    kmh *= table["surface"].get(tags.get("surface", ""), 1.0) * table["tracktype"].get(grade, 1.0)
    if road == "service":
        kmh = min(kmh, table["service"].get(tags.get("service", ""), kmh))
    return min(kmh, table["max_kmh"]), ends


def sign(tags: Mapping[str, str], side: str) -> float:
    """The speed limit in a direction, km/h; 0 where none can be read."""
    text = tags.get(f"maxspeed{side}", tags.get("maxspeed", "")).split(";")[0].strip()
    if text == "none":
        return 130.0 if tags["highway"] in ("motorway", "trunk") or tags.get("motorroad") == "yes" else 0.0
    found = number(text)
    for key in ("maxspeed:type", "source:maxspeed", "zone:maxspeed", "zone:traffic"):
        found = found or (number(tags[key]) if ":" in tags.get(key, "") else 0.0)
    return found


def number(text: str) -> float:
    """Km/h of a sign's text, 0 where it says nothing that can be read."""
    from routing.roads.source.profiles import parse_maxspeed

    # Codes of countries are a table, not a rule: the same one is asked.
    if ":" in text:
        return parse_maxspeed(text) or 0.0
    low = text.lower().strip()
    if low in ("walk", "living_street"):
        return 7.0 if low == "walk" else 10.0
    factor = 1.0
    for unit, scale in (("mph", 1.609344), ("km/h", 1.0), ("kmh", 1.0), ("kph", 1.0), ("knots", 1.852)):
        if low.endswith(unit):
            low, factor = low[: -len(unit)].strip(), scale
            break
    try:
        kmh = float(low) * factor
    except ValueError:
        return 0.0
    return kmh if 0 < kmh < 400 else 0.0


def gate(tags: Mapping[str, str], table: Mapping[str, Any]) -> tuple[str, float]:
    """What a barrier at a node lets through, and the seconds it takes."""
    kind = tags["barrier"]
    said = allowed(tags) or (SHUT if kind in table["barriers"] else OPEN)
    if tags.get("locked") in ("yes", "true", "1") or not fits(tags, table):
        said = SHUT
    return said, table["gate_s"] if said == ENDS or kind.endswith("gate") else 0.0


def turn_seconds(degrees: float, table: Mapping[str, Any]) -> float:
    """What a turn costs by its angle (positive to the right), as the car profile of OSRM draws it."""
    bias = table["turn_bias"]
    if degrees >= 0:
        return float(table["turn_s"]) / (1 + math.exp(-(13 / bias * degrees / 180 - 6.5 * bias)))
    return float(table["turn_s"]) / (1 + math.exp(-(13 * bias * -degrees / 180 - 6.5 / bias)))
