"""CVRPLIB, TSPLIB and Solomon files: read, solved, judged, refused by name."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from halfhour.solving import format_of, solve_file
from routing.errors import HalfhourError, UnreadableFile, Unsupported
from routing.problem.formats.cvrplib import read_visits
from routing.problem.formats.text_judge import visit_faults
from tests.routing.problem.test_formats import written

# The depot and four customers on a line to the east, at 1.5, 3, 4.5, 6; room for three units.
CVRP = """NAME : line
TYPE : CVRP
DIMENSION : 5
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 3
NODE_COORD_SECTION
1 0 0
2 1.5 0
3 3 0
4 4.5 0
5 6 0
DEMAND_SECTION
1 0
2 1
3 1
4 1
5 1
DEPOT_SECTION
 1
 -1
EOF
"""

SOLOMON = """R1

VEHICLE
NUMBER     CAPACITY
  2         10

CUSTOMER
CUST NO.  XCOORD.  YCOORD.  DEMAND  READY TIME  DUE DATE  SERVICE TIME

    0      0        0        0       0           100       0
    1      1        1        4       0           10        5
    2      2        2        4       50          60        5
"""


def numbered(routes: str) -> str:
    """Routes with the sign that CVRPLIB's solutions number them by."""
    return routes.replace("%", "#")


def best_of_all(path: Path, rounding: str) -> float:
    """The shortest of all ways to serve four customers of the line with two vehicles of three."""
    table = read_visits(path, rounding=rounding).distance  # type: ignore[arg-type]
    best = np.inf
    for order in permutations(range(1, 5)):
        for cut in (1, 2, 3):
            tours = [[0, *order[:cut], 0], [0, *order[cut:], 0]]
            best = min(best, sum(table[tour[:-1], tour[1:]].sum() for tour in tours))
    return float(best)


@pytest.mark.parametrize("rounding", ["nearest", "one_decimal", "none"])
def test_distances_are_rounded_as_asked(tmp_path, rounding):
    path = written(tmp_path, CVRP, "line.vrp")
    assert format_of(path) == "cvrplib"
    done = solve_file(path, work=3000, rounding=rounding)
    assert done.vehicles == 2
    assert done.rounding == rounding
    assert done.distance == pytest.approx(best_of_all(path, rounding))
    assert f"Cost {done.cost:g}" in done.output


def test_solomon_waits_for_windows(tmp_path):
    # To 1 by 1.4, to 2 by 50 at the earliest: one vehicle, in tenths cut off.
    done = solve_file(written(tmp_path, SOLOMON), work=500)
    assert (done.format, done.vehicles, done.distance) == ("solomon", 1, pytest.approx(1.4 + 1.4 + 2.8))
    assert done.output == numbered("Route %1: 1 2\nCost 5.6\n")
    done = solve_file(written(tmp_path, SOLOMON.replace("2         10", "1         7")), work=500)
    assert len(done.left_out) == 1


def test_prizes(tmp_path):
    # 5 is 12 there and back: left out for a prize of 11, fetched for one of 13; two units of the others fit with it.
    prized = CVRP.replace("DEPOT_", "PRIZE_SECTION\n2 0\n3 0\n4 0\n5 {}\nDEPOT_").replace("CVRP", "PCVRPTW")
    assert solve_file(written(tmp_path, prized.format(11)), work=500).cost == 11
    assert solve_file(written(tmp_path, prized.format(13)), work=500).cost == 12


def test_fleets(tmp_path):
    # A vehicle of four for 100 and two of two for 10 each: two small ones, 12 and 6 long.
    fleet = "CAPACITY_SECTION\n1 4\n2 2\n3 2\nVEHICLES_FIXED_COST_SECTION\n1 100\n2 10\n3 10\n"
    mixed = CVRP.replace("CAPACITY : 3", "VEHICLES : 3").replace("TYPE : CVRP", "TYPE : HFVRP")
    done = solve_file(written(tmp_path, mixed.replace("DEPOT_", fleet + "DEPOT_")), work=4000)
    assert (done.vehicles, done.cost) == (2, pytest.approx(20 + 12 + 6))


