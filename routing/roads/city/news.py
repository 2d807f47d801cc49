"""News of traffic: what operations hand to a service that runs, in place of what its network opened with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from routing.errors import InvalidInput
from routing.roads.traffic.traffic import Conditions, SpeedRule, check_rule
from routing.roads.traffic.traffic_file import parse_traffic

if TYPE_CHECKING:
    from routing.roads.city.network import RoadNetwork


@dataclass(frozen=True, slots=True)
class TrafficNews:
    """Reported `speeds`, and a `weather` and `table` (the text of a traffic file) in place of those of the opening.

    None: what the network opened with holds; "": none does.
    """

    speeds: tuple[SpeedRule, ...] = ()
    weather: str | None = None
    table: str | None = None

    def conditions(self, opened: RoadNetwork) -> Conditions:
        """What holds on a network that opened like this one.

        Raises InvalidSpeed, InvalidTraffic, UnknownProfile or UnreadableFile, naming the field.
        """
        for number, rule in enumerate(self.speeds):
            with _naming(f"speeds[{number}]"):
                check_rule(rule, opened.streets, f"speeds[{number}]")
        found = replace(opened.state.conditions, reported=self.speeds)
        if self.weather is not None:
            with _naming("weather"):
                factors = opened.weather_factors(self.weather)
            found = replace(found, weather=self.weather, weather_factors=factors)
        if self.table is not None:
            with _naming("table"):
                table = parse_traffic(self.table, opened.streets, "the text handed over") if self.table else None
            found = replace(found, table=table)
        return found

    def as_json(self) -> dict[str, Any]:
        """JSON values, for `from_json`."""
        return asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> TrafficNews:
        """The inverse of `as_json`."""
        return TrafficNews(tuple(_rule(each) for each in value["speeds"]), value["weather"], value["table"])


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
