"""The catalogue: what is known of a scenario or a city before the first order, in one neutral JSON file.

Places, stores, riders with their shifts, zones, where travel times come from, the settings it opens with, and how work
is paid.  A run folder carries a copy, so that a journal can be read without the files it was made from.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dispatch.codec import decode_input, encode, plain, typed
from dispatch.inputs import Input, RiderListed, ShiftPlanned, StoreListed, ZoneListed
from dispatch.model import Rider, Shift, Store, Zone
from dispatch.settings.settings import Settings
from routing.errors import HalfhourError, InvalidInput, UnreadableFile
from routing.places import PlaceBook
from routing.travel import MatrixTravel, StraightTravel, TravelTimes

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


@dataclass(frozen=True, slots=True)
class StraightSpec:
    """Straight lines at a constant speed per profile, times a detour."""

    metres_per_minute: Mapping[str, float]
    detour: float = 1.0

    def bind(self, places: PlaceBook) -> TravelTimes:
        """Travel times for the places of one book."""
        return StraightTravel(places, dict(self.metres_per_minute), detour=self.detour)


@dataclass(frozen=True, slots=True)
class MatrixSpec:
    """A square matrix of seconds in an .npz file: `profiles`, `seconds` [profile, n, n], optionally `metres`."""

    file: str

    def bind(self, places: PlaceBook) -> TravelTimes:
        """Travel times for the places of one book, by their `matrix_row`."""
        import numpy as np

        try:
            with np.load(self.file, allow_pickle=False) as arrays:
                profiles = tuple(str(name) for name in arrays["profiles"])
                metres = arrays.get("metres")
                return MatrixTravel(places, profiles, arrays["seconds"], metres)
        except (OSError, KeyError, ValueError) as problem:
            raise UnreadableFile(
                f"the travel matrix cannot be read: {problem}",
                file=self.file,
                hint="It needs the arrays profiles and seconds [profile, n, n].",
            ) from problem


ROAD_PROFILES_OF = {
    "default": ("scooter", "ebike", "bike", "car", "foot"),
    "motorcycle": ("scooter", "car"),
    "bicycle": ("bike", "ebike"),
    "walking": ("foot",),
}
"""How riders of public days and of our own travel on streets, the best first; other names are the network's own."""


@dataclass(frozen=True, slots=True)
class RoadsSpec:
    """Shortest paths on a road network saved as .npz.

    `profiles`: {profile of the riders: profile of the network}; empty: those of the network under their own names.
    `traffic`: a TOML file of speeds by time slot, `weather`: one of the network's (both instead of those the file opens
    with).
    """

    file: str
    profiles: Mapping[str, str] = field(default_factory=dict)
    traffic: str = ""
    weather: str = ""

    def for_riders(self, riders: Iterable[Rider], *, anyhow: bool = False) -> RoadsSpec:
        """The same roads for these riders, their profiles matched to the network's by what they mean.

        `anyhow`: names that mean nothing on streets travel as `default` does; else `bind` refuses them.
        """
        from routing.roads import RoadNetwork

        names = sorted({rider.profile for rider in riders})
        if not names:
            return self
        known = RoadNetwork.load(self.file).profiles

        def fitting(name: str) -> str:
            meant = ROAD_PROFILES_OF.get(name) or ((name, *ROAD_PROFILES_OF["default"]) if anyhow else (name,))
            return next((each for each in meant if each in known), name)

        return replace(self, profiles={name: fitting(name) for name in names})

    def bind(self, places: PlaceBook) -> TravelTimes:
        """Travel times for the places of one book, each snapped to the network."""
        from routing.roads import RoadNetwork, road_travel

        network = RoadNetwork.load(self.file, traffic=self.traffic or None, weather=self.weather)
        return road_travel(network, places, self.profiles or network.profiles)


TravelSpec = StraightSpec | MatrixSpec | RoadsSpec

_TRAVEL = {"straight": StraightSpec, "matrix": MatrixSpec, "roads": RoadsSpec}


def travel_spec(value: Mapping[str, Any]) -> TravelSpec:
    """The travel description in a JSON or TOML table whose `kind` is straight, matrix or roads."""
    fields = dict(value)
    kind = fields.pop("kind", "straight")
    if kind not in _TRAVEL:
        raise InvalidInput(f"travel of kind {kind!r}", field="travel.kind", hint=f"Choose one of {', '.join(_TRAVEL)}.")
    try:
        spec: TravelSpec = _TRAVEL[kind](**fields)
    except TypeError as problem:
        raise InvalidInput(f"travel of kind {kind}: {problem}", field="travel") from problem
    return spec


def travel_table(spec: TravelSpec, *, for_process: bool = False) -> dict[str, Any]:
    """The inverse of `travel_spec`, but for the folder of a file: a catalogue says the same wherever it lies.

    `for_process`: for another process on this machine, with the absolute paths of files.
    """

    def named(file: str) -> str:
        return str(Path(file).resolve()) if for_process else Path(file).name

    if isinstance(spec, StraightSpec):
        return {"kind": "straight", "detour": spec.detour, "metres_per_minute": dict(spec.metres_per_minute)}
    if isinstance(spec, RoadsSpec):
        conditions = {"traffic": named(spec.traffic) if spec.traffic else "", "weather": spec.weather}
        stated = {name: value for name, value in conditions.items() if value}
        return {"kind": "roads", "file": named(spec.file), "profiles": dict(spec.profiles), **stated}
    return {"kind": "matrix", "file": named(spec.file)}


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
        book = self.places
        value = {
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
            },
            "known": [encode(item) for item in self.inputs(self.begin_at)],
        }
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

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


def _built(value: dict[str, Any]) -> Catalogue:
    table = value["places"]
    book = PlaceBook(table["frame"])
    for first, second, enter_s, exit_s, row in zip(*(table[name] for name in _COLUMNS), strict=True):
        book.add(first, second, enter_s=enter_s, exit_s=exit_s, matrix_row=row)
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
