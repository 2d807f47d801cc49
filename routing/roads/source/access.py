"""What access tags say: who may pass, in which direction, and where a trip must begin or end to pass at all."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

from routing.roads.errors import UnknownProfile
from routing.roads.source.countries import of_code, parse_maxspeed
from routing.roads.source.hours import SUFFIXES, Statement, read_conditional, unread_conditions


class Access(IntEnum):
    """Whether a street or a gate lets a profile through: always, for trips that begin or end there, or never."""

    OPEN = 0
    ENDS_ONLY = 1
    SHUT = 2


VALUES: Mapping[str, Access] = {
    **dict.fromkeys(
        ("yes", "permissive", "designated", "official", "public", "allowed", "true", "1", "dismount"),
        Access.OPEN,
    ),
    **dict.fromkeys(
        ("destination", "delivery", "customers", "private", "permit", "residents", "resident", "visitors", "tenants"),
        Access.ENDS_ONLY,
    ),
    **dict.fromkeys(
        (
            "no", "agricultural", "forestry", "agricultural;forestry", "military", "emergency", "restricted",
            "use_sidepath", "psv", "bus", "hov", "taxi", "false", "0", "none",
        ),
        Access.SHUT,
    ),
}  # fmt: skip
"""What the values of access tags mean; a user's table may say otherwise.  A value that is not here shuts."""
ALIKE = 0.85
"""A word that is no known one and so much like one is taken for a slip."""
SAYS_NOTHING = frozenset({"", "unknown", "variable", "fixme"})


def read_access(
    tags: Mapping[str, str], keys: Sequence[str], suffix: str = "", values: Mapping[str, Access] = VALUES
) -> Access | None:
    """The last of the keys that the tags hold decides, its own direction before both; None where none is held."""
    verdict = None
    for key in keys:
        value = tags.get(key + suffix, tags.get(key)) if suffix else tags.get(key)
        if value is not None:
            said = read_values(value, values)
            verdict = verdict if said is None else said
    return verdict


def read_values(text: str, values: Mapping[str, Access] = VALUES) -> Access | None:
    """The most open of a list of values split at semicolons; None where it says nothing."""
    said = [each.strip().lower() for each in text.split(";")]
    found = [values.get(each, Access.SHUT) for each in said if each not in SAYS_NOTHING]
    return min(found, default=None)


def read_oneway(tags: Mapping[str, str], keys: Sequence[str], *, contraflow: bool) -> tuple[bool, bool]:
    """Whether a way is open along and against, as far as its one-way tags tell.

    Without `oneway` among the keys, roundabouts and motorways are open both ways, too.
    """
    ring = tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway"
    open_ = True, not (ring and "oneway" in keys)
    for key in keys:
        value = tags.get(key)
        if value in ("yes", "true", "1"):
            open_ = True, False
        elif value in ("-1", "reverse"):
            open_ = False, True
        elif value in ("no", "false", "0", "alternating"):
            open_ = True, True
        elif value == "reversible":
            open_ = False, False
    if contraflow and "oneway:bicycle" not in tags and _has_contraflow(tags):
        return True, True
    return open_


def _has_contraflow(tags: Mapping[str, str]) -> bool:
    lanes = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")
    if any(read_values(tags.get(f"bicycle{side}", "")) == Access.OPEN for side in SUFFIXES):
        return True
    if any(tags.get(lane, "").startswith("opposite") for lane in lanes):
        return True
    return any(tags.get(f"{lane}:oneway") in ("no", "-1") for lane in lanes)


def parse_metres(value: str | None) -> float | None:
    """A height or width in metres (2.2, 2.2 m, 7'6"), None where it says nothing that can be read."""
    if not value:
        return None
    text = value.strip().lower().replace(",", ".")
    try:
        if "'" in text:
            feet, _, inches = text.partition("'")
            return float(feet) * 0.3048 + float(inches.replace('"', "") or 0) * 0.0254
        if text.endswith("ft"):
            return float(text[:-2]) * 0.3048
        return float(text.removesuffix("m").strip())
    except ValueError:
        return None


