"""Who carried what and when, as another dispatcher's tables say it: decisions to replay, times to compare with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dispatch.policies.recorded import RecordedDecision
from dispatch.record.catalogue import Catalogue
from sim.scenario import Demand, RecordedTimes
from sim.sources.clock import DayClock
from sim.sources.plausible import straight_m
from sim.sources.rows import TableRow, read_rows

FILE = "recorded.csv"
FIELDS = ("rider_id", "told_at", "picked_up_at", "delivered_at")
COLUMNS = ("order_id", "rider_id", "told_at", "fetch_number", "drop_number", "picked_up_at", "delivered_at")

FASTEST_M_S = 50.0
"""Who covers more straight metres a second between two recorded acts was in two places."""

ReadInstant = Callable[[TableRow, str, int, int], int]
"""Reads a field of an order's life: the row, the field, the placement, and what holds where the cell is empty."""


class _Act(NamedTuple):
    """One recorded pickup or drop."""

    rider_id: str
    at: int
    kind: int
    place: int
    order_id: str


class RecordedDay:
    """The recorded part of an orders table, line by line; then its decisions, times and notes."""

    def __init__(self, rider_ids: Iterable[str], read: ReadInstant) -> None:
        self._riders = set(rider_ids)
        self._read = read
        self._told: dict[str, tuple[str, int]] = {}
        self.times: list[RecordedTimes] = []
        self._acts: list[_Act] = []
        self._untold = self._late_told = self._unassigned = 0

    def take(self, row: TableRow, one: Demand, store_place: int) -> None:
        """Look at one order; fails where nobody carried what was picked up, or it was brought before it was fetched."""
        order = one.order
        if not row.has("rider_id"):
            for field in FIELDS[1:]:
                if row.has(field):
                    row.fail(f"{field} is said, but not who carried it", "rider_id", "Fill it in, or empty the other.")
            self._unassigned += 1
            return
        rider_id = row.text("rider_id")
        if rider_id not in self._riders:
            row.fail(f"there is no rider {rider_id}", "rider_id", "Add them to the riders table, or mend the name.")
        told_at = self._read(row, "told_at", order.placed_at, order.placed_at)
        picked_up_at = self._read(row, "picked_up_at", order.placed_at, -1)
        delivered_at = self._read(row, "delivered_at", order.placed_at, -1)
        if 0 <= delivered_at < picked_up_at:
            row.fail("it was delivered before it was picked up", "delivered_at", "picked_up_at must come first.")
        self._untold += not row.has("told_at")
        if 0 <= picked_up_at < told_at:
            self._late_told += 1
            told_at = max(order.placed_at, picked_up_at)
        self._told[order.order_id] = (rider_id, told_at)
        self.times.append(
            RecordedTimes(
                order.order_id,
                picked_up_at if picked_up_at >= 0 else None,
                delivered_at if delivered_at >= 0 else None,
            )
        )
        fetched_at = picked_up_at if picked_up_at >= 0 else max(told_at, one.ready_at)
        dropped_at = delivered_at if delivered_at >= 0 else fetched_at
        self._acts.append(_Act(rider_id, fetched_at, 0, store_place, order.order_id))
        self._acts.append(_Act(rider_id, dropped_at, 1, order.drop_place, order.order_id))

    def decisions(self, catalogue: Catalogue) -> tuple[RecordedDecision, ...]:
        """What was decided, in the order of the orders."""
        numbers: dict[tuple[str, int], int] = {}
        for number, (_, acts) in enumerate(self._stops(catalogue)):
            numbers |= {(act.order_id, act.kind): number for act in acts}
        return tuple(
            RecordedDecision(order_id, rider_id, told_at, numbers[order_id, 0], numbers[order_id, 1])
            for order_id, (rider_id, told_at) in self._told.items()
        )

    def _stops(self, catalogue: Catalogue) -> Iterator[tuple[Any, list[_Act]]]:
        """Acts of one rider, second, kind and point, in the order of the rider's day; at a tie pickups come first."""
        book = catalogue.places

        def point(act: _Act) -> tuple[Any, ...]:
            here = (float(book.first[act.place]), float(book.second[act.place]))
            return (act.rider_id, act.at, act.kind, here)

        for key, acts in groupby(sorted(self._acts, key=point), key=point):
            yield key, list(acts)

    def notes(self, catalogue: Catalogue, count: int) -> Iterator[str]:
        """What cannot be, or had to be guessed, in numbers."""
        if not self._told:
            return
        if self._unassigned:
            yield f"{self._unassigned} of {count} orders name no rider: `recorded` leaves them undelivered."
        if self._untold:
            yield f"{self._untold} recorded orders say not when their rider was told: taken as told at placement."
        if self._late_told:
            yield f"{self._late_told} recorded orders were told after their pickup: taken as told at pickup."
        yield from self._in_two_places(catalogue)
        yield from self._off_duty(catalogue)

    def _in_two_places(self, catalogue: Catalogue) -> Iterator[str]:
        stops = [(key, acts[0]) for key, acts in self._stops(catalogue)]
        found = []
        for (_, a), (_, b) in pairwise(stops):
            if a.rider_id == b.rider_id:
                ends = np.array([[a.place], [b.place]], dtype=np.int32)
                metres = float(straight_m(catalogue.places, ends[0], ends[1])[0])
                if metres > 1_000 + FASTEST_M_S * (b.at - a.at):
                    found.append((metres, b.at - a.at, a, b))
        if found:
            metres, seconds, a, b = max(found, key=itemgetter(0))
            yield (
                f"{len(found)} times a rider was in two places, the worst {a.rider_id}: from {a.order_id} to "
                f"{b.order_id} {metres / 1000:,.1f} km in {seconds} s. They are replayed as fast as they can go."
            )

    def _off_duty(self, catalogue: Catalogue) -> Iterator[str]:
        shifts: dict[str, list[tuple[int, int]]] = {}
        for shift in catalogue.shifts:
            shifts.setdefault(shift.rider_id, []).append((shift.start_at, shift.last_pickup_at))
        off = [
            order_id
            for order_id, (rider_id, told_at) in self._told.items()
            if not any(start <= told_at <= last for start, last in shifts.get(rider_id, ()))
        ]
        if off:
            yield (
                f"{len(off)} recorded orders were told to riders outside their shifts, the first {off[0]}: "
                "before a shift they wait for it, after the last one they stay undelivered."
            )


