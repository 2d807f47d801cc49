"""The tracker once more, slow and obvious: every lesson is kept, and what is known is added up anew each time."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, isqrt

from dispatch.promise.told import LEVELS


class SlowTracker:
    """Remembers what each end taught; answers by going through all of it."""

    def __init__(self) -> None:
        self.ends: list[tuple[tuple[str, ...], tuple[int, ...], int | None, int]] = []
        """Groups, what was said at each level, seconds later than expected (None: it never came), orders under way."""

    def said(self, groups: tuple[str, ...]) -> tuple[int, ...]:
        """Seconds at each level: the sum over an order's groups of all moves of their offsets, in exact fractions."""
        totals = [Fraction(0)] * len(LEVELS)
        for group in groups:
            seen = 0
            spread = 300_000
            for others, told, late_s, under_way in self.ends:
                step_us = floor(Fraction(spread * 2100, max(under_way, 20) * len(others)))
                if late_s is not None:
                    error = min(abs(late_s - sorted(told)[4]) * 1000, 3_600_000)
                    spread = floor(spread + Fraction(error - spread, 200))
                if group not in others:
                    continue
                seen += 1
                share = max(Fraction(1), Fraction(5_000_000 // isqrt(seen * 1_000_000), 1000))
                for k, level in enumerate(LEVELS):
                    is_later = late_s is None or late_s > told[k]
                    speed = 500_000 // isqrt(level * (1000 - level))
                    surprise = level if is_later else level - 1000
                    micros = floor(Fraction(step_us * speed // 1000 * surprise, 1000))
                    totals[k] += share * Fraction(micros, 10**6)
        return tuple(ceil(total) for total in totals)

    def ended(self, groups: tuple[str, ...], told: tuple[int, ...], late_s: int | None, under_way: int) -> None:
        """An order has ended."""
        self.ends.append((groups, told, late_s, under_way))
