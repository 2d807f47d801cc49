"""By which groups orders teach each other: what is known of one at the instant at which something is said of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import NamedTuple

LOADS = (60, 100, 150, 250)
"""Hundredths of an open order for each rider on duty."""
WAITS_S = (30, 90, 180, 360, 720)
HOURS_S = (1200, 2400, 3600, 5400, 7200, 10800, 14400)
RECENT_MS = (-240_000, -90_000, 0, 90_000, 240_000)
LEADS_S = (900, 1200, 1500, 1800, 2400, 3000)
COOKING_S = (0, 300, 600, 900, 1200)


class Circumstances(NamedTuple):
    """What an order is placed or planned into.

    `load`: hundredths of an open order for each rider on duty.  `wait_s`: how long goods waited for riders in the last
    plan.  `into_service_s`: since orders began to come.  `recent_ms`: by how much orders came later than their median
    of late.  `lead_s`: until it is expected.  `cooking_s`: until the goods are.  `zone`: of its store.
    """

    basis: str
    load: int
    wait_s: int
    into_service_s: int
    recent_ms: int
    lead_s: int
    cooking_s: int
    zone: str
    weather: str


def groups_of(found: Circumstances) -> tuple[str, ...]:
    """The names of the groups, each of one basis; the first holds everybody."""
    names = [
        "all",
        f"load:{bisect_right(LOADS, found.load)}",
        f"wait:{bisect_right(WAITS_S, found.wait_s)}",
        f"hour:{bisect_right(HOURS_S, found.into_service_s)}",
        f"recent:{_recent(found.recent_ms)}",
        f"lead:{bisect_right(LEADS_S, found.lead_s)}",
        f"cooking:{bisect_right(COOKING_S, found.cooking_s)}",
        f"zone:{found.zone}",
    ]
    if found.weather:
        names.append(f"weather:{found.weather}")
    return tuple(f"{found.basis}/{name}" for name in names)


def recent_group(group: str, recent_ms: Mapping[str, int]) -> str:
    """The group again under another recent error, by basis; all but `recent` stay as they are."""
    basis, _, name = group.partition("/")
    return f"{basis}/recent:{_recent(recent_ms.get(basis, 0))}" if name.startswith("recent:") else group


def _recent(recent_ms: int) -> int:
    return bisect_right(RECENT_MS, recent_ms)
