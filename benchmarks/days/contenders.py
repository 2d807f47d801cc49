"""Who stands in the table of city days, with what settings, on which days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dispatch.policies.policy import HalfhourPolicy, Policy
from dispatch.settings.settings import Settings
from halfhour.policies import choose

REPORTED = tuple(range(101, 121))
"""The days of the table, named before anything was measured on them.  Settings were chosen on days 11 to 18."""


PUBLISHED: Mapping[str, Any] = {
    **{key: value for key, value in Settings.stated({}).flat().items() if key.startswith(("prices.", "reposition."))},
    "rules.empty_moves": True, "prices.late_from": "promise", "prices.late_after_s": 0, "prices.late_per_s": 300,
}  # fmt: skip
"""The prices and empty moves under which 0.1.0 published VROOM: steep lateness, no charge for a missed promise."""


LATE_WEIGHT, UNDELIVERED_LATE_S = 3, 3600
"""What a second late counts in seconds of driving, as in the snapshots of the solver's table; how late an order counts
that never arrives."""


class Contender(NamedTuple):
    """A policy, the settings in which its row differs from what ships, what the page says, and whether it searches."""

    policy: Callable[[float], Policy]
    settings: Mapping[str, Any] = {}
    note: str = ""
    searches: bool = True
    """Whether it reads the settings of our search: the others' rows stand whatever these are."""


def _ours(recipe: str) -> Callable[[float], Policy]:
    return lambda round_s: HalfhourPolicy(recipe)


def _vroom(round_s: float) -> Policy:
    from benchmarks.policies.vroom_rounds import VroomRounds

    return VroomRounds(round_s=round_s)


AS_SHIPPED, VROOM, VROOM_STAR = "halfhour, as shipped", "vroom, as published", "vroom, our prices, no empty moves"
ON_TIME, THRIFTY, DOOR = (f"halfhour, preset {name}" for name in ("on_time", "thrifty", "door"))
VROOM_ON_TIME, VROOM_THRIFTY = (f"vroom, prices of {name}, no empty moves" for name in ("on_time", "thrifty"))


CONTENDERS = {
    AS_SHIPPED: Contender(_ours("lns")),
    VROOM: Contender(_vroom, PUBLISHED, "mixes stores; bags of twelve; lateness at 300 a second, no charge",
                     searches=False),
    VROOM_STAR: Contender(
        _vroom, {"rules.empty_moves": False}, "mixes stores; bags of twelve", searches=False
    ),
    "halfhour, one store a trip": Contender(
        _ours("lns"), {"rules.mix": "same_store"}, "may not mix stores; both rows of VROOM mix them"
    ),
    ON_TIME: Contender(_ours("lns"), {"preset": "on_time"}),
    THRIFTY: Contender(_ours("lns"), {"preset": "thrifty"}),
    DOOR: Contender(_ours("lns"), {"preset": "door"}),
    VROOM_ON_TIME: Contender(_vroom, {"preset": "on_time"}, "mixes stores; bags of twelve", searches=False),
    VROOM_THRIFTY: Contender(_vroom, {"preset": "thrifty"}, "mixes stores; bags of twelve", searches=False),
    "halfhour, prices of 0.1.0": Contender(_ours("lns"), {**PUBLISHED, "rules.mix": "same_store"},
                                           "what `halfhour scenario new` wrote; may not mix stores"),
    "halfhour, insertion": Contender(_ours("insertion"), {}, "no search", searches=False),
    "batch": Contender(lambda round_s: choose("batch").policy, searches=False),
    "nearest": Contender(lambda round_s: choose("nearest").policy, searches=False),
}  # fmt: skip
