"""What was said of one order's delivery, and what its end teaches: parts of events, pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

LEVELS = (100, 200, 300, 400, 500, 600, 700, 800, 900, 950)
"""The quantiles that are tracked, in thousandths."""
P50, P90 = LEVELS.index(500), LEVELS.index(900)

QUOTE, PLAN = "quote", "plan"
"""What was at hand when it was said: a trial insertion as it was placed, or the first plan that held the order."""

LEAST, MOST = 25, 975
"""Thousandths said where a promise lies beyond the outermost quantiles: there is nothing that tells more."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of an order's delivery at one instant.

    `tracked_s`: seconds from `expected_at`, one for each of LEVELS, as they are tracked: neighbours may have crossed.
    `on_time`: thousandths, the probability that `due_at` is kept.  `groups`: what the order was like, by which it
    teaches.
    """

    basis: str
    expected_at: int
    due_at: int
    tracked_s: tuple[int, ...]
    on_time: int
    calibrated: bool
    groups: tuple[str, ...] = ()

    @property
    def quantiles_s(self) -> tuple[int, ...]:
        """Seconds from `expected_at`, one for each of LEVELS, rising."""
        return tuple(sorted(self.tracked_s))

    @property
    def p50_at(self) -> int:
        """As likely earlier as later."""
        return self.expected_at + self.quantiles_s[P50]

    @property
    def p90_at(self) -> int:
        """Nine in ten come by then."""
        return self.expected_at + self.quantiles_s[P90]


def with_said(before: tuple[Said, ...], said: Said) -> tuple[Said, ...]:
    """What was said of an order, the newest last: it takes the place of what was said on the same basis."""
    return (*(other for other in before if other.basis != said.basis), said)


class Lesson(NamedTuple):
    """What one end teaches: each group's offsets move by `weight` times `steps`, which is all that a fold must know.

    `weights`: (group, thousandths).  `steps`: microseconds, one for each of LEVELS.  From now on, of late: `recent_ms`
    is how much orders come later than their median, `spread_ms` how far from it.
    """

    basis: str
    weights: tuple[tuple[str, int], ...]
    steps: tuple[int, ...]
    recent_ms: int
    spread_ms: int


def kept(quantiles_s: tuple[int, ...], slack_s: int) -> int:
    """Thousandths: how likely an order comes within `slack_s` seconds of the instant that the quantiles count from.

    Between two quantiles by a straight line; of several at one second the highest counts.
    """
    if slack_s < quantiles_s[0]:
        return LEAST
    if slack_s >= quantiles_s[-1]:
        return MOST
    above = next(k for k, at_s in enumerate(quantiles_s) if at_s > slack_s)
    low_s, high_s = quantiles_s[above - 1], quantiles_s[above]
    low, high = LEVELS[above - 1], LEVELS[above]
    return low + (high - low) * (slack_s - low_s) // (high_s - low_s)
