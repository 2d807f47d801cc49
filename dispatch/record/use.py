"""What orders used of the fleet: seconds, metres and grams of CO2, shared among those that a way or a stop was for.

A way is for the orders on board and those that are fetched where it leads, a stop for those it was made for, in equal
parts.  An empty move is for nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from dispatch.board.cell_index import ZONE_RESOLUTION, ZoneShape
from dispatch.model import ActKind, Stop
from dispatch.record.by_kind import NONE
from dispatch.record.catalogue import Catalogue
from dispatch.record.lives import Leg, OrderLife, RiderDay
from routing.cells import parent_of

NOBODY = "nobody"
"""Stands for what no order was the reason of: empty moves."""


@dataclass(slots=True)
class Use:
    """What was used for one order, or for several together: seconds, metres, grams."""

    driven_s: float = 0.0
    empty_s: float = 0.0
    """Of these: with nothing on board."""
    driven_m: float = 0.0
    co2_g: float = 0.0
    stops_s: float = 0.0
    """At stops: before and after acts, and waiting for goods."""
    loaded_s: float = 0.0
    """Driving with it on board, whole ways."""
    bags_s: float = 0.0
    """The same times the orders on board."""

    def add(self, other: Use) -> None:
        """Take in what was used besides."""
        for item in fields(Use):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))


class Uses:
    """What each order used, by its id; the empty id holds what was for nobody."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._of: dict[str, Use] = {}
        self._zones = ZoneNames(catalogue)
        self._by_profile, self._by_load = Counter[str](), Counter[int]()
        self.says_co2 = False
        """Whether events tell what ways emit."""

    def of(self, order_id: str) -> Use:
        """What an order has used so far."""
        return self._of.setdefault(order_id, Use())

    def drive(self, leg: Leg, day: RiderDay, stop: Stop, parts: Iterable[tuple[str, int]]) -> None:
        """A way was driven to a stop; `parts`: milligrams by order, as the engine has shared them."""
        seconds, on_board = leg.arrived_at - leg.departed_at, tuple(day.on_board)
        fetched = (act.order_id for act in stop.acts if act.kind is ActKind.PICKUP)
        share = list(dict.fromkeys((*on_board, *fetched))) or [""]
        for order_id in share:
            used = self.of(order_id)
            used.driven_s += seconds / len(share)
            used.driven_m += leg.driven_m / len(share)
            used.empty_s += 0 if on_board else seconds / len(share)
        for order_id in on_board:
            self.of(order_id).loaded_s += seconds
            self.of(order_id).bags_s += seconds * len(on_board)
        for order_id, mg in parts:
            self.says_co2 = True
            self.of(order_id).co2_g += mg / 1_000
        self._by_profile[day.rider.profile] += leg.co2_mg
        self._by_load[leg.on_board] += leg.co2_mg

    def halt(self, stop: Stop | None, seconds: int) -> None:
        """A stop was made for its orders."""
        order_ids = dict.fromkeys(act.order_id for act in stop.acts) if stop is not None else {}
        for order_id in order_ids:
            self.of(order_id).stops_s += seconds / len(order_ids)

    def by(self, what: str, lives: Iterable[OrderLife]) -> dict[str, dict[str, Any]]:
        """What each `tenant`, `store` or `zone` used, by name; orders of none stand under `none`."""
        names: dict[str, Callable[[OrderLife], str]] = {
            "tenant": lambda life: life.order.tenant,
            "store": lambda life: life.order.store_id,
            "zone": lambda life: self._zones.of(life.order.drop_place),
        }
        groups: dict[str, list[OrderLife]] = {}
        for life in lives:
            groups.setdefault(names[what](life) or NONE, []).append(life)
        figures = {name: self._figures(groups[name]) for name in sorted(groups)}
        return figures | {NOBODY: self._figures_of(self.of(""), ())}

    def lines(self, lives: Sequence[OrderLife]) -> dict[str, Any]:
        """Lines of summary.json: grams by profile and load where ways tell them, use by tenant where any is named."""
        said: dict[str, Any] = {}
        if self.says_co2:
            said["co2_g_by_profile"] = {name: round(mg / 1_000, 1) for name, mg in sorted(self._by_profile.items())}
            said["co2_g_by_load"] = {str(count): round(mg / 1_000, 1) for count, mg in sorted(self._by_load.items())}
        if any(life.order.tenant for life in lives):
            said["by_tenant"] = self.by("tenant", lives)
        return said

    def _figures(self, lives: Sequence[OrderLife]) -> dict[str, Any]:
        used = Use()
        for life in lives:
            used.add(self.of(life.order.order_id))
        return self._figures_of(used, lives)

    def _figures_of(self, used: Use, lives: Sequence[OrderLife]) -> dict[str, Any]:
        return {
            "orders": len(lives),
            "delivered": sum(life.delivered_at is not None for life in lives),
            "minutes": round((used.driven_s + used.stops_s) / 60, 1),
            "driven_m": round(used.driven_m),
            "co2_g": round(used.co2_g, 1),
            "empty_share": round(used.empty_s / used.driven_s, 4) if used.driven_s else None,
            "load_factor": round(used.bags_s / used.loaded_s, 4) if used.loaded_s else None,
        }


class ZoneNames:
    """Which zone a place lies in: the first one named that holds it, else its cell."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._places = catalogue.places
        self._shapes = [(zone.zone_id, ZoneShape(zone.corners, catalogue.places)) for zone in catalogue.zones]

    def of(self, place: int) -> str:
        """The name of a place's zone."""
        named = next((zone_id for zone_id, shape in self._shapes if shape.holds(place)), "")
        return named or f"{parent_of(int(self._places.cell[place]), ZONE_RESOLUTION):x}"
