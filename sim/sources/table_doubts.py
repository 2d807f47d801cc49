"""What an import refuses or notes because the cells of a table contradict each other, or hardly mean what they say."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from dispatch.calendar.local_time import local_of
from routing.places import PlaceBook
from sim.scenario import Scenario
from sim.sources.clock import DAY_S, DayClock, seconds_of
from sim.sources.mapping import TableMapping
from sim.sources.plausible import straight_m
from sim.sources.rows import InvalidScenario, TableRow

SAME_PLACE_M = 50.0
"""Coordinates of one store may differ so much without a word: an entrance, a rounded digit."""
OTHER_PLACE_M = 1_000.0
"""And from here on they are two places."""


class StorePlaces:
    """Where each line of a table puts a store that has an id; the first place is the one that counts."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[float, float, int]] = {}
        self._moved: Counter[str] = Counter()
        self._furthest_m = 0.0

    def take(self, row: TableRow, store_id: str) -> None:
        """Look at one line; fails where it puts the store into another part of the city."""
        if not (row.has("store_lat") and row.has("store_lng")):
            return
        lat, lng = row.number("store_lat"), row.number("store_lng")
        first_lat, first_lng, line = self._first.setdefault(store_id, (lat, lng, row.line))
        if (lat, lng) == (first_lat, first_lng):
            return
        book = PlaceBook("wgs84")
        here = np.array([row.place(book, ("store_lat", "store_lng"), enter_s=0, exit_s=0)], dtype=np.int32)
        there = np.array([book.add(first_lat, first_lng)], dtype=np.int32)
        metres = float(straight_m(book, there, here)[0])
        if metres > OTHER_PLACE_M:
            row.fail(
                f"store {store_id} lies {metres / 1000:,.1f} km from where line {line} puts it",
                "store_lat",
                "A store has one place: mend the coordinates, or give the other place an id of its own.",
            )
        if metres > SAME_PLACE_M:
            self._moved[store_id] += 1
            self._furthest_m = max(self._furthest_m, metres)

    def notes(self) -> Iterator[str]:
        """A sentence on stores that move a little."""
        if self._moved:
            names = ", ".join(list(self._moved)[:3]) + (" ..." if len(self._moved) > 3 else "")
            yield (
                f"{len(self._moved)} stores ({names}) have several places up to {self._furthest_m:.0f} m apart, in "
                f"{self._moved.total()} orders: the first is taken for all."
            )


def require_day(mapping: TableMapping, rows: Sequence[TableRow], clock: DayClock) -> None:
    """Fail where every order is dated and none falls on the stated day or the night that follows."""
    if mapping.day is None:
        return
    at = [clock.instant(row, "placed_at") for row in rows if seconds_of(row.text("placed_at")) is None]
    if len(at) < len(rows) or any(clock.start_at <= one < clock.start_at + 2 * DAY_S for one in at):
        return
    first = local_of(at[0], clock.zone).date()
    hint = "Mend day, or the dates: it says which day the times of day in the tables belong to."
    if (first.month, first.day) == (mapping.day.day, mapping.day.month):
        hint = "Day and month are exchanged: in instants, %m stands for the month and %d for the day."
    raise InvalidScenario(
        f"day = {mapping.day}, but no order is placed then: the first of {len(rows)} on {first}",
        file=mapping.file,
        field="day",
        hint=hint,
    )


def require_same_rider(first: TableRow, row: TableRow) -> bool:
    """Fail where a further line makes a rider another one; True where it only begins elsewhere."""
    for field in ("profile", "capacity_units", "engagement"):
        if row.has(field) and first.has(field) and row.text(field) != first.text(field):
            was, now = first.text(field), row.text(field)
            row.fail(
                f"rider {row.text('rider_id')} has {was!r} on line {first.line} and {now!r} here",
                field,
                "A rider is the same all day: make the lines agree, or give the second an id of its own.",
            )
    return any(row.has(field) and first.has(field) and row.text(field) != first.text(field) for field in ("lat", "lng"))


def misread_night(mapping: TableMapping, rows: Sequence[TableRow], scenario: Scenario) -> Iterator[str]:
    """Times of day at which nobody works that day, but somebody does a day later: `day_begins` is missing."""
    if mapping.begins_s:
        return
    shifts = scenario.catalogue.shifts
    starts = np.sort([shift.start_at for shift in shifts])
    ends = np.sort([shift.last_pickup_at for shift in shifts])

    def worked(at: int) -> bool:
        return bool(np.searchsorted(starts, at, "right") > np.searchsorted(ends, at, "left"))

    told = [
        (one.order.placed_at, text)
        for one, row in zip(scenario.demand, rows, strict=True)
        if (clock_s := seconds_of(text := row.text("placed_at"))) is not None and clock_s < DAY_S
    ]
    early = [(at, text) for at, text in told if not worked(at) and worked(at + DAY_S)]
    if not early:
        return
    last_at = max(at for at, _ in early)
    later = [at for at, _ in told if at > last_at] + [int(at) for at in starts if at > last_at]
    gap_s = (min(later) if later else last_at + DAY_S) - last_at
    last_s = seconds_of(max(early)[1]) or 0
    begins_h = 5 if last_s < 5 * 3600 <= last_s + gap_s else -(-(last_s + gap_s // 2) // 3600)
    yield (
        f"{len(early)} orders from {min(early)[1]} to {max(early)[1]} are placed while nobody is on duty, but "
        f'somebody is a day later: if they belong to the night that follows, say day_begins = "{begins_h:02d}:00".'
    )


def repeated_orders(scenario: Scenario) -> Iterator[str]:
    """Orders of one store to one door in one second, though each has an id of its own."""
    book = scenario.catalogue.places
    seen = Counter(
        (
            one.order.store_id,
            float(book.first[one.order.drop_place]),
            float(book.second[one.order.drop_place]),
            one.order.placed_at,
        )
        for one in scenario.demand
    )
    repeated = sum(count - 1 for count in seen.values())
    if repeated:
        yield f"{repeated} of {len(scenario.demand)} orders repeat another: same store, door and second of placement."


def misspelt_columns(row: TableRow, fields: Sequence[str], names: Mapping[str, str]) -> Iterator[str]:
    """Columns that nothing reads, though their name is nearly that of a field the table lacks."""
    read = {names.get(field, field) for field in fields}
    lacking = [field for field in fields if names.get(field, field) not in row.columns]
    for column in row.columns:
        near = difflib.get_close_matches(column.lower(), lacking, n=1, cutoff=0.8)
        if column not in read and near:
            yield f"Column {column} is not read: is {near[0]} meant? Name it so, or map it."