def trips_file(tmp_path: Path, *, reloads: str = "1 1", released: int = 20) -> Path:
    """One vehicle for the line, four units of three: the customer at 6 has goods late, the one at 1.5 a window to 5."""
    more = (
        f"RELEASE_TIME_SECTION\n1 0\n2 0\n3 0\n4 0\n5 {released}\n"
        "TIME_WINDOW_SECTION\n1 0 90\n2 0 5\n3 0 90\n4 0 90\n5 0 90\n"
        + (f"VEHICLES_RELOAD_DEPOT_SECTION\n{reloads}\n" if reloads else "")
    )
    text = CVRP.replace("TYPE : CVRP", "TYPE : MTVRPTWR\nVEHICLES : 1").replace("DEPOT_SECTION", more + "DEPOT_SECTION")
    return written(tmp_path, text, "trips.vrp")


def test_goods_come_late_and_vehicles_come_back_for_them(tmp_path):
    # The first trip serves the window; the second sets off at 20 with what is left.  1.5 and 6, there and back.
    path = trips_file(tmp_path)
    done = solve_file(path, work=3000)
    assert (done.vehicles, done.distance, done.left_out) == (1, pytest.approx(15), ())
    first, second = done.output.splitlines()[0].split(": ")[1].split(" 0 ")
    assert (first, sorted(second.split())) == ("1", ["2", "3", "4"])
    # Ready at 85, the farthest is home after 90; without a reload four units are too many.
    assert [one.delivery for one in solve_file(trips_file(tmp_path, released=85), work=3000).left_out] == [4]
    assert len(solve_file(trips_file(tmp_path, reloads=""), work=3000).left_out) == 1


@pytest.mark.parametrize(
    ("route", "says"),
    [
        ("1 0 2 3 4", None),
        ("1 2 0 4 3", None),
        ("4 3 2 0 1", "late"),  # sets off at 20
        ("0 1 2 3 4", "carries"),
        ("1 0 2 3", "neither"),
    ],
)
def test_the_judge_of_visits_knows_trips(tmp_path, route, says):
    found = visit_faults(trips_file(tmp_path), numbered(f"Route %1: {route}\n"), set(), "one_decimal")
    assert (says is None and not found) or any(says in one for one in found)
    alone = visit_faults(trips_file(tmp_path, reloads=""), numbered(f"Route %1: {route}\n"), set(), "one_decimal")
    assert any("reloads at 0" in one for one in alone)


def limited(folder: Path, head: str = "", section: str = "", windows: str = "") -> Path:
    """The line with at most this; services of one."""
    more = f"TIME_WINDOW_SECTION\n1 0 100\n2 0 100\n3 0 100\n4 0 100\n5 {windows}\n" if windows else ""
    text = CVRP.replace("CAPACITY : 3", f"CAPACITY : 9\nSERVICE_TIME : 1\n{head}")
    return written(folder, text.replace("DEPOT_SECTION", more + section + "DEPOT_SECTION"), "limited.vrp")


@pytest.mark.parametrize("word", ["DISTANCE", "VEHICLES_MAX_DURATION"])
def test_no_route_lasts_longer_than_it_may(tmp_path, word):
    # All four take 12 there and back, and four services: 16.
    for most, vehicles, left in ((16, 1, 0), (15, 2, 0), (12, 1, 1)):
        done = solve_file(limited(tmp_path, f"{word} : {most}"), work=2000, rounding="none")
        assert (done.vehicles, len(done.left_out)) == (vehicles, left)
    section = "VEHICLES_MAX_DURATION_SECTION\n1 4\n2 20\n3 4\n4 4\n"
    assert solve_file(limited(tmp_path, "VEHICLES : 4", section), work=2000, rounding="none").vehicles == 1


def test_a_vehicle_sets_off_late_where_it_would_only_wait(tmp_path):
    # The farthest opens at 50: gone from 37 on with the others before it, 44 alone; home at 57.
    for most, vehicles in ((16, 1), (15, 2), (13, 2)):
        path = limited(tmp_path, f"VEHICLES_MAX_DURATION : {most}", windows="50 60")
        done = solve_file(path, work=3000, rounding="none")
        assert (done.vehicles, done.left_out) == (vehicles, ())
    assert visit_faults(path, numbered("Route %1: 1 2 3 4\n"), set(), "none")[0].endswith("longer than 13")


