"""What every peer reads of a static pickup-and-delivery file: one depot, one kind of vehicle, one window an act."""

from __future__ import annotations

from collections.abc import Iterable

from routing.problem.build import Stop, make_rows
from routing.problem.problem import INFINITE, Problem, Rows


def check_static(problem: Problem) -> None:
    """Refuse a Problem with more in it than the peers' models hold."""
    pairs = (problem.pick_place >= 0) & (problem.drop_place >= 0) & (problem.aboard_of < 0)
    alike = (problem.start_place == problem.end_place).all() and (problem.capacity == problem.capacity[:1]).all()
    plain = not problem.enter.any() and not problem.exit.any() and not problem.slope.any()
    timely = problem.window.shape[2] == 1 and (problem.max_on_board >= INFINITE).all() and (problem.ready <= 0).all()
    if not (pairs.all() and alike and plain and timely and (problem.profile == 0).all()):
        raise ValueError("not a plain pickup-and-delivery problem of one depot")


def vehicle_price(problem: Problem, ticks_longest: int) -> int:
    """A price of a vehicle that a peer weighs before distance and can still add up: a hundred longest legs."""
    return 100 * ticks_longest if problem.fixed.any() else 0


def rows_of(problem: Problem, routes: Iterable[Iterable[tuple[int, int]]]) -> Rows:
    """Routes of (request, ActKind) as Rows, in the order of vehicles; the rest of the fleet stays unused."""
    made: list[list[Stop]] = []
    places = (problem.pick_place, problem.drop_place)
    for route in routes:
        made.append([(int(places[kind][request]), [(request, kind)]) for request, kind in route])
    made += [[] for _ in range(len(problem.start_place) - len(made))]
    return make_rows(made)
