"""Random small maps with restrictions, gates and streets for ends only: times equal a plain walk over the drawing."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from routing.errors import InvalidInput
from routing.roads import RoadNetwork
from tests.kit.roads.raw_walk import Plan, Walker
from tests.kit.roads.streetmap import StreetMap

DRAWING = "\n".join(["A B C", "D E F", "G H I"])
GRID = ["AB", "BC", "DE", "EF", "GH", "HI", "AD", "DG", "BE", "EH", "CF", "FI"]
TABLES = "[car]\nturn_s = 0\nu_turn_s = 0\ngate_s = 0\n"
STREET_S = 100 / 25 * 3.6
NOON = 1_700_049_600


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Most streets of a grid of nine crossings, some of them one way or for ends only, gates, restrictions."""
    streets = draw(st.lists(st.sampled_from(GRID), min_size=6, unique=True))
    streets = [letters if draw(st.booleans()) else letters[::-1] for letters in streets]
    some = st.frozensets(st.integers(0, len(streets) - 1), max_size=3)
    at_noon = draw(st.one_of(st.just(frozenset()), some))
    gates = draw(st.dictionaries(st.sampled_from("BDEFH"), st.sampled_from(["ends", "shut"]), max_size=2))
    meeting = [
        way
        for size in (2, 3)
        for way in itertools.permutations(range(len(streets)), size)
        if all(set(streets[a]) & set(streets[b]) for a, b in itertools.pairwise(way))
        and (size == 2 or not set.intersection(*(set(streets[k]) for k in way)))
    ]
    each = st.tuples(st.sampled_from(["no", "only"]), st.sampled_from(meeting or [()]))
    restrictions = [(kind, way) for kind, way in draw(st.lists(each, max_size=4)) if way]
    return Plan(streets, draw(some), draw(some), gates, restrictions, at_noon)


def drawn(plan: Plan) -> StreetMap:
    ways = []
    for k, letters in enumerate(plan.streets):
        tags = {"highway": "residential"}
        if k in plan.oneway:
            tags["oneway"] = "yes"
        if k in plan.ends_only:
            tags["access"] = "destination"
        elif k in plan.at_noon:
            tags["motor_vehicle:conditional"] = "delivery @ (11:00-13:00)"
        ways.append((letters, tags))
    nodes = {
        letter: {"barrier": "gate", "access": "private" if said == "ends" else "no"}
        for letter, said in plan.gates.items()
    }
    turns = []
    for kind, way in plan.restrictions:
        first, *middle, last = (plan.streets[k] for k in way)
        via = middle[0] if middle else next(iter(set(first) & set(last)))
        word = "no_left_turn" if kind == "no" else "only_left_turn"
        turns.append((first, via, last, {"restriction": word}))
    return StreetMap(DRAWING, ways, nodes, turns)


def check(plan: Plan) -> None:
    picture, walker = drawn(plan), Walker(plan)
    at_noon = Walker(plan, noon=True) if plan.at_noon else walker
    assume(not walker.doubtful)
    with tempfile.TemporaryDirectory() as folder:
        tables = Path(folder) / "t.toml"
        tables.write_text(TABLES)
        try:
            city = RoadNetwork.from_osm(picture.write(Path(folder) / "a.osm"), profiles=("car",), tables=tables)
        except InvalidInput as error:
            assert error.code == "no_roads"
            assert not walker.alive
            return
    there = [k for k in range(len(plan.streets)) if any((m,) in walker.alive for m in walker.moves if m[0] == k)]
    # Places on a part beside the main one would be looked for there first, so spots are given, not found.
    spots = np.array([picture.at(f"{plan.streets[k][0]}-{plan.streets[k][1]}:50") for k in there])
    usable = np.ones(city.streets.edges, dtype=np.bool_)
    snaps = city.lookup.grid.snap(spots, usable, 1.0)
    assert (snaps.edge >= 0).all()
    for at, twin in ((None, walker), (NOON, at_noon)):
        compare(plan, city.snapped_ms(snaps, snaps, profile="car", at=at) / 1000.0, twin, there)


def compare(plan: Plan, got: NDArray[np.float64], walker: Walker, there: list[int]) -> None:
    for row, k in enumerate(there):
        wanted = walker.times(k)
        for column, j in enumerate(there):
            seconds = wanted[j] * STREET_S
            assert (got[row, column] > 1e6) == np.isinf(seconds), (plan, plan.streets[k], plan.streets[j], seconds)
            if np.isfinite(seconds):
                assert got[row, column] == pytest.approx(seconds, abs=0.1), (plan, plan.streets[k], plan.streets[j])


@given(plans())
@settings(deadline=None, max_examples=60)
def test_times_equal_a_walk_over_the_drawing(plan: Plan) -> None:
    check(plan)
