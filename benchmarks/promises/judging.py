"""What was said of orders held against what came: coverage, slices, pinball loss, tenths of the probability said."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from dispatch.promise.told import P90, Said
from dispatch.record import calibration
from dispatch.record.calibration import ENOUGH, SaidAndCome
from dispatch.record.telling import Telling

Heard = tuple[Telling, Said]
"""What an order was like and what came of it, and what was said of it."""

LEVEL = 0.9
FLOOR, AIM = (0.87, 0.93), (0.885, 0.915)
SLICE_FLOOR, SLICE_AIM = (0.85, 0.95), (0.87, 0.93)
TENTH_FLOOR = 0.05


class Slice(NamedTuple):
    """Orders that have something in common: by what, of which group, how many, and the share that came by their P90."""

    by: str
    group: str
    orders: int
    covered: float


class HeldAgainst(NamedTuple):
    """One row of the page.  `pinball_s`: of P90; `plain_s`: the same of the quote and a constant."""

    name: str
    orders: int
    undelivered: int
    p50: float
    p90: float
    pinball_s: float
    plain_s: float
    slices: tuple[Slice, ...]
    tenths: tuple[calibration.Tenth, ...]

    @property
    def ratio(self) -> float:
        """Pinball loss over that of the quote and a constant."""
        return self.pinball_s / self.plain_s

    @property
    def large(self) -> list[Slice]:
        """Slices that hold enough orders."""
        return [one for one in self.slices if one.orders >= ENOUGH]

    @property
    def widest(self) -> float:
        """The largest difference of said and come among tenths that hold enough orders; 0 where none does."""
        return max((abs(one.said - one.came) for one in self.tenths if one.orders >= ENOUGH), default=0.0)


def ended(heard: Iterable[Heard], basis: str) -> list[Heard]:
    """Of one basis, the orders whose end is known; those called off teach and tell nothing."""
    return [(told, said) for told, said in heard if said.basis == basis and told.known_at is not None]


def judged(
    name: str, heard: Sequence[Heard], plain: Mapping[str, float], extra: Mapping[str, Callable[[str], str]]
) -> HeldAgainst:
    """Judge orders of one basis.

    `plain`: by order, the epoch second that the quote and a constant say.  `extra`: slices beside those of the groups,
    by name: the group of an order.
    """
    found = [SaidAndCome(said, told.delivered_at) for told, said in heard]
    came = [(told, said) for told, said in heard if told.delivered_at is not None and told.order_id in plain]
    return HeldAgainst(
        name,
        len(found),
        sum(one.delivered_at is None for one in found),
        calibration.coverage(found, 500) or 0.0,
        calibration.coverage(found, 900) or 0.0,
        _pinball(told.delivered_at - said.p90_at for told, said in came if told.delivered_at is not None),
        _pinball(told.delivered_at - plain[told.order_id] for told, _ in came if told.delivered_at is not None),
        tuple(_slices(heard, extra)),
        tuple(calibration.tenths(found)),
    )


def _slices(heard: Sequence[Heard], extra: Mapping[str, Callable[[str], str]]) -> Iterable[Slice]:
    groups: dict[tuple[str, str], list[bool]] = {}
    for told, said in heard:
        names = [group.partition("/")[2].partition(":") for group in told.said.groups]
        keys = [(by, group) for by, colon, group in names if colon and by != "recent"]
        keys += [(by, of(told.order_id)) for by, of in extra.items()]
        for key in keys:
            groups.setdefault(key, []).append(told.delivered_at is not None and told.delivered_at <= said.p90_at)
    for (by, group), kept in sorted(groups.items()):
        yield Slice(by, group, len(kept), sum(kept) / len(kept))


def _pinball(seconds_late: Iterable[float]) -> float:
    losses = [max(LEVEL * late, (LEVEL - 1) * late) for late in seconds_late]
    return sum(losses) / len(losses) if losses else math.nan


def constant_of(told: Sequence[Telling]) -> float:
    """The constant on top of what is expected, seconds, by which nine in ten came; what never came counts as latest."""
    late = sorted(
        math.inf if one.delivered_at is None else float(one.delivered_at - one.said.expected_at)
        for one in told
        if one.known_at is not None
    )
    return late[min(math.ceil(LEVEL * len(late)), len(late)) - 1]


def covered(heard: Iterable[Heard]) -> float:
    """The share that came by the P90 said."""
    kept = [
        told.delivered_at is not None and told.delivered_at <= said.expected_at + said.quantiles_s[P90]
        for told, said in heard
    ]
    return sum(kept) / len(kept)
