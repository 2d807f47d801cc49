"""Rates: each tenant has a token bucket per kind of request; a refusal says when to come back.

Two other fences stand beside it: bodies are bounded before anyone reads them (http/transport/middleware.py), and only
so many commands may wait for the single writer at once (slots.py).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from api.common.errors import RateLimited

__all__ = ["USUAL_RATES", "Limits", "Meter", "Quota", "Rate"]


class Meter(StrEnum):
    """Kinds of requests, each with its own bucket."""

    READ = "read"
    WRITE = "write"
    QUOTE = "quote"
    POSITION = "position"
    STREAM = "stream"


class Rate(NamedTuple):
    """So many requests a second in the long run, `burst` at once."""

    per_s: float
    burst: int


USUAL_RATES: Mapping[Meter, Rate] = {
    Meter.READ: Rate(500, 1000),
    Meter.WRITE: Rate(1000, 2000),
    Meter.QUOTE: Rate(100, 200),
    Meter.POSITION: Rate(2000, 4000),
    Meter.STREAM: Rate(20, 250),
}
"""Far above what a city needs and below what one machine bears; a tenant's contract may say less."""


class Quota(NamedTuple):
    """What is left of a bucket: tokens of `limit`, and the seconds until it is full again."""

    limit: int
    remaining: int
    reset_s: int


class Limits:
    """Token buckets by caller and meter; remembers the `remembered` callers that asked last."""

    def __init__(self, rates: Mapping[Meter, Rate] = USUAL_RATES, *, remembered: int = 10_000) -> None:
        self._rates = dict(rates)
        self._remembered = remembered
        self._buckets: OrderedDict[tuple[str, Meter], tuple[float, float]] = OrderedDict()

    def take(self, caller: str, meter: Meter, now: float) -> Quota:
        """Takes one token of `caller`'s bucket at instant `now` (seconds); raises RateLimited if there is none."""
        rate, tokens = self._rates[meter], self._tokens(caller, meter, now)
        if tokens >= 1.0:
            return self._left(caller, meter, tokens - 1.0, now)
        self._left(caller, meter, tokens, now)
        wait_s = max(1, math.ceil((1.0 - tokens) / rate.per_s))
        raise RateLimited(
            f"more than {rate.per_s:g} {meter} requests a second",
            limit=rate.burst,
            remaining=0,
            retry_after_s=wait_s,
        )

    def charge(self, caller: str, meter: Meter, tokens: float, now: float) -> Quota:
        """Takes more for what has turned out to be dearer; the bucket may end below nothing, and is waited for then."""
        return self._left(caller, meter, self._tokens(caller, meter, now) - tokens, now)

    def _tokens(self, caller: str, meter: Meter, now: float) -> float:
        rate = self._rates[meter]
        tokens, filled_at = self._buckets.get((caller, meter), (float(rate.burst), now))
        return min(rate.burst, tokens + max(0.0, now - filled_at) * rate.per_s)

    def _left(self, caller: str, meter: Meter, tokens: float, now: float) -> Quota:
        rate = self._rates[meter]
        self._buckets[caller, meter] = (tokens, now)
        self._buckets.move_to_end((caller, meter))
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        return Quota(rate.burst, max(0, int(tokens)), math.ceil((rate.burst - tokens) / rate.per_s))