def test_ways_vehicles_and_reloads_have_limits_of_their_own(tmp_path):
    assert solve_file(limited(tmp_path, "VEHICLES_MAX_DISTANCE : 11"), work=2000).left_out
    allowed = "VEHICLES_ALLOWED_CLIENTS_SECTION\n1 2 3\n2 3 4 5\n"
    path = limited(tmp_path, "VEHICLES : 2", allowed)
    assert solve_file(path, work=2000).vehicles == 2
    assert "no vehicle" in visit_faults(path, numbered("Route %1: 1 2 3 4\n"), set(), "nearest")[0]
    again = "VEHICLES_RELOAD_DEPOT_SECTION\n1 1\n"
    for most, left in ((1, 0), (0, 1)):
        head = f"VEHICLES : 1\nVEHICLES_MAX_RELOADS : {most}"
        path = written(tmp_path, CVRP.replace("CAPACITY", head + "\nCAPACITY").replace("DEPOT_S", again + "DEPOT_S"))
        assert len(solve_file(path, work=2000).left_out) == left


def test_distances_in_the_file(tmp_path):
    # 0 -1-> 1 -2-> 2 -3-> 0
    head = "TYPE : ATSP\nDIMENSION : 3\nEDGE_WEIGHT_TYPE : EXPLICIT\nEDGE_WEIGHT_FORMAT : FULL_MATRIX\n"
    done = solve_file(written(tmp_path, head + "EDGE_WEIGHT_SECTION\n0 1 9 9 0 2 3 9 0\n"), work=500)
    assert (done.vehicles, done.distance) == (1, 6)
    lower = head.replace("FULL_MATRIX", "LOWER_DIAG_ROW").replace("ATSP", "TSP")
    assert solve_file(written(tmp_path, lower + "EDGE_WEIGHT_SECTION\n0 1 0 2 3 0\n"), work=500).distance == 6


@pytest.mark.parametrize(
    ("find", "put", "error", "says"),
    [
        ("EUC_2D", "XRAY1", Unsupported, "XRAY1"),
        ("DEPOT_SECTION", "RELEASE_TIME_SECTION\n6 0\nDEPOT_SECTION", UnreadableFile, "1 to 5"),
        ("DEPOT_SECTION", "VEHICLES_RELOAD_DEPOT_SECTION\n1 2\nDEPOT_SECTION", UnreadableFile, "its locations"),
        ("DEPOT_SECTION", "VEHICLES_RELOAD_DEPOT_SECTION\n9 1\nDEPOT_SECTION", UnreadableFile, "not a vehicle"),
        ("CAPACITY : 3", "VEHICLES_MOOD : 9", Unsupported, "VEHICLES_MOOD"),
        ("DEPOT_SECTION\n 1\n", "DEPOT_SECTION\n 9\n", UnreadableFile, "1 to 5"),
        ("CAPACITY : 3", "CAPACITY : 3\nSERVICE_TIME : -1", UnreadableFile, "times are from 0"),
        ("CAPACITY : 3", "CAPACITY : 3\nSERVICE_TIME : 1e18", UnreadableFile, "times are from 0"),
        ("2 1\n3 1", "2 1\n3 1e18", UnreadableFile, "whole"),
        ("TYPE : CVRP", "TYPE CVRP", UnreadableFile, "TYPE says nothing"),
        ("TYPE : CVRP", "TYPE : SDVRP", Unsupported, "TYPE SDVRP"),
        ("2 1\n3 1", "2 1", UnreadableFile, "nothing of 3"),
        ("2 1\n3 1", "2 1\n2 1\n3 1", UnreadableFile, "2 twice"),
        ("DEPOT_SECTION", "TIME_WINDOW_SECTION\n2 0 9\nDEPOT_SECTION", UnreadableFile, "nothing of 3"),
        ("DEPOT_SECTION", "VEHICLES_ALLOWED_CLIENTS_SECTION\n1 9\nDEPOT_SECTION", UnreadableFile, "its locations"),
        ("2 1.5 0", "2 x 0", UnreadableFile, "not a number"),
        ("2 1.5 0\n", "", UnreadableFile, "list 1 to 5"),
        ("DIMENSION : 5", "DIMENSION : 0", UnreadableFile, "DIMENSION"),
        ("DIMENSION : 5", "DIMENSION : many", UnreadableFile, "DIMENSION"),
        ("2 1\n3 1", "2 1\n3 1.5", UnreadableFile, "whole"),
        ("2 1\n3 1", "2 1\n9 1", UnreadableFile, "1 to 5"),
    ],
)
def test_what_a_file_cannot_be_is_named(tmp_path, find, put, error, says):
    with pytest.raises(error, match=says):
        read_visits(written(tmp_path, CVRP.replace(find, put)))