def is_too_small(tags: Mapping[str, str], height_m: float, width_m: float) -> bool:
    """Whether somebody that high and wide cannot pass below or between what the tags tell of (0: fits anywhere)."""
    heights = [parse_metres(tags.get(key)) for key in ("maxheight", "maxheight:physical")]
    widths = [parse_metres(tags.get(key)) for key in ("maxwidth", "maxwidth:physical")]
    return any(0 < each < height_m for each in heights if each) or any(0 < each < width_m for each in widths if each)


def is_being_built(tags: Mapping[str, Any]) -> bool:
    """Whether a way's `construction` tag shuts it: any value but those that leave it open."""
    return tags.get("construction", "no") not in ("no", "minor", "widening")


def is_impassable(tags: Mapping[str, Any]) -> bool:
    """Whether a way says of itself that nobody passes."""
    return tags.get("impassable") == "yes" or tags.get("status") in ("impassable", "closed")


def readable(said: Sequence[Statement], country: str = "") -> list[Statement]:
    """The statements of conditional tags without those of signs that nobody can read."""
    return [each for each in said if not each[0].startswith("maxspeed") or _is_speed(each[1], country or "XX")]


def _is_speed(value: str, country: str = "XX") -> bool:
    return value in ("none", "signals", "variable") or bool(parse_maxspeed(value) or of_code(value, country))


_ONEWAY = frozenset(("yes", "true", "1", "no", "false", "0", "-1", "reverse", "reversible", "alternating"))


def not_understood(tags: Mapping[str, str], keys: Sequence[str]) -> list[str]:
    """Tags of a way or a gate, as key=value, whose value says nothing that can be read.

    `keys`: the access tags that are looked at.  Access values shut then, speeds and one-ways are passed over.
    """
    told = []
    for key in keys:
        told += unread_conditions(tags, (key, f"oneway:{key}"))
        for each in (key, *(key + suffix for suffix in SUFFIXES)):
            if not _is_known(tags.get(each, "")):
                told.append(f"{each}={tags[each]}")
        said = read_conditional(tags, (key,))
        odd = dict.fromkeys(each for each, value, _ in said if not _is_known(value))
        told += [f"{each}:conditional={tags[f'{each}:conditional']}" for each in odd]
        way = tags.get(f"oneway:{key}")
        if way and way not in _ONEWAY:
            told.append(f"oneway:{key}={way}")
    for each in ("maxspeed", "maxspeed:forward", "maxspeed:backward"):
        value = tags.get(each, "")
        if value and not _is_speed(value):
            told.append(f"{each}={value}")
    told += unread_conditions(tags, ("oneway", "maxspeed"))
    signs = dict.fromkeys(each for each, value, _ in read_conditional(tags, ("maxspeed",)) if not _is_speed(value))
    told += [f"{each}:conditional={tags[f'{each}:conditional']}" for each in signs]
    way = tags.get("oneway")
    if way and way not in _ONEWAY:
        told.append(f"oneway={way}")
    for each in ("maxheight", "maxwidth"):
        if tags.get(each) and tags[each] not in ("default", "none", "below_default") and not parse_metres(tags[each]):
            told.append(f"{each}={tags[each]}")
    return told


def _is_known(text: str) -> bool:
    words = [word.strip().lower() for word in text.split(";")]
    return all(word in VALUES or word in SAYS_NOTHING for word in words)


def check_sections(tables: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Raise UnknownProfile for what is no profile of ours and none of its own, and for a class or value misspelt."""
    for name, table in given.items():
        if not isinstance(table, Mapping):
            continue
        if name not in tables and not ("access" in table and "kmh" in table):
            near = difflib.get_close_matches(name, list(tables), 1)
            raise UnknownProfile(
                f"the profile file has a table {name!r}, which is no profile: it says nothing of access or of speed",
                profile=name,
                hint=f"Did you mean {near[0]}?" if near else f"Known: {', '.join(tables)}.",
            )
        classes = sorted({road for each in tables.values() for road in each.get("kmh", {})})
        for part, known in (("kmh", classes), ("kmh_if_allowed", classes), ("values", sorted(VALUES))):
            for key in table.get(part, {}) if isinstance(table.get(part), Mapping) else ():
                near = [] if key in known else difflib.get_close_matches(key, known, 1, ALIKE)
                if near:
                    raise UnknownProfile(
                        f"the profile file speaks of {key!r}, which no map does", profile=name,
                        field=f"{name}.{part}.{key}", hint=f"Did you mean {near[0]}?",
                    )  # fmt: skip
