"""Where travel times come from, as a catalogue or a file says it."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

from dispatch.model import Rider
from routing.answers import Answers
from routing.asked_travel import AskedTravel
from routing.errors import InvalidInput, UnreadableFile
from routing.places import PlaceBook
from routing.travel import MatrixTravel, StraightTravel, TravelTimes


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
        except (OSError, KeyError, ValueError, EOFError, BadZipFile) as problem:
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


def profile_on_roads(name: str, known: Sequence[str], *, anyhow: bool = False) -> str:
    """The profile of a network that riders of profile `name` travel as; the name itself where none is meant by it.

    `anyhow`: a name that means nothing on streets travels as `default` does.
    """
    meant = ROAD_PROFILES_OF.get(name) or ((name, *ROAD_PROFILES_OF["default"]) if anyhow else (name,))
    return next((each for each in meant if each in known), name)


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

        return replace(self, profiles={name: profile_on_roads(name, known, anyhow=anyhow) for name in names})

    def bind(self, places: PlaceBook) -> TravelTimes:
        """Travel times for the places of one book, each snapped to the network."""
        from routing.roads import RoadNetwork, road_travel

        network = RoadNetwork.load(self.file, traffic=self.traffic or None, weather=self.weather)
        return road_travel(network, places, self.profiles or network.profiles)


HTTP_FORMS = ("osrm", "valhalla", "matrix")
"""How a travel service is asked: as OSRM's table, as Valhalla's matrix, or as docs/travel-service.md says."""


@dataclass(frozen=True, slots=True)
class HttpSpec:
    """A travel service that answers matrices by HTTP, asked by cell, with straight lines where it has not answered.

    `profiles`: {profile of the riders: profile of the service}. `cells`: H3 resolution that places are snapped to.
    `most_places`: in one question. `most_per_minute`: ways asked for. `keep_s`: after which a running service asks
    again, 0: never. `most_cells`: remembered. `key_variable`: of the environment, whose value goes into the header
    `key_in`, or into a parameter of the address (`?api_key`). `answers`: a file of what was answered before.
    """

    url: str
    profiles: Mapping[str, str]
    metres_per_minute: Mapping[str, float]
    form: str = "matrix"
    detour: float = 1.3
    cells: int = 11
    most_places: int = 100
    timeout_s: float = 2.0
    most_per_minute: int = 100_000
    keep_s: int = 0
    most_cells: int = 1500
    key_variable: str = ""
    key_in: str = "Authorization"
    answers: str = ""

    def __post_init__(self) -> None:
        if list(self.profiles) != list(self.metres_per_minute):
            raise InvalidInput(
                "profiles and metres_per_minute name other profiles",
                field="travel.metres_per_minute",
                hint="Name the same profiles in the same order: each has a straight line to fall back to.",
            )

    @property
    def source(self) -> str:
        """Which service, and how it is asked: answers of one source are good for no other."""
        return f"{self.form} {self.url} {dict(self.profiles)!r} {self.cells}"

    def bind(self, places: PlaceBook) -> AskedTravel:
        """Travel times for the places of one book, out of what was answered before; nobody is asked."""
        return AskedTravel(places, self.opened, self.metres_per_minute, detour=self.detour, resolution=self.cells)

    @property
    def opened(self) -> Answers:
        """What was answered before; raises UnreadableFile, and InvalidInput where another service did."""
        if self.answers and Path(self.answers).is_file():
            return Answers.load(self.answers, self.source, tuple(self.profiles))
        return Answers.none(self.source, tuple(self.profiles))


TravelSpec = StraightSpec | MatrixSpec | RoadsSpec | HttpSpec


_TRAVEL = {"straight": StraightSpec, "matrix": MatrixSpec, "roads": RoadsSpec, "http": HttpSpec}


def travel_spec(value: Mapping[str, Any]) -> TravelSpec:
    """The travel description in a JSON or TOML table whose `kind` is straight, matrix, roads or http."""
    fields = dict(value)
    kind = fields.pop("kind", "straight")
    if kind not in _TRAVEL:
        raise InvalidInput(f"travel of kind {kind!r}", field="travel.kind", hint=f"Choose one of {', '.join(_TRAVEL)}.")
    known = [each.name for each in dataclasses.fields(_TRAVEL[kind])]
    for name, field_value in fields.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
            raise InvalidInput(f"travel of kind {kind} has no {name}", field=f"travel.{name}", hint=hint)
        if name in _FORMS and not _FORMS[name].fits(field_value):
            raise InvalidInput(f"{field_value!r} is no {name}", field=f"travel.{name}", hint=_FORMS[name].hint)
    try:
        spec: TravelSpec = _TRAVEL[kind](**fields)
    except TypeError as problem:
        raise InvalidInput(f"travel of kind {kind}: {problem}", field="travel") from problem
    return spec


class _Form(NamedTuple):
    """What a value of the travel table must look like, and how to write it."""

    fits: Callable[[Any], bool]
    hint: str


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _is_whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_address(value: Any) -> bool:
    if not (isinstance(value, str) and value.startswith(("http://", "https://"))):
        return False
    rest = value.partition("://")[2]
    return bool(rest.partition("/")[0]) and not set("?#@ ") & set(rest)


_FORMS = {
    "metres_per_minute": _Form(
        lambda value: isinstance(value, dict) and all(map(_is_positive, value.values())),
        "Write metres_per_minute = { bike = 250.0 }: a speed above 0 for each profile.",
    ),
    "detour": _Form(_is_positive, "Write detour = 1.35: metres driven for each straight one."),
    "file": _Form(_is_text, "Write the name of a file in quotes."),
    "traffic": _Form(_is_text, "Write the name of a file in quotes."),
    "weather": _Form(_is_text, 'Write weather = "rain".'),
    "profiles": _Form(
        lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
        'Write profiles = { bike = "ebike" }: a profile of the network, or of the service, for each of the riders.',
    ),
    "url": _Form(
        _is_address,
        'Write url = "http://localhost:5000", without ?, # and @; key_variable names where a key is.',
    ),
    "form": _Form(lambda value: value in HTTP_FORMS, f"Choose one of {', '.join(HTTP_FORMS)}."),
    "cells": _Form(_is_whole(6, 15), "Write cells = 11: the H3 resolution that places are snapped to, 6 to 15."),
    "most_places": _Form(_is_whole(2, 10_000), "Write most_places = 100: 2 to 10,000 in one question."),
    "timeout_s": _Form(_is_positive, "Write timeout_s = 2.0: seconds that an answer may take."),
    "most_per_minute": _Form(_is_whole(1, 10**9), "Write most_per_minute = 100000: ways asked for in a minute."),
    "keep_s": _Form(_is_whole(0, 10**9), "Write keep_s = 3600: seconds after which is asked again, 0: never."),
    "most_cells": _Form(_is_whole(16, 10_000), "Write most_cells = 1500: cells that are remembered, 16 to 10,000."),
    "key_variable": _Form(_is_text, "Write the name of an environment variable in quotes."),
    "key_in": _Form(_is_text, 'Write key_in = "Authorization", or "?api_key" for a parameter of the address.'),
    "answers": _Form(_is_text, "Write the name of a file in quotes."),
}


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
    if isinstance(spec, HttpSpec):
        said = {name: dict(value) if isinstance(value, Mapping) else value for name, value in _stated(spec)}
        return {"kind": "http", **said, "answers": named(spec.answers) if spec.answers else ""}
    return {"kind": "matrix", "file": named(spec.file)}


def _stated(spec: HttpSpec) -> Iterable[tuple[str, Any]]:
    return ((each.name, getattr(spec, each.name)) for each in dataclasses.fields(spec))
