"""A scenario on streets: the roads it travels, the traffic that the engine believes in, and what riders really meet."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from routing.errors import InvalidInput, UnreadableFile

if TYPE_CHECKING:
    from dispatch.record.catalogue import Catalogue
    from dispatch.record.travel_spec import RoadsSpec
    from sim.scenario import Scenario

MARGIN_DEG = 0.02
"""Streets are drawn so far around the places of a day: about two kilometres."""


@dataclass(frozen=True, slots=True)
class ScenarioStreets:
    """What a replay says about streets; empty where it leaves that to the scenario.

    `roads`: a city file to travel on, in the engine's belief and in truth.  `traffic`: a TOML file of speeds by time
    slot, `weather`: one of the city's; `true_traffic`, `true_weather`: what riders really meet, where that differs.
    """

    roads: str | Path | None = None
    traffic: str | Path | None = None
    weather: str = ""
    true_traffic: str | Path | None = None
    true_weather: str = ""

    def under(self, day: Scenario) -> Scenario:
        """The day on these streets; raises UnreadableFile, and InvalidInput for traffic where there are no streets."""
        if self == ScenarioStreets():
            return day
        believed, true, notes = day.catalogue.travel, day.reality.travel, day.notes
        if self.roads is not None:
            believed, true = self._roads(day), None
            notes = (*notes, *_notes(believed.profiles))
        believed = _with(believed, self.traffic, self.weather)
        if self.true_traffic is not None or self.true_weather:
            true = _with(true or believed, self.true_traffic, self.true_weather)
        return dataclasses.replace(
            day,
            catalogue=dataclasses.replace(day.catalogue, travel=believed),
            reality=dataclasses.replace(day.reality, travel=true),
            notes=notes,
        )

    def _roads(self, day: Scenario) -> RoadsSpec:
        from dispatch.record.travel_spec import RoadsSpec

        if not Path(str(self.roads)).is_file():
            raise UnreadableFile(
                "there is no such road network", file=str(self.roads), hint="Make one: halfhour roads build."
            )
        spec, stated = RoadsSpec(str(self.roads)), day.catalogue.travel
        if isinstance(stated, RoadsSpec) and stated.profiles:
            return dataclasses.replace(spec, profiles=stated.profiles)
        return spec.for_riders(day.catalogue.riders, anyhow=True)


def _notes(profiles: Mapping[str, str]) -> Iterator[str]:
    for rider, street in profiles.items():
        if rider != street:
            yield f"riders of profile {rider} travel as {street}"


def _with(spec: Any, traffic: str | Path | None, weather: str) -> Any:
    from dispatch.record.travel_spec import RoadsSpec

    if traffic is None and not weather:
        return spec
    if not isinstance(spec, RoadsSpec):
        raise InvalidInput(
            "traffic and weather need streets, and this day travels on none",
            code="bad_option",
            hint="Name a road network: --roads city.npz.",
        )
    return dataclasses.replace(spec, traffic=str(traffic or spec.traffic), weather=weather or spec.weather)


def map_of_streets(catalogue: Catalogue) -> dict[str, Any] | None:
    """GeoJSON of the streets around the places of a day, with its attribution; None for a day on no streets."""
    from dispatch.record.travel_spec import RoadsSpec

    if not isinstance(catalogue.travel, RoadsSpec):
        return None
    from routing.roads import RoadNetwork
    from routing.roads.city.maps import streets_map

    lat, lng = catalogue.places.first, catalogue.places.second
    return streets_map(
        RoadNetwork.load(catalogue.travel.file),
        south_west=(float(lat.min()) - MARGIN_DEG, float(lng.min()) - MARGIN_DEG),
        north_east=(float(lat.max()) + MARGIN_DEG, float(lng.max()) + MARGIN_DEG),
    )
