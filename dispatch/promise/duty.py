"""How many riders are on duty at an instant, without asking each of them: what load is counted by."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

from dispatch.model import Shift

Span = tuple[int, int]
"""The first and the last second of duty."""


class DutyCount:
    """The seconds in which riders may be given work, as two sorted columns: what begins and what ends."""

    def __init__(self) -> None:
        self._spans: dict[str, tuple[Span, ...]] = {}
        self._begins: list[int] = []
        self._ends: list[int] = []

    def put(self, rider_id: str, shifts: tuple[Shift, ...]) -> None:
        """The rider's shifts are these from now on; none where they take a break or nobody hears of them."""
        spans = spans_of(shifts)
        before = self._spans.pop(rider_id, ())
        if spans:
            self._spans[rider_id] = spans
        for first, last in before:
            del self._begins[bisect_left(self._begins, first)]
            del self._ends[bisect_left(self._ends, last)]
        for first, last in spans:
            insort(self._begins, first)
            insort(self._ends, last)

    def riders(self, now: int) -> int:
        """How many riders are on duty at `now`."""
        return bisect_right(self._begins, now) - bisect_left(self._ends, now)


def spans_of(shifts: tuple[Shift, ...]) -> tuple[Span, ...]:
    """The spans in which the shift that counts (of those not ended, the first) has begun and still takes pickups.

    They do not overlap: a shift counts once all before it have ended.
    """
    spans, free_at = [], None
    for shift in shifts:
        first = shift.start_at if free_at is None else max(shift.start_at, free_at)
        last = shift.last_pickup_at if shift.end_at is None else min(shift.last_pickup_at, shift.end_at)
        if first <= last:
            spans.append((first, last))
        if shift.end_at is None:
            break
        free_at = shift.end_at + 1 if free_at is None else max(free_at, shift.end_at + 1)
    return tuple(spans)
