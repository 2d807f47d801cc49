"""News of traffic: what operations hand to a service that runs, in place of what its network opened with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from routing.errors import InvalidInput
from routing.roads.errors import InvalidTraffic
from routing.roads.streets import Streets
from routing.roads.traffic.traffic import Conditions, EdgeFactors, SpeedRule, check_rule
from routing.roads.traffic.traffic_file import parse_traffic

if TYPE_CHECKING:
    from routing.roads.city.network import RoadNetwork


@dataclass(frozen=True, slots=True)
class LiveSpeeds:
    """What riders' positions say of a profile's streets: `factor` of the slot's speed of each edge in one direction.

    `code`: 2 * edge + direction, rising.
    """

    profile: str
    code: tuple[int, ...]
    factor: tuple[float, ...]

    def rule(self, streets: Streets) -> EdgeFactors:
        """The same for every edge of the streets.  Raises InvalidTraffic for an edge that is not there."""
        code = np.array(self.code, dtype=np.int64)
        if len(code) and not 0 <= code.min() <= code.max() < 2 * streets.edges:
            raise InvalidTraffic(f"there is no edge {int(code.max()) >> 1} among {streets.edges}", field="live")
        factors = np.ones((2, streets.edges))
        factors[code & 1, code >> 1] = self.factor
        return EdgeFactors(factors, (self.profile,))


@dataclass(frozen=True, slots=True)
class TrafficNews:
    """Reported `speeds`, and a `weather` and `table` (the text of a traffic file) in place of those of the opening.

    `live`: what riders' positions say, besides.

    None: what the network opened with holds; "": none does.
    """

    speeds: tuple[SpeedRule, ...] = ()
    weather: str | None = None
    table: str | None = None
    live: tuple[LiveSpeeds, ...] = ()

    def conditions(self, opened: RoadNetwork) -> Conditions:
        """What holds on a network that opened like this one.

        Raises InvalidSpeed, InvalidTraffic, UnknownProfile or UnreadableFile, naming the field.
        """
        for number, rule in enumerate(self.speeds):
            with _naming(f"speeds[{number}]"):
                check_rule(rule, opened.streets, f"speeds[{number}]")
        live = tuple(each.rule(opened.streets) for each in self.live)
        for measured in live:
            check_rule(measured, opened.streets, "live")
        found = replace(opened.state.conditions, reported=(*self.speeds, *live))
        if self.weather is not None:
            with _naming("weather"):
                factors = opened.weather_factors(self.weather)
            found = replace(found, weather=self.weather, weather_factors=factors)
        if self.table is not None:
            with _naming("table"):
                name = "the text handed over"
                table = parse_traffic(self.table, opened.streets, name, opened.timezone) if self.table else None
            found = replace(found, table=table)
        return found

    def as_json(self) -> dict[str, Any]:
        """JSON values, for `from_json`."""
        return asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> TrafficNews:
        """The inverse of `as_json`."""
        speeds = tuple(_rule(each) for each in value["speeds"])
        live = tuple(
            LiveSpeeds(each["profile"], tuple(each["code"]), tuple(each["factor"])) for each in value.get("live", ())
        )
        return TrafficNews(speeds, value["weather"], value["table"], live)


@contextlib.contextmanager
def _naming(field: str) -> Iterator[None]:
    """Errors of the block name the field, if they name none more narrowly."""
    try:
        yield
    except InvalidInput as error:
        error.details.setdefault("field", field)
        raise


def _rule(value: Mapping[str, Any]) -> SpeedRule:
    zone = tuple((float(lat), float(lng)) for lat, lng in value["zone"])
    lists: dict[str, Any] = {name: tuple(value[name]) for name in ("profiles", "classes", "edges", "ways")}
    later: dict[str, Any] = {name: value[name] for name in ("direction", "kmh", "closed") if name in value}
    return SpeedRule(value["factor"], zone=zone, **lists, **later)
