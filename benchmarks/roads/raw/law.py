"""What raw tags of a map say to who drives, rides or walks, read anew from docs/roads.md: nothing is shared with the
import.

Only the constants (speeds by class and the like) come from the profile tables, since they are what the page refers to.
"""

from __future__ import annotations

import math
import re
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
Table = Mapping[str, Any]
"""The constants of a profile."""


def table_of(profile: str) -> dict[str, Any]:
    """The constants of a profile; those of who it is when it pushes as `pushed`."""
    path = Path(routing.roads.__file__).parent / "source" / "profiles.toml"
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    found: dict[str, Any] = tables[profile]
    return found | {"pushed": tables[found["push"]]} if "push" in found else found


def walks(table: Table) -> bool:
    """Whether a profile goes on foot."""
    return bool(table["access"][-1] == "foot")


def allowed(tags: Mapping[str, str], table: Table, side: str = "") -> str | None:
    """What the access tags say of one direction (":forward", ":backward"), None where they say nothing."""
    said = None
    for key in table["access"]:
        text = tags.get(key + side) if side and key + side in tags else tags.get(key)
        words = [word.strip().lower() for word in (text or "").split(";")]
        verdicts = [OPEN if w in _OPEN else ENDS if w in _ENDS else SHUT for w in words if w not in _SILENT]
        if verdicts:
            said = min(verdicts, key=_ORDER.index)
    return said


def directions(tags: Mapping[str, str], table: Table) -> tuple[bool, bool]:
    """Whether a way may be driven as it is drawn, and against that."""
    both = (True, True)
    ring = tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway"
    if ring and not walks(table):
        both = (True, False)
    for key in table["oneway"]:
        value = tags.get(key, "")
        if value in ("yes", "true", "1"):
            both = (True, False)
        if value in ("-1", "reverse"):
            both = (False, True)
        if value in ("no", "false", "0", "alternating"):
            both = (True, True)
        if value == "reversible":
            both = (False, False)
    lanes = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")
    opposite = any(
        tags.get(lane, "").startswith("opposite") or tags.get(f"{lane}:oneway") in ("no", "-1") for lane in lanes
    )
    opposite |= any(
        word.strip().lower() in _OPEN
        for side in ("forward", "backward")
        for word in tags.get(f"bicycle:{side}", "").split(";")
    )
    return (True, True) if table.get("contraflow") and opposite and "oneway:bicycle" not in tags else both


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


def fits(tags: Mapping[str, str], table: Table) -> bool:
    """Whether a profile fits below and between."""
    high = min(metres(tags.get(key)) for key in ("maxheight", "maxheight:physical"))
    wide = min(metres(tags.get(key)) for key in ("maxwidth", "maxwidth:physical"))
    return bool(high >= table.get("height_m", 0.0) and wide >= table.get("width_m", 0.0))


def drive(tags: Mapping[str, str], side: str, table: Table) -> tuple[float, bool]:
    """(km/h in one direction, whether for ends only); 0 km/h where a profile may not go, not even pushing."""
    kmh, ends = go(tags, side, table) if directions(tags, table)[side == ":backward"] else (0.0, False)
    if not kmh and "pushed" in table and tags["highway"] != "ferry":
        kmh, ends = go(tags, side, table["pushed"])
        kmh = min(0.9 * kmh, table["push_kmh"])
    return kmh, ends and kmh > 0


def go(tags: Mapping[str, str], side: str, table: Table) -> tuple[float, bool]:
    """As `drive`, whatever one-ways say and without pushing."""
    road = tags["highway"]
    impossible = (
        (not walks(table) and (tags.get("area") == "yes" or tags.get("service") == "emergency_access"))
        or (tags.get("motorroad") == "yes" and "motorway" not in table["kmh"])
        or tags.get("smoothness") in table.get("smoothness_shut", ())
        or tags.get("construction", "no") not in ("no", "minor", "widening")
        or tags.get("impassable") == "yes"
        or tags.get("status") in ("impassable", "closed")
        or not fits(tags, table)
    )
    said = allowed(tags, table, side)
    if road == "ferry":
        aboard = table.get("ferries", False) if said is None else said != SHUT
        return (float(tags["ferry_kmh"]) if aboard and not impossible else 0.0), said == ENDS
    kmh = float(table["kmh"].get(road, 0.0))
    own = {**table, "access": [key for key in table["access"] if key != "access"]}
    if not kmh and (said == ENDS or (said == OPEN and allowed(tags, own, side) == OPEN)):
        kmh = float(table.get("kmh_if_allowed", {}).get(road, 0.0))
    if impossible or said == SHUT or not kmh:
        return 0.0, False
    grade = tags.get("tracktype", "") if road == "track" else ""
    ends = said == ENDS or (road in table.get("ends_only", ()) and said is None and grade != "grade1")
    if tags.get(table["access"][-1]) == "dismount":
        return min(kmh, 4.5), ends
    limit = sign(tags, side)
    if limit:
        kmh = limit * table["maxspeed_share"] if table["maxspeed"] == "sets" else min(kmh, limit)
    kmh *= table["surface"].get(tags.get("surface", ""), 1.0) * table.get("tracktype", {}).get(grade, 1.0)
    if road == "service":
        kmh = min(kmh, table.get("service", {}).get(tags.get("service", ""), kmh))
    return min(kmh, table.get("max_kmh", kmh)), ends


def ferry(tags: Mapping[str, str], metres: float) -> dict[str, str]:
    """The tags of a ferry as those of a way, with the speed that its duration makes."""
    text = tags.get("duration", "").strip().upper()
    parts = text.split(":")
    units = {"D": 86_400, "H": 3600, "M": 60, "S": 1}
    seconds = 0
    if text.startswith("P"):
        seconds = sum(int(count) * units[unit] for count, unit in re.findall(r"(\d+)([DHMS])", text))
    elif all(part.isdecimal() for part in parts) and len(parts) <= 3:
        # Minutes alone, hours and minutes, or hours, minutes and seconds.
        scale = {1: (60,), 2: (3600, 60), 3: (3600, 60, 1)}[len(parts)]
        seconds = sum(int(part) * each for part, each in zip(parts, scale, strict=True))
    kmh = min(70.0, max(0.5, metres / seconds * 3.6)) if seconds and metres else 12.0
    return {**tags, "highway": "ferry", "ferry_kmh": f"{kmh:.3f}"}


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


def gate(tags: Mapping[str, str], table: Table) -> tuple[str, float]:
    """What a barrier at a node lets through, and the seconds it takes."""
    kind = tags["barrier"]
    stops = kind in table.get("barriers", ()) or kind not in table.get("passes", (kind,))
    rises = tags.get("bollard") == "rising" and not allowed(tags, table)
    said = allowed(tags, table) or (SHUT if stops and not rises else OPEN)
    if tags.get("locked") in ("yes", "true", "1") or not fits(tags, table):
        said = SHUT
    return said, table.get("gate_s", 0.0) if said == ENDS or kind.endswith("gate") or rises else 0.0


def turn_seconds(degrees: float, table: Table) -> float:
    """What a turn costs by its angle (positive to the right), as the car profile of OSRM draws it."""
    most, bias = float(table.get("turn_s", 0.0)), table.get("turn_bias", 1.0)
    if degrees >= 0:
        return most / (1 + math.exp(-(13 / bias * degrees / 180 - 6.5 * bias)))
    return most / (1 + math.exp(-(13 * bias * -degrees / 180 - 6.5 / bias)))