@pytest.mark.parametrize("word", ["x", "nan", "1e400"])
@pytest.mark.parametrize("column", range(7))
def test_a_customer_who_cannot_be_read_is_named_and_never_skipped(tmp_path, word, column):
    *head, last = SOLOMON.rstrip().split("\n")
    words = last.split()
    words[column] = word
    with pytest.raises(UnreadableFile):
        read_visits(written(tmp_path, "\n".join([*head, " ".join(words)])))


def test_a_rounding_that_is_none_is_named(tmp_path):
    with pytest.raises(HalfhourError, match="no rounding"):
        solve_file(written(tmp_path, CVRP), work=1, rounding="up")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        ("Route %1: 1 2 3 4\n", "carries"),
        ("Route %1: 1 2 3\n", "neither"),
        ("Route %1: 1 2 3\nRoute %2: 4 4\n", "neither"),
        ("Route %1: 1 2 3\nRoute %2: 4\nCost 1\n", None),
    ],
)
def test_the_judge_of_visits_knows_what_is_wrong(tmp_path, routes, says):
    found = visit_faults(written(tmp_path, CVRP), numbered(routes), set(), "nearest")
    assert (says is None and not found) or any(says in one for one in found)
    late = visit_faults(written(tmp_path, SOLOMON), numbered("Route %1: 2 1\n"), set(), "one_decimal")
    assert late == [numbered("Route %1 comes too late")]


FORMS = ("ROW", "DIAG_ROW", "COL", "DIAG_COL")


def points(kind: str) -> str:
    return f"TYPE : TSP\nDIMENSION : 3\nEDGE_WEIGHT_TYPE : {kind}\nNODE_COORD_SECTION\n1 0 0\n2 3.30 4\n3 6 8.15\nEOF\n"


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("EUC_2D", [0, 5, 10]),  # 5.19, 10.12
        ("CEIL_2D", [0, 6, 11]),
        ("MAN_2D", [0, 7, 14]),  # 7.3, 14.15
        ("MAX_2D", [0, 4, 8]),
        ("ATT", [0, 2, 4]),  # sqrt(26.89 / 10) = 1.64, sqrt(102.42 / 10) = 3.2
        # 3.5 and 4 degrees away: 591.4 km on the sphere, one added; 6 and 8.25 degrees: 1134.5.
        ("GEO", [0, 592, 1135]),
    ],
)
def test_every_way_of_tsplib_to_measure(tmp_path, kind, first):
    path = written(tmp_path, points(kind))
    case = read_visits(path)
    assert case.distance[0].tolist() == first
    tour = [1, 2]
    assert visit_faults(path, numbered("Route %1: 1 2\n"), set(), case.rounding) == []
    assert case.number == tour


@pytest.mark.parametrize("form", [f"{half}_{by}" for half in ("LOWER", "UPPER") for by in FORMS])
def test_every_form_of_a_table(tmp_path, form):
    # Ways of a b c d: ab 1, ac 2, ad 3, bc 4, bd 5, cd 6.
    way = {(0, 1): 1, (0, 2): 2, (0, 3): 3, (1, 2): 4, (1, 3): 5, (2, 3): 6}
    span = range(4)
    inside = {"LOWER": lambda a, b: a > b, "UPPER": lambda a, b: a < b}[form[:5]]
    kept = [(a, b) for a in span for b in span if inside(a, b) or ("DIAG" in form and a == b)]
    kept.sort(key=lambda pair: pair[::-1] if form.endswith("COL") else pair)
    numbers = " ".join(str(way.get((min(pair), max(pair)), 0)) for pair in kept)
    text = f"TYPE : TSP\nDIMENSION : 4\nEDGE_WEIGHT_TYPE : EXPLICIT\nEDGE_WEIGHT_FORMAT : {form}\n"
    path = written(tmp_path, f"{text}EDGE_WEIGHT_SECTION\n{numbers}\nEOF\n")
    case = read_visits(path)
    assert case.distance.tolist() == [[way.get((min(a, b), max(a, b)), 0) for b in span] for a in span]
    assert visit_faults(path, numbered("Route %1: 1 2 3\n"), set(), case.rounding) == []
