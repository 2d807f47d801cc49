"""Member tiers: what `rules.tiers` says of each, one line of text.

    gold: promise 1500, late 300, ahead 600; plus: late 150

`promise`: seconds, of orders that name no deadline.  `late`: the price of lateness and of leaving out, percent of the
usual one.  `ahead`: where more orders wait than a round may plan, it counts as due so many seconds earlier.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

from dispatch.errors import InvalidSetting

KEY = "rules.tiers"

USUAL_PERCENT, MOST_PERCENT = 100, 2_000
"""What lateness costs of an order without a tier, and the most that waiting may make of it."""

GROWTH_S = 1
"""Past its bound an order's lateness costs a percent more every so many seconds."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_BOUNDS = {"promise": (60, 86_400), "late": (100, 1_000), "ahead": (0, 3_600)}


class Tier(NamedTuple):
    """What a tier gives its members; `promise_s` None: the usual promise."""

    promise_s: int | None = None
    late_percent: int = USUAL_PERCENT
    ahead_s: int = 0


NO_TIER = Tier()


@functools.cache
def tiers_of(text: str) -> Mapping[str, Tier]:
    """The tiers of a line of `rules.tiers` by name; raises InvalidSetting naming what is wrong."""
    found: dict[str, Tier] = {}
    for clause in text.split(";") if text.strip() else ():
        name, _, rest = (part.strip() for part in clause.partition(":"))
        if not _NAME.fullmatch(name) or name in found:
            raise _wrong(f"{name!r} stands twice" if name in found else f"{name!r} is no name of a tier")
        given: dict[str, int] = {}
        for part in rest.split(","):
            word, _, number = part.strip().partition(" ")
            if word not in _BOUNDS or word in given or not number.strip().isdecimal():
                raise _wrong(f"{part.strip()!r} says nothing of tier {name}")
            low, high = _BOUNDS[word]
            given[word] = int(number)
            if not low <= given[word] <= high:
                raise _wrong(f"{word} of tier {name} is {given[word]}, not between {low} and {high}")
        found[name] = Tier(given.get("promise"), given.get("late", USUAL_PERCENT), given.get("ahead", 0))
    return found


def check_tiers(text: str) -> None:
    """Raises InvalidSetting where the text is no line of `rules.tiers`."""
    tiers_of(text)


def promise_of(text: str, tier: str, usual_s: int) -> int:
    """Seconds from placement that an order of this tier is promised where it names no deadline."""
    promise_s = tiers_of(text).get(tier, NO_TIER).promise_s
    return usual_s if promise_s is None else promise_s


def counted_due_at(text: str, tier: str, due_at: int) -> int:
    """When an order counts as due among those that wait for a round.

    Nobody is passed over for long: only by orders that are due at most the largest `ahead` later.
    """
    return due_at - tiers_of(text).get(tier, NO_TIER).ahead_s


def late_percent(text: str, tier: str, late_s: int, bound_s: int) -> int:
    """What an order's lateness costs, percent of the usual price, `late_s` seconds after its promise.

    Beyond the bound it costs what the highest tier's costs, and ever more from there: no tier passes it over.
    """
    tiers = tiers_of(text)
    own = tiers.get(tier, NO_TIER).late_percent
    if not tiers or late_s <= bound_s:
        return own
    highest = max(other.late_percent for other in tiers.values())
    return min(MOST_PERCENT, highest + (late_s - bound_s) // GROWTH_S)


def _wrong(message: str) -> InvalidSetting:
    hint = "For instance: gold: promise 1500, late 300, ahead 600; plus: late 150"
    return InvalidSetting(message, field=KEY, hint=hint)
