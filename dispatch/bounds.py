"""What the engine can hold: the one check of instants, durations, loads and masks, whoever hands them over.

It goes by the names of fields (docs/conventions.md), so that a new field is checked without a word: `_at` and `until`
are instants, `_s` durations, `_units` loads.  Within these bounds no sum of a round leaves its integers.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

from dispatch.errors import Refused
from dispatch.inputs import Class, Input, ServiceResumed

REACH_S = 366 * 86_400
"""Instants lie at most so far from the instant at which they are said; durations are not longer."""
MOST_UNITS = 1_000_000
MOST_PRIORITY = 100
MASK_BITS = 62


class Flaw(NamedTuple):
    """A field that the engine cannot hold, and why, in words."""

    field: str
    why: str


def flaw_of(value: Any, now: int) -> Flaw | None:
    """The first field of a domain object, or of an object or a list in it, that lies out of bounds as seen at `now`."""
    for name in (item.name for item in dataclasses.fields(value)):
        found = getattr(value, name)
        if found is None:
            continue
        for one in found if isinstance(found, tuple) else (found,):
            flaw = flaw_of(one, now) if dataclasses.is_dataclass(one) else flaw_in(name, one, now)
            if flaw is not None:
                return Flaw(name, f"{flaw.field} {flaw.why}") if isinstance(found, tuple) else flaw
    return None


def require(item: Input) -> None:
    """Raises Refused, naming the field, where what the world says is more than the engine can hold.

    Reports of riders are facts and are never refused: their instants are taken as the nearest that can be.
    """
    if item.rank is not Class.EXOGENOUS or isinstance(item, ServiceResumed):  # a service may have been away for years
        return
    require_bounds(item, item.at)


def require_bounds(value: Any, now: int) -> None:
    """The same of a domain object that is only asked about, as seen at `now`."""
    flaw = flaw_of(value, now)
    if flaw is not None:
        raise Refused(f"{flaw.field} {flaw.why}", code="invalid_order", field=flaw.field)


def require_instant(field: str, at: int | None, now: int) -> None:
    """The same of one instant, by the name that its caller gave it."""
    flaw = flaw_in("at", at, now)
    if flaw is not None:
        raise Refused(f"{field} {flaw.why}", code="invalid_order", field=field)


def flaw_in(name: str, value: Any, now: int) -> Flaw | None:
    """The same of one value, by the name of its field."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    if name.endswith("_at") or name in ("until", "at"):
        return None if abs(value - now) <= REACH_S else Flaw(name, "lies more than a year away")
    if name.endswith("_s"):
        return None if 0 <= value <= REACH_S else Flaw(name, f"must lie between 0 and {REACH_S} seconds")
    if name.endswith("_units"):
        return None if 0 <= value <= MOST_UNITS else Flaw(name, f"must lie between 0 and {MOST_UNITS}")
    if name == "priority":
        return None if abs(value) <= MOST_PRIORITY else Flaw(name, f"must lie within {MOST_PRIORITY} of 0")
    if name in ("needs", "provides"):
        return None if 0 <= value < 2**MASK_BITS else Flaw(name, f"is a mask of at most {MASK_BITS} bits")
    return None