def read_recorded(
    path: Path, clock: DayClock, rider_ids: Iterable[str], order_ids: Iterable[str]
) -> tuple[tuple[RecordedDecision, ...], tuple[RecordedTimes, ...]]:
    """Decisions and times in the recorded.csv of a scenario folder; nothing where there is none."""
    if not (path / FILE).is_file():
        return (), ()
    riders, orders = set(rider_ids), set(order_ids)
    decisions: list[RecordedDecision] = []
    times: list[RecordedTimes] = []
    for row in read_rows(path / FILE, COLUMNS[:5]):
        order_id, rider_id = row.text("order_id"), row.text("rider_id")
        if order_id not in orders:
            row.fail(f"there is no order {order_id}, or it came before", "order_id", "orders.csv lists them.")
        orders.remove(order_id)
        if rider_id not in riders:
            row.fail(f"there is no rider {rider_id}", "rider_id", "riders.csv lists them.")
        decisions.append(
            RecordedDecision(
                order_id, rider_id, clock.instant(row, "told_at"), row.whole("fetch_number"), row.whole("drop_number")
            )
        )
        ends = [clock.instant(row, field) if row.has(field) else None for field in COLUMNS[5:]]
        times.append(RecordedTimes(order_id, *ends))
    return tuple(decisions), tuple(times)


def recorded_rows(
    decisions: Iterable[RecordedDecision], times: Iterable[RecordedTimes], write: Callable[[int | None], str | None]
) -> Iterator[tuple[Any, ...]]:
    """The lines of recorded.csv."""
    known: Mapping[str, RecordedTimes] = {one.order_id: one for one in times}
    for one in decisions:
        ends = known.get(one.order_id, RecordedTimes(one.order_id))
        yield (
            one.order_id, one.rider_id, write(one.told_at), one.fetch_number, one.drop_number,
            write(ends.picked_up_at), write(ends.delivered_at),
        )  # fmt: skip
