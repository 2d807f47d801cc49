"""The mapping of an import: which column is which, and what two tables leave out; every value checked."""

from __future__ import annotations

import csv
import datetime
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatch.bounds import REACH_S
from dispatch.calendar.local_time import zone_of
from dispatch.record.travel_spec import StraightSpec, TravelSpec, travel_spec
from dispatch.settings.presets import among
from dispatch.settings.settings import Settings
from routing.errors import InvalidInput, UnreadableFile
from routing.places import LONGEST_STOP_S, PlaceBook
from sim.sources.clock import seconds_of
from sim.sources.rows import InvalidScenario

ORDER_FIELDS = (
    "order_id", "store_id", "store_lat", "store_lng", "lat", "lng", "placed_at", "ready_at", "expected_ready_at",
    "due_at", "load_units", "cancelled_at", "rider_id", "told_at", "picked_up_at", "delivered_at",
)  # fmt: skip
RIDER_FIELDS = ("rider_id", "lat", "lng", "profile", "capacity_units", "engagement", "start_at", "end_at")
KEYS = (
    "name", "attribution", "time_zone", "day", "day_begins", "instants", "delimiter", "ready_s", "orders", "riders",
    "profiles", "travel", "stops", "settings",
)  # fmt: skip
TEXTS = {"name": "", "attribution": "", "time_zone": "UTC", "day_begins": "00:00", "instants": "", "delimiter": ","}
TABLES = ("orders", "riders", "profiles", "travel", "stops", "settings")

READY_S = 900
"""Seconds from placement to ready where the table does not say."""

STOPS = {"store_enter_s": 90, "store_exit_s": 30, "drop_enter_s": 90, "drop_exit_s": 45}
TRAVEL = StraightSpec({"default": 250.0}, detour=1.35)

TRIED_AT = datetime.datetime(2024, 11, 23, 21, 47, tzinfo=datetime.UTC)
"""A way to write instants is tried on this one: no two parts of it can be taken for each other."""


@dataclass(frozen=True)
class TableMapping:
    """What a mapping file says, or what holds without one.  `stated`: its keys as they stand there."""

    file: str = ""
    stated: Mapping[str, Any] = field(default_factory=dict)
    time_zone: str = "UTC"
    day: datetime.date | None = None
    begins_s: int = 0
    """Times of day before this lie after midnight."""
    instants: str = ""
    delimiter: str = ","
    ready_s: int = READY_S
    orders: Mapping[str, str] = field(default_factory=dict)
    riders: Mapping[str, str] = field(default_factory=dict)
    profiles: Mapping[str, str] = field(default_factory=dict)
    stops: Mapping[str, int] = field(default_factory=lambda: dict(STOPS))
    settings: Settings = field(default_factory=Settings)
    travel: TravelSpec = TRAVEL

    def fail(self, message: str, key: str, hint: str = "") -> InvalidScenario:
        """An error about a key of the file, to be raised."""
        return InvalidScenario(message, file=self.file, field=key, hint=hint)


def read_mapping(path: Path | None) -> TableMapping:
    """The mapping in a TOML file; raises UnreadableFile, or InvalidScenario and InvalidSetting naming file and key."""
    return TableMapping() if path is None else _Reader(path).mapping()


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint: the known name that is meant, or all of them."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"Did you mean {found[0]}?" if found else f"Known are {', '.join(known)}."


