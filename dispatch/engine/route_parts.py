"""Parts of a route: what has been told, what a phone shows, the plan without its times."""

from __future__ import annotations

from dispatch.model import Act, ActKind, Level, Route, Stop


def told_pickups(route: Route) -> dict[str, Stop]:
    return {
        act.order_id: stop
        for stop in route.stops
        for act in stop.acts
        if act.kind is ActKind.PICKUP and act.level >= Level.TOLD
    }


def drops_of(route: Route) -> dict[str, Stop]:
    """Where each order of a route is handed over."""
    return {act.order_id: stop for stop in route.stops for act in stop.acts if act.kind is ActKind.DROP}


def shown_part(stops: tuple[Stop, ...]) -> list[tuple[str, int, tuple[tuple[str, ActKind], ...]]]:
    """What a phone shows of a route."""
    return [
        (stop.stop_id, stop.place, tuple((act.order_id, act.kind) for act in stop.acts if act.level >= Level.TOLD))
        for stop in stops
        if stop.level >= Level.TOLD
    ]


def plan_part(stops: tuple[Stop, ...]) -> list[tuple[int, Level, tuple[Act, ...]]]:
    """A route without its times."""
    return [(stop.place, stop.level, stop.acts) for stop in stops]
