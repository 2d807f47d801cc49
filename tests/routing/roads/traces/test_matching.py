"""Map matching: the model's own best sequence, found by its twin, and the streets really driven."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.cells import METRES_PER_DEGREE
from routing.roads import RoadNetwork
from routing.roads.errors import InvalidTrace
from routing.roads.traces.matching import MOST, UNLIKELY, Matcher
from routing.roads.traces.stretches import Stretches
from routing.roads.traces.trace import Trace, moving_parts
from tests.kit.roads.drawing import draw
from tests.kit.roads.naive_matching import best_sequence
from tests.kit.roads.streetmap import StreetMap

HOME = {"highway": "residential"}
PICTURE = StreetMap(
    "\n".join(["A N D", "W X E", "B S C"]),
    [(letters, HOME) for letters in ("WX", "XE", "XN", "XS", "ED", "DN", "WB", "BS")],
    turns=[("WX", "X", "XN", {"restriction": "no_left_turn"})],
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    return RoadNetwork.from_osm(PICTURE.write(tmp_path_factory.mktemp("map") / "a.osm"), profiles=("car",))


def matcher(network: RoadNetwork, unlikely: float = UNLIKELY) -> Matcher:
    times = network.state.prepare("car", None)
    return Matcher(Stretches(network.streets, network.graph("car"), times), network.lookup.grid, unlikely)


def seen(spots: list[tuple[float, float]], every_s: float = 10.0) -> Trace:
    return Trace("t", *np.array(spots).T, np.arange(len(spots)) * every_s)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-120, 120, allow_nan=False), st.floats(-120, 120, allow_nan=False)), min_size=2, max_size=3
    )
)
def test_as_good_as_the_best_of_all_sequences(city: RoadNetwork, metres: list[tuple[float, float]]) -> None:
    lat, lng = PICTURE.at("X")
    spots = [(lat + north / METRES_PER_DEGREE, lng + east / METRES_PER_DEGREE) for north, east in metres]
    trace = seen(spots)
    near = city.lookup.grid.near(np.array(spots), np.ones(city.streets.edges, dtype=bool), 50.0, 50.0, MOST)[0]
    if (near < 0).all(axis=1).any():
        return
    most, least = (best_sequence(city, "car", trace, slack_m)[0] for slack_m in (-0.05, 0.05))
    thorough = matcher(city, np.inf)
    pieces = thorough.match(trace)
    whole = len(pieces) == 1 and len(pieces[0]) == len(spots) - 1
    if least == np.inf:
        assert not whole
    if most < np.inf:
        assert whole
    if whole:
        assert least - 0.02 <= thorough.cost(trace) <= most + 0.02


def test_what_is_given_up_is_what_hardly_anybody_drives(city: RoadNetwork) -> None:
    """The two positions after the first speak for a state that it made e**15 times less likely than the best."""
    lat, lng = PICTURE.at("X")
    metres = [(85.60603374, -44.30769182), (-70.13166788, -2.9090968), (-3.97965945, 111.52727694)]
    trace = seen([(lat + north / METRES_PER_DEGREE, lng + east / METRES_PER_DEGREE) for north, east in metres])
    best, _ = best_sequence(city, "car", trace)
    assert matcher(city, np.inf).cost(trace) == pytest.approx(best, abs=0.02)
    assert best + 1 < matcher(city).cost(trace) < best + UNLIKELY


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_given_up_in_traces_of_phones(city: RoadNetwork, seed: int) -> None:
    """Errors of a phone, as the model takes them, never cost the best sequence."""
    random = np.random.default_rng(seed)
    spots = np.array([PICTURE.at(spot) for spot in ("W-X:20", "X-E:30", "E-D:40")])
    noisy = spots + random.normal(0.0, 10.0 / METRES_PER_DEGREE, spots.shape)
    trace = seen([(float(a), float(b)) for a, b in noisy])
    assert matcher(city).cost(trace) == pytest.approx(best_sequence(city, "car", trace)[0], abs=0.02)


def test_a_turn_that_is_not_allowed_is_not_driven(city: RoadNetwork) -> None:
    """Round by E and D, where positions say nothing of the turn itself."""
    spots = [PICTURE.at(spot) for spot in ("W-X:20", "X-E:60", "E-D:60", "D-N:60")]
    (piece,) = matcher(city).match(seen(spots))
    names = [city.streets.names[city.streets.name[code >> 1]] for step in piece for code in step.code]
    assert list(dict.fromkeys(names)) == ["WX", "XE", "ED", "DN"]


def test_shares_add_up_to_the_way_driven(city: RoadNetwork) -> None:
    spots = [PICTURE.at(spot) for spot in ("W-X:20", "X-E:30", "E-D:40")]
    (piece,) = matcher(city).match(seen(spots))
    metres = [
        sum(s * city.streets.length_cm[c >> 1] / 100 for c, s in zip(d.code, d.share, strict=True)) for d in piece
    ]
    assert metres == pytest.approx([110.0, 110.0], abs=0.5)


def test_a_position_behind_is_no_drive_round_the_block() -> None:
    """Against a one-way: what lies 12 m behind counts as 12 m back."""
    town = draw("""
        A>B>C
        ^   v
        D<E<F
    """)
    trace = seen([town.at("A-B:20"), town.at("A-B:90"), town.at("A-B:78"), town.at("B-C:60")])
    (piece,) = matcher(town.network).match(trace)
    assert [round(sum(step.share) * 100) for step in piece] == [70, -12, 82]


def test_far_positions_divide_a_trace(city: RoadNetwork) -> None:
    lat, lng = PICTURE.at("B-S:50")
    south = (lat - 200 / METRES_PER_DEGREE, lng)
    spots = [PICTURE.at("W-X:20"), PICTURE.at("W-X:90"), south, PICTURE.at("X-E:60"), PICTURE.at("X-E:95")]
    (piece,) = matcher(city).match(seen(spots))
    assert len(piece) == 3, "the one far from all streets is left out"
    assert matcher(city).match(seen([south, south])) == []


def test_moving_parts() -> None:
    """Two minutes apart are two trips; three minutes on the spot are a stop; ends are left where one set off."""
    metre = 1 / METRES_PER_DEGREE
    east = np.concatenate([np.zeros(3), np.arange(1, 11) * 50.0, np.full(20, 500.0), 500 + np.arange(1, 11) * 50.0])
    trace = Trace("t", np.zeros(len(east)), east * metre, np.arange(len(east)) * 10.0)
    first, second = moving_parts(trace)
    assert (first.at[0], first.at[-1]) == (20.0, 100.0), "every second one is 100 m on"
    assert second.lng[0] / metre == pytest.approx(550.0)
    gap = Trace("t", np.zeros(4), np.array([0.0, 100, 200, 300]) * metre, np.array([0.0, 10, 200, 210]))
    assert [len(part) for part in moving_parts(gap)] == [2, 2]
    assert list(moving_parts(Trace("t", np.zeros(1), np.zeros(1), np.zeros(1)))) == []


@pytest.mark.parametrize(("lat", "at"), [((0.0, 91.0), (0.0, 1.0)), ((0.0, 0.0), (1.0, 1.0)), ((np.nan, 0.0), (0, 1))])
def test_wrong_traces(lat: tuple[float, float], at: tuple[float, float]) -> None:
    with pytest.raises(InvalidTrace):
        Trace("t", np.array(lat), np.zeros(2), np.array(at))
