"""Tracked quantiles of how much later than expected orders come: offsets by group, moved by each delivery.

A quantile of an order is the sum of its groups' offsets.  After its end every offset moves a little, up by the level
where the order came later than said, down by the rest where it came sooner: online gradient descent on the pinball loss
(Koenker and Bassett 1978; Gibbs and Candes 2021 for the adaptive view).  Whole numbers only, so that every machine
tracks the same.  The state changes by lessons alone, each of which is an event: folding decides nothing again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isqrt
from typing import Any

from dispatch.promise import odds
from dispatch.promise.told import LEVELS, P50, Lesson, Said, kept

CALIBRATED_FROM = 600
"""Deliveries of a basis from which on it counts as calibrated."""

PACE = 2100
"""The orders under way together move all groups of an order together by so many thousandths of the spread.

What is said follows within a few delivery times and does not run ahead of what is known, which is that much older."""
SPEED = {level: 500_000 // isqrt(level * (1000 - level)) for level in LEVELS}
"""Thousandths: levels far from the middle see fewer surprises, and move further with each."""
FEWEST_UNDER_WAY = 20
FIRST_SPREAD_MS = 300_000
FIRST_WEIGHTS = 5_000
"""A group that is new moves faster: by this over the root of its orders, in thousandths, down to 1000."""
RECENT_OF, SPREAD_OF = 20, 200
"""How many deliveries the recent error and the spread look back on, roughly."""
ODDS = " odds"
"""Ends the name of the group of a basis that corrects probabilities: a tenth of them in the place of a level."""
MOST_RECENT_MS = 3_600_000
"""A single order says no more than an hour of the recent error."""


class Tracker:
    """Offsets by group and basis, in nanoseconds; how many orders have taught each; the recent error of each basis."""

    def __init__(self) -> None:
        self.offsets: dict[str, list[int]] = {}
        self.counts: dict[str, int] = {}
        self.recent_ms: dict[str, int] = {}
        self.spread_ms: dict[str, int] = {}
        self.taught: dict[str, int] = {}
        """Orders that have taught each basis, those of a warm start among them."""

    def tracked_s(self, groups: Iterable[str]) -> tuple[int, ...]:
        """Seconds from the expected instant, one for each of LEVELS, rounded up; neighbours may have crossed."""
        sums = [0] * len(LEVELS)
        for group in groups:
            for k, offset in enumerate(self.offsets.get(group, ())):
                sums[k] += offset
        return tuple(-(-total // 1_000_000_000) for total in sums)

    def said(self, basis: str, expected_at: int, due_at: int, groups: tuple[str, ...]) -> Said:
        """What can be said of an order that is expected at `expected_at`."""
        found = self.tracked_s(groups)
        on_time = kept(tuple(sorted(found)), due_at - expected_at)
        moved = self.offsets.get(basis + ODDS)
        on_time = on_time if moved is None else odds.corrected(moved, on_time)
        return Said(basis, expected_at, due_at, found, on_time, self.is_calibrated(basis), groups)

    def is_calibrated(self, basis: str) -> bool:
        """True once enough orders of this basis have ended, here or in what it was begun with."""
        return self.taught.get(basis, 0) >= CALIBRATED_FROM

    def lessons(self, said: Said, delivered_at: int | None, under_way: int) -> tuple[Lesson, ...]:
        """All that an order's end teaches: of quantiles, and of probabilities."""
        return self.lesson(said, delivered_at, under_way), self.odds_lesson(said, delivered_at)

    def lesson(self, said: Said, delivered_at: int | None, under_way: int) -> Lesson:
        """What an order teaches that came at `delivered_at`; None: it never came, which is later than anything said.

        `under_way`: orders of which something was said whose end is not known yet.
        """
        late_s = None if delivered_at is None else delivered_at - said.expected_at
        share = max(under_way, FEWEST_UNDER_WAY) * max(len(said.groups), 1)
        step_us = self._spread_ms(said.basis) * PACE // share
        steps = tuple(
            step_us * SPEED[level] // 1000 * (level if late_s is None or late_s > at_s else level - 1000) // 1000
            for level, at_s in zip(LEVELS, said.tracked_s, strict=True)
        )
        weights = tuple((group, self._weight(group)) for group in said.groups)
        return Lesson(said.basis, weights, steps, *self._lately(said, late_s))

    def odds_lesson(self, said: Said, delivered_at: int | None) -> Lesson:
        """What the end of an order teaches of probabilities: its steps are those of `odds.steps`."""
        group = said.basis + ODDS
        on_time = kept(said.quantiles_s, said.due_at - said.expected_at)
        steps = odds.steps(said.on_time, on_time, is_kept=delivered_at is not None and delivered_at <= said.due_at)
        return Lesson(group, ((group, odds.weight(self.counts.get(group, 0))),), steps, 0, 0)

    def learn(self, lesson: Lesson) -> None:
        """Take a lesson in: the only way in which the state changes while orders come and go."""
        for group, weight in lesson.weights:
            offsets = self.offsets.setdefault(group, [0] * len(LEVELS))
            for k, step in enumerate(lesson.steps):
                offsets[k] += weight * step
            self.counts[group] = self.counts.get(group, 0) + 1
        if lesson.basis.endswith(ODDS):
            return
        self.recent_ms[lesson.basis], self.spread_ms[lesson.basis] = lesson.recent_ms, lesson.spread_ms
        self.taught[lesson.basis] = self.taught.get(lesson.basis, 0) + 1

    @classmethod
    def of(
        cls,
        groups: Iterable[tuple[str, int, Sequence[int]]],
        taught: Iterable[tuple[str, int]],
        spread_ms: Iterable[tuple[str, int]],
    ) -> Tracker:
        """What was learnt elsewhere, as an event says it; the recent error begins at none."""
        made = cls()
        for group, count, offsets in groups:
            made.counts[group], made.offsets[group] = count, list(offsets)
        made.taught, made.spread_ms = dict(taught), dict(spread_ms)
        return made

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON values."""
        return {
            "offsets": {group: list(offsets) for group, offsets in self.offsets.items()},
            "counts": dict(self.counts),
            "recent_ms": dict(self.recent_ms),
            "spread_ms": dict(self.spread_ms),
            "taught": dict(self.taught),
        }

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> Tracker:
        """The Tracker that `dump` described; nothing of an empty mapping."""
        made = cls()
        made.offsets = {group: [int(one) for one in found] for group, found in state.get("offsets", {}).items()}
        made.counts = {group: int(count) for group, count in state.get("counts", {}).items()}
        made.recent_ms = {basis: int(found) for basis, found in state.get("recent_ms", {}).items()}
        made.spread_ms = {basis: int(found) for basis, found in state.get("spread_ms", {}).items()}
        made.taught = {basis: int(count) for basis, count in state.get("taught", {}).items()}
        return made

    def _weight(self, group: str) -> int:
        count = self.counts.get(group, 0) + 1
        return max(1000, FIRST_WEIGHTS * 1000 // isqrt(count * 1_000_000))

    def _spread_ms(self, basis: str) -> int:
        return self.spread_ms.get(basis, FIRST_SPREAD_MS)

    def _lately(self, said: Said, late_s: int | None) -> tuple[int, int]:
        recent, spread = self.recent_ms.get(said.basis, 0), self._spread_ms(said.basis)
        if late_s is None:
            return recent, spread
        error = max(-MOST_RECENT_MS, min((late_s - said.quantiles_s[P50]) * 1000, MOST_RECENT_MS))
        return recent + (error - recent) // RECENT_OF, spread + (abs(error) - spread) // SPREAD_OF
