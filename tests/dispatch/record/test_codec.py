"""What is written is read back; what no version wrote is refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.codec import decode_event, decode_input, encode
from dispatch.errors import CorruptJournal
from dispatch.events import RouteRevised
from dispatch.inputs import PlannedStop, RoundSolved, RouteChange
from dispatch.model import Act, ActKind, Level, Route, Stop

NAMES = st.text(max_size=4)
WHOLE = st.integers(-(10**9), 10**12)
ACTS = st.builds(Act, NAMES, st.sampled_from(ActKind), st.sampled_from(Level))
STOPS = st.builds(
    Stop, NAMES, WHOLE, st.none() | NAMES, st.sampled_from(Level), st.lists(ACTS, max_size=4).map(tuple),
    WHOLE, WHOLE, WHOLE, WHOLE, WHOLE, st.integers(0, 2), st.integers(0, 2),
)  # fmt: skip
ROUTES = st.builds(Route, NAMES, WHOLE, st.lists(STOPS, max_size=4).map(tuple), WHOLE)


@given(ROUTES, WHOLE, st.booleans())
def test_a_route_comes_back_as_it_was(route: Route, at: int, told: bool) -> None:
    event = RouteRevised(at=at, route=route, told=told)
    again = decode_event(encode(event))
    assert again == event
    for stop in again.route.stops:
        assert all(type(act.kind) is ActKind and type(act.level) is Level for act in stop.acts)


@pytest.mark.parametrize(
    "acts",
    [[["o1", 9, 2]], [["o1", 1, 77]], [["o1", "pickup", 2]], [["o1"]], [["o1", [], 2]], [5]],
    ids=["kind", "level", "text", "short", "list", "no act"],
)
def test_an_act_that_nobody_wrote_is_named_as_corrupt(acts: list[object]) -> None:
    stop = Stop("", 1, None, Level.TOLD, (Act("o1", ActKind.DROP, Level.TOLD),), 1, 1, 1, 1, 1)
    told = encode(RouteRevised(at=1, route=Route("r1", 1, (stop,)), told=True))
    told["route"]["stops"][0][4] = acts
    with pytest.raises(CorruptJournal, match="RouteRevised cannot be read"):
        decode_event(told)


def test_a_field_that_a_version_added_has_its_default_where_it_is_missing() -> None:
    told = encode(RouteRevised(at=1, route=Route("r1", 1), told=True))
    told["route"]["stops"] = [["", 1, None, 2, [["o1", 0]], 1, 1, 1, 1, 1]]
    (stop,) = decode_event(told).route.stops
    assert stop.acts == (Act("o1", ActKind(0)),)


@pytest.mark.parametrize(("walk", "written"), [((0, 0), 8), ((9, 12), 10), ((0, 1), 10)])
def test_stops_without_a_walk_are_written_as_before_there_were_any(walk: tuple[int, int], written: int) -> None:
    planned = PlannedStop(3, "s1", (("o1", ActKind.PICKUP),), 60, 200, 1, 2, 3, *walk)
    solved = RoundSolved(at=1, round=1, changes=(RouteChange("r1", 0, (planned,)),))
    told = encode(solved)
    assert len(told["changes"][0][2][0]) == written
    assert decode_input(told) == solved
    stop = Stop("", 1, None, Level.TOLD, (), 60, 200, 1, 2, 3, *walk)
    route = encode(RouteRevised(at=1, route=Route("r1", 1, (stop,)), told=True))
    assert len(route["route"]["stops"][0]) == written + 2


@pytest.mark.parametrize("values", [7, 9, 11])
def test_a_planned_stop_of_any_other_length_is_corrupt(values: int) -> None:
    told = encode(RoundSolved(at=1, round=1, changes=(RouteChange("r1", 0, ()),)))
    told["changes"][0][2] = [[3, "s1", [["o1", 0]], *range(11)][:values]]
    with pytest.raises(CorruptJournal, match="RoundSolved cannot be read"):
        decode_input(told)
