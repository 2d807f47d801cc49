"""Traces of riders, from what holds their positions: a run folder, the journal of a live service, or a CSV table."""

from __future__ import annotations

import csv
import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.inputs import Input, Position, PositionsSeen, RiderListed, StopArrived, StopCompleted
from routing.errors import UnreadableFile
from routing.roads.errors import InvalidTrace
from routing.roads.traces.trace import Trace

if TYPE_CHECKING:
    from dispatch.record.travel_spec import TravelSpec

LEAST = 2
"""Positions without which there is no trace."""


@dataclass(slots=True)
class Traces:
    """Traces with the riders' profile of each, whose clocks they go by, and the streets they say they were driven on.

    `skipped`: positions that were left out, by reason.
    """

    each: list[tuple[str, Trace]] = field(default_factory=list)
    timezone: str = ""
    travel: TravelSpec | None = None
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def positions(self) -> int:
        """Number of positions in all traces."""
        return sum(len(trace) for _, trace in self.each)


def read_traces(source: str, profile: str) -> Traces:
    """The traces in a run folder, a CSV table, or a ledger (its folder, or postgresql://host/database#market).

    `profile`: of traces that name none.  Raises UnreadableFile, InvalidTrace with file and line.
    """
    path = Path(source)
    if (path / "summary.json").is_file():
        return _of_run(path)
    if path.is_file():
        return _of_csv(path, profile)
    return _of_ledger(source)


def _of_run(path: Path) -> Traces:
    from dispatch.record.run_folder import RunFolder

    run = RunFolder(path)
    catalogue = run.catalogue
    found = Traces(timezone=_named(catalogue.time_zone), travel=catalogue.travel)
    legs = Legs({rider.rider_id: rider.profile for rider in catalogue.riders})
    for entry in run.entries():
        legs.take(entry.item)
    legs.give(found)
    return found


def _of_ledger(address: str) -> Traces:
    from api.ledger.upkeep.lived import Reading, opened
    from dispatch.codec import decode_input
    from dispatch.record.travel_spec import travel_spec

    reader = opened(address)
    try:
        said = reader.value("travel")
        found = Traces(timezone=_named(reader.value("time_zone") or ""), travel=travel_spec(said) if said else None)
        legs = Legs({})
        read = Reading(reader)
        for entry in read:
            with read.taking(entry):
                legs.take(decode_input(entry.input))
    finally:
        reader.close()
    legs.give(found)
    return found


def _named(zone: str) -> str:
    return "" if zone == "UTC" else zone


class Legs:
    """Cuts the positions of a journal into finished legs: from the end of a stop to the arrival at the next."""

    def __init__(self, profiles: dict[str, str]) -> None:
        self._profiles = profiles
        self._seen: dict[str, list[Position]] = {}
        self._left_at: dict[str, int] = {}
        self._legs: list[tuple[str, list[Position]]] = []
        self.outside = 0
        """Positions that belong to no finished leg."""

    def take(self, item: Input) -> None:
        """Hear one input of the journal, in order."""
        match item:
            case RiderListed():
                self._profiles[item.rider.rider_id] = item.rider.profile
            case PositionsSeen():
                for position in item.positions:
                    self._seen.setdefault(position.rider_id, []).append(position)
            case StopCompleted():
                self._left_at[item.rider_id] = item.happened_at
            case StopArrived():
                self._arrived(item)
            case _:
                pass

    def _arrived(self, item: StopArrived) -> None:
        left_at = self._left_at.pop(item.rider_id, None)
        seen = self._seen.pop(item.rider_id, [])
        mine = [each for each in seen if left_at is not None and left_at <= each.seen_at <= item.happened_at]
        self.outside += len(seen) - len(mine)
        # Positions of after the arrival may have come before its report.
        later = [each for each in seen if each.seen_at > item.happened_at]
        self.outside -= len(later)
        self._seen[item.rider_id] = later
        if len(mine) >= LEAST:
            self._legs.append((item.rider_id, mine))
        else:
            self.outside += len(mine)

    def give(self, found: Traces) -> None:
        """Hand the finished legs over."""
        for number, (rider_id, seen) in enumerate(self._legs):
            rows = [(each.seen_at, each.first, each.second) for each in seen]
            _add(found, self._profiles.get(rider_id, "default"), f"leg {number} of {rider_id}", rows)
        outside = self.outside + sum(len(seen) for seen in self._seen.values())
        if outside:
            found.skipped["of no finished leg"] += outside


def _of_csv(path: Path, profile: str) -> Traces:
    found = Traces()
    trips: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for line, row in _rows(path):
        trip = row.get("trip") or row.get("rider") or ""
        at, lat, lng = _time(row["at"], path, line), _number(row, "lat", path, line), _number(row, "lng", path, line)
        trips.setdefault((trip, row.get("profile") or profile), []).append((at, lat, lng))
    for (trip, own), rows in trips.items():
        _add(found, own, trip or "trace", rows)
    if not found.each:
        raise InvalidTrace("the table holds no trip of two positions", file=str(path))
    return found


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as text:
            reader = csv.DictReader(text)
            missing = [name for name in ("at", "lat", "lng") if name not in (reader.fieldnames or ())]
            if missing:
                raise InvalidTrace(
                    f"a table of traces lacks {', '.join(missing)}", file=str(path), line=1,
                    hint="Its columns are trip,at,lat,lng and, where wanted, profile.",
                )  # fmt: skip
            for row in reader:
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFile(f"the traces cannot be read: {error}", file=str(path)) from error


def _number(row: dict[str, Any], name: str, path: Path, line: int) -> float:
    limit = {"lat": 90.0, "lng": 180.0}[name]
    try:
        value = float(row[name])
    except (TypeError, ValueError):
        value = float("nan")
    if not abs(value) <= limit:
        raise InvalidTrace(f"{row[name]!r} is no {name}", file=str(path), line=line, field=name)
    return value


def _time(text: Any, path: Path, line: int) -> float:
    """Epoch seconds, or a time with its zone."""
    try:
        value = float(text)
        if np.isfinite(value) and abs(value) < 2**40:
            return value
    except (TypeError, ValueError):
        pass
    try:
        then = datetime.datetime.fromisoformat(str(text))
    except ValueError:
        then = None
    if then is None or then.tzinfo is None:
        raise InvalidTrace(
            f"{text!r} is no instant", file=str(path), line=line, field="at",
            hint="Write epoch seconds, or 2026-11-30T12:00:00+01:00.",
        )  # fmt: skip
    return then.timestamp()


def _add(found: Traces, profile: str, name: str, rows: Iterable[tuple[float, float, float]]) -> None:
    """Add a trip in the order of time; of several positions at one instant the first counts."""
    by_time: dict[float, tuple[float, float]] = {}
    for at, lat, lng in rows:
        if at in by_time:
            found.skipped["second ones of their instant"] += 1
        by_time.setdefault(at, (lat, lng))
    if len(by_time) < LEAST:
        found.skipped["alone in their trip"] += len(by_time)
        return
    times = sorted(by_time)
    where = np.array([by_time[each] for each in times])
    found.each.append((profile, Trace(name, where[:, 0], where[:, 1], np.array(times))))
