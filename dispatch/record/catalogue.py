"""The catalogue: what is known of a scenario or a city before the first order, in one neutral JSON file.

Places, stores, riders with their shifts, zones, where travel times come from, the settings it opens with, and how work
is paid.  A run folder carries a copy, so that a journal can be read without the files it was made from.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatch.codec import decode_input, encode, plain, typed
from dispatch.inputs import Input, RiderListed, ShiftPlanned, StoreListed, ZoneListed
from dispatch.model import Rider, Shift, Store, Zone
from dispatch.record.travel_spec import TravelSpec, travel_spec, travel_table
from dispatch.settings.settings import Settings
from routing.errors import HalfhourError, UnreadableFile
from routing.places import PlaceBook

CATALOGUE_FORMAT = 1

CO2_G_PER_KM = {"car": 170.0, "scooter": 70.0, "motorcycle": 70.0, "ebike": 3.0, "robot": 10.0, "drone": 15.0}
"""Grams of CO2 per kilometre by profile where a catalogue names none; profiles not listed count as muscle power."""


@dataclass(frozen=True, slots=True)
class Pay:
    """What a rider earns: per order and per hour of shift, but never less per hour than guaranteed."""

    per_order: float = 0.0
    per_hour: float = 0.0
    guaranteed_per_hour: float = 0.0

    def of(self, orders: int, shift_s: int) -> float:
        """Pay for `orders` delivered in shifts of `shift_s` seconds, in the catalogue's currency."""
        hours = shift_s / 3600
        return max(self.per_order * orders + self.per_hour * hours, self.guaranteed_per_hour * hours)


@dataclass(frozen=True)
class Catalogue:
    """What is known before the first order.  `begin_at`: the instant (epoch seconds) from which time is told."""

    name: str
    begin_at: int
    places: PlaceBook
    stores: tuple[Store, ...]
    riders: tuple[Rider, ...]
    shifts: tuple[Shift, ...]
    travel: TravelSpec
    zones: tuple[Zone, ...] = ()
    settings: Settings = field(default_factory=Settings)
    pay: Pay | None = None
    co2_g_per_km: Mapping[str, float] = field(default_factory=lambda: dict(CO2_G_PER_KM))
    time_zone: str = "UTC"
    attribution: str = ""
    source: str = "scenario"
    """Which reader made it: scenario, grubhub, colombia, live ..."""

    def inputs(self, at: int) -> tuple[Input, ...]:
        """Everything the engine must hear of the catalogue, in order."""
        return (
            *(StoreListed(at=at, store=store) for store in self.stores),
            *(ZoneListed(at=at, zone=zone) for zone in self.zones),
            *(RiderListed(at=at, rider=rider) for rider in self.riders),
            *(ShiftPlanned(at=at, shift=shift) for shift in self.shifts),
        )

    @functools.cached_property
    def digest(self) -> str:
        """Short hash of the whole content."""
        return hashlib.sha256(self._text().encode()).hexdigest()[:16]

    def write(self, path: Path) -> None:
        """Write the JSON file."""
        path.write_text(self._text(), encoding="utf-8")

    def _text(self) -> str:
        return json.dumps(self.described(), ensure_ascii=False, separators=(",", ":"))

    def described(self) -> dict[str, Any]:
        """The content as JSON values."""
        book = self.places
        return {
            "format": CATALOGUE_FORMAT,
            "name": self.name,
            "source": self.source,
            "attribution": self.attribution,
            "begin_at": self.begin_at,
            "time_zone": self.time_zone,
            "travel": travel_table(self.travel),
            "settings": self.settings.flat(),
            "pay": plain(self.pay),
            "co2_g_per_km": dict(self.co2_g_per_km),
            "places": {
                "frame": book.frame,
                **{name: getattr(book, name).tolist() for name in _COLUMNS},
                **_access(book),
            },
            "known": [encode(item) for item in self.inputs(self.begin_at)],
        }

    @staticmethod
    def read(path: Path) -> Catalogue:
        """Read the JSON file; raises UnreadableFile."""
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise UnreadableFile(f"no catalogue can be read: {problem}", file=str(path)) from problem
        if value.get("format") != CATALOGUE_FORMAT:
            raise UnreadableFile(
                f"a catalogue of format {value.get('format')!r}", file=str(path), hint="It needs a later version."
            )
        try:
            return _built(value)
        except (KeyError, TypeError, ValueError, HalfhourError) as problem:
            raise UnreadableFile(f"the catalogue is damaged: {problem}", file=str(path)) from problem


_COLUMNS = ("first", "second", "enter_s", "exit_s", "matrix_row")


def _access(book: PlaceBook) -> dict[str, list[list[float]]]:
    """Access points as [handle, first, second], where any place has one."""
    given = [[handle, *at] for handle in range(len(book)) if (at := book.access_of(handle)) is not None]
    return {"access": given} if given else {}


def _built(value: dict[str, Any]) -> Catalogue:
    table = value["places"]
    book = PlaceBook(table["frame"])
    given = {handle: (first, second) for handle, first, second in table.get("access", ())}
    rows = zip(*(table[name] for name in _COLUMNS), strict=True)
    for handle, (first, second, enter_s, exit_s, row) in enumerate(rows):
        book.add(first, second, enter_s=enter_s, exit_s=exit_s, matrix_row=row, access=given.get(handle))
    known = [decode_input(item) for item in value["known"]]
    return Catalogue(
        name=value["name"],
        source=value["source"],
        attribution=value["attribution"],
        begin_at=value["begin_at"],
        time_zone=value["time_zone"],
        places=book,
        stores=tuple(item.store for item in known if isinstance(item, StoreListed)),
        zones=tuple(item.zone for item in known if isinstance(item, ZoneListed)),
        riders=tuple(item.rider for item in known if isinstance(item, RiderListed)),
        shifts=tuple(item.shift for item in known if isinstance(item, ShiftPlanned)),
        travel=travel_spec(value["travel"]),
        settings=Settings.stated(value["settings"]),
        pay=typed(Pay, value["pay"]),
        co2_g_per_km=value["co2_g_per_km"],
    )
