"""Where travel times come from, as a catalogue or a file says it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from dispatch.model import Rider
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


TravelSpec = StraightSpec | MatrixSpec | RoadsSpec


_TRAVEL = {"straight": StraightSpec, "matrix": MatrixSpec, "roads": RoadsSpec}


def travel_spec(value: Mapping[str, Any]) -> TravelSpec:
    """The travel description in a JSON or TOML table whose `kind` is straight, matrix or roads."""
    fields = dict(value)
    kind = fields.pop("kind", "straight")
    if kind not in _TRAVEL:
        raise InvalidInput(f"travel of kind {kind!r}", field="travel.kind", hint=f"Choose one of {', '.join(_TRAVEL)}.")
    for name, field_value in fields.items():
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
        'Write profiles = { bike = "ebike" }: a profile of the network for each of the riders.',
    ),
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
    return {"kind": "matrix", "file": named(spec.file)}
