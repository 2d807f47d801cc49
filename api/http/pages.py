"""Long answers: made a few rows at a time, one for each caller at once, and paid for by their length.

Between two slices whatever else waits is served.  What a slice shows is durable before the answer leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar
from weakref import WeakValueDictionary

from fastapi import Request

from api.access.rate_limits import Meter
from api.access.rules import Caller, gate_of

__all__ = ["ROWS_A_TOKEN", "SLICE", "Pages"]

SLICE = 8
"""Rows between two pauses: half a millisecond or so."""
ROWS_A_TOKEN = 4
"""A read of so many rows costs as much as any other; each further so many cost a token more."""

Item = TypeVar("Item")


class Pages:
    """Makes long answers in turn."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def rows(self, request: Request, caller: Caller, items: Iterable[Item], make: Callable[[Item], str]) -> str:
        """A JSON list of what `make` says of each item, while no other long answer of this caller is made."""
        rest, rows = iter(items), list[str]()
        async with self._turns.setdefault(caller.purse, asyncio.Lock()):
            while slice_ := list(islice(rest, SLICE)):
                rows += map(make, slice_)
                await asyncio.sleep(0)
        gate = gate_of(request)
        extra = (len(rows) - 1) // ROWS_A_TOKEN
        if extra > 0:
            request.state.quota = gate.limits.charge(caller.purse, Meter.READ, extra, gate.clock())
        return f"[{','.join(rows)}]"