class _Reader:
    def __init__(self, path: Path) -> None:
        self.file = str(path)
        stated = _toml(path)
        self.values = self._checked(lambda: among(stated, "settings"), "settings")
        for key in self.values:
            if key not in KEYS:
                raise self.fail(f"there is no key {key}", key, nearest(key, KEYS))
        self.tables = {key: self._table(key) for key in TABLES}
        self.texts = {key: self._text(key, default) for key, default in TEXTS.items()}

    def mapping(self) -> TableMapping:
        self._checked(lambda: zone_of(self.texts["time_zone"]), "time_zone")
        settings = self._checked(lambda: Settings().with_values(self.tables["settings"]), "settings")
        travel = self.tables["travel"]
        return TableMapping(
            file=self.file,
            stated=self.values,
            time_zone=self.texts["time_zone"],
            day=self._day(),
            begins_s=self._begins_s(),
            instants=self._instants(),
            delimiter=self._delimiter(),
            ready_s=self._seconds("ready_s", self.values.get("ready_s", READY_S), REACH_S),
            orders=self._columns("orders", ORDER_FIELDS),
            riders=self._columns("riders", RIDER_FIELDS),
            profiles=self._words("profiles"),
            stops=self._stops(),
            settings=settings,
            travel=self._checked(lambda: _bound(travel), "travel") if "travel" in self.values else TRAVEL,
        )

    def fail(self, message: str, key: str, hint: str = "") -> InvalidScenario:
        return InvalidScenario(message, file=self.file, field=key, hint=hint)

    def _checked(self, build: Any, key: str) -> Any:
        """What `build` makes of a value; its complaints name the file and, where it names none, the key."""
        try:
            return build()
        except InvalidInput as problem:
            details = {"field": key, **problem.details}
            raise type(problem)(
                problem.message, code=problem.code, hint=problem.hint, **{**details, "file": self.file}
            ) from problem
        except (TypeError, ValueError, AttributeError) as problem:
            raise self.fail(f"cannot be understood: {problem}", key) from problem

    # --- single values ------------------------------------------------------------------------------------------

    def _text(self, key: str, default: str) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.fail(f"{value!r} is no text", key, f'Write {key} = "..." in quotes.')
        return value

    def _table(self, key: str) -> dict[str, Any]:
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.fail("must be a table", key, f"Begin it with [{key}].")
        return value

    def _day(self) -> datetime.date | None:
        day = self.values.get("day")
        if day is None:
            return None
        if not isinstance(day, datetime.date) or isinstance(day, datetime.datetime):
            raise self.fail(f"{day!r} is not a date", "day", "Write day = 2024-05-04, without quotes.")
        if not 1971 <= day.year <= 2999:
            raise self.fail(f"{day} is no day of a delivery service", "day", "Write day = 2024-05-04.")
        return day

    def _begins_s(self) -> int:
        begins_s = seconds_of(self.texts["day_begins"])
        if begins_s is None:
            raise self.fail("is no time of day", "day_begins", 'Write day_begins = "05:00".')
        return begins_s

    def _instants(self) -> str:
        """The pattern, where an instant written by it is read again as itself."""
        pattern = self.texts["instants"]
        try:
            read = datetime.datetime.strptime(TRIED_AT.strftime(pattern), pattern) if pattern else TRIED_AT
        except (ValueError, re.error) as problem:
            raise self.fail(f"{pattern!r} is no way to write instants: {problem}", "instants", _WAY) from problem
        if read.replace(tzinfo=datetime.UTC) != TRIED_AT:
            raise self.fail(
                f"{pattern!r} does not hold the date with its year, hours (with %p of 12) and minutes", "instants", _WAY
            )
        return pattern

    def _delimiter(self) -> str:
        delimiter = self.texts["delimiter"]
        try:
            if delimiter in ("\r", "\n", '"'):
                raise ValueError("it ends lines, or encloses cells")
            csv.reader([], delimiter=delimiter)
        except (TypeError, ValueError) as problem:
            raise self.fail(
                f"{delimiter!r} separates no cells: {problem}",
                "delimiter",
                'Write one character, such as ";" or "\\t".',
            ) from problem
        return delimiter

    def _seconds(self, key: str, value: Any, most: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise self.fail(
                f"{value!r} is not a whole number of seconds from 0 to {most}", key, "900 is a quarter of an hour."
            )
        return value

    # --- tables -------------------------------------------------------------------------------------------------

    def _words(self, key: str) -> dict[str, str]:
        table = self.tables[key]
        for name, value in table.items():
            if not isinstance(value, str) or not value:
                raise self.fail(f"{value!r} is no text", f"{key}.{name}", f'Write {name} = "..." in quotes.')
        return table

    def _columns(self, key: str, known: tuple[str, ...]) -> dict[str, str]:
        columns = self._words(key)
        for name in columns:
            if name not in known:
                raise self.fail(f"there is no field {name}", f"{key}.{name}", nearest(name, known))
        return {name: column.strip() for name, column in columns.items()}

    def _stops(self) -> dict[str, int]:
        stated = self.tables["stops"]
        for name, value in stated.items():
            if name not in STOPS:
                raise self.fail(f"there is no {name}", f"stops.{name}", nearest(name, STOPS))
            self._seconds(f"stops.{name}", value, LONGEST_STOP_S)
        return {**STOPS, **stated}


_WAY = 'Write it as in instants = "%d.%m.%Y %H:%M".'


def _bound(table: dict[str, Any]) -> TravelSpec:
    """The travel table, if places can be bound to it."""
    spec = travel_spec(table)
    spec.bind(PlaceBook("wgs84"))
    return spec


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise UnreadableFile(f"cannot be read: {problem}", file=str(path)) from problem
