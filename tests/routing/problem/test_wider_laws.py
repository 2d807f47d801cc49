"""Laws and prices that only some problems have: hand-made cases, the naive twin, the audit, and broken plans."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.errors import InvalidProblem
from routing.problem.audit import judge
from routing.problem.build import make_problem, make_rows
from routing.problem.evaluate import Timeline, evaluate
from routing.problem.law import Law
from routing.problem.problem import Breaks, Mix, Problem, Reloads, Travel
from routing.problem.validate import check
from tests.kit.plans.naive_plan import naive_plan
from tests.kit.plans.wide_cases import FIELDS, wide_problem, wide_rows

PICK, DROP = 0, 1
DEPOT, WEST, EAST, DOOR, FAR = range(5)
SPOTS = np.array([0, 10, 30, 50, 90])
LINE = np.abs(SPOTS[:, None] - SPOTS[None, :])[None].astype(np.int32)
TRAVEL = Travel(LINE, 100 * LINE)
"""Depot, two stores and two doors on a line: a tick and a hundred metres per unit."""


def problem_of(**fields: object) -> Problem:
    """Two requests, west store to door and east store to far door, and two vehicles at the depot."""
    given = {
        "place": np.arange(5), "pick_place": [WEST, EAST], "drop_place": [DOOR, FAR], "start_place": [DEPOT, DEPOT],
        "skip_cost": 1000,
    } | fields  # fmt: skip
    problem = make_problem(**given)
    check(problem, TRAVEL)
    return problem


def one_word(problem: Problem, routes: list, travel: Travel = TRAVEL) -> Timeline:
    """The evaluator's word on a plan, after audit and twin have said the same."""
    rows = make_rows(routes)
    timeline, verdict = evaluate(problem, travel, rows), judge(problem, travel, rows)
    twin = naive_plan(problem, travel, rows)
    assert {violation.code for violation in verdict.violations} == twin.broken
    assert twin.broken == ({timeline.law.name.lower()} if timeline.law else set())
    if timeline.feasible:
        assert timeline.cost == verdict.cost == twin.cost and timeline.rank == verdict.rank == twin.rank
    return timeline


def pair(request: int, pick: int, drop: int) -> list:
    """Pickup and drop of a request, a stop each."""
    return [(pick, [(request, PICK)]), (drop, [(request, DROP)])]


FIRST, SECOND = pair(0, WEST, DOOR), pair(1, EAST, FAR)
BOTH = [FIRST[0], SECOND[0], FIRST[1], SECOND[1]]
"""Both requests on board between the east store and the door."""


@pytest.mark.parametrize(
    ("fields", "lawful", "broken", "law"),
    [
        ({"choice": [0, 0]}, [FIRST, []], [FIRST, SECOND], Law.CHOICE),
        ({"choice": [0, 0]}, [[], SECOND], [BOTH, []], Law.CHOICE),
        ({"goods": [0, 1], "mix": [[1, 0], [0, 1]]}, [FIRST + SECOND, []], [BOTH, []], Law.GOODS),
        ({"goods": [0, 1], "mix": [[2, 1], [1, 2]]}, [BOTH, []], [], Law.NONE),
        ({"goods": [0, 0], "mix": [[Mix.ONE_STOP]]}, [FIRST + SECOND, []], [BOTH, []], Law.GOODS),
        # Across vehicles: the first is at its door at tick 50, the second at the east store at 30 unless it waits.
        ({"precedence": [[0, 1]]}, [FIRST, []], [FIRST, SECOND], Law.PRECEDENCE),
        ({"precedence": [[0, 1]], "ready": [0, 50]}, [FIRST, SECOND], [[], SECOND], Law.PRECEDENCE),
        ({"precedence": [[0, 1]], "ready": [11, 50]}, [[], []], [FIRST, SECOND], Law.PRECEDENCE),
        ({"precedence": [[1, 0]]}, [SECOND + FIRST, []], [FIRST + SECOND, []], Law.PRECEDENCE),
        ({"precedence": [[1, 0]]}, [[], SECOND], [FIRST, SECOND], Law.PRECEDENCE),
        ({"max_used": 1}, [BOTH, []], [FIRST, SECOND], Law.FLEET),
        ({"min_used": 2}, [FIRST, SECOND], [BOTH, []], Law.FLEET),
        ({"max_stretch": [50, 90]}, [FIRST, SECOND], [SECOND, FIRST], Law.BREAKS),
    ],
)  # fmt: skip
def test_a_law_is_kept_or_named(fields, lawful, broken, law):
    problem = problem_of(**fields)
    assert one_word(problem, lawful).feasible
    assert law == Law.NONE or one_word(problem, broken).law == law


def test_a_choice_is_skipped_and_ranked_once():
    problem = problem_of(choice=[1, 1], rank=[7, 7], per_drive=0)
    nobody = one_word(problem, [[], []])
    assert (nobody.skip_cost, nobody.rank) == (1000, 7)
    west = one_word(problem, [FIRST, []])
    assert (west.skip_cost, west.rank) == (0, 0)
    apart = problem_of(choice=[-1, 1], rank=[7, 7], per_drive=0)
    assert one_word(apart, [[], []]).skip_cost == 2000


def test_linked_rows_share_a_stop_or_nobody_comes():
    # An exchange: the new one leaves the store, the old one comes back; both change hands at one stop.
    problem = problem_of(pick_place=[WEST, DOOR], drop_place=[DOOR, WEST], linked=[1, -1])
    swap = (DOOR, [(0, DROP), (1, PICK)])
    assert one_word(problem, [[(WEST, [(0, PICK)]), swap, (WEST, [(1, DROP)])], []]).feasible
    assert one_word(problem, [[], []]).feasible
    assert one_word(problem, [pair(0, WEST, DOOR), []]).law == Law.LINKED
    assert one_word(problem, [pair(0, WEST, DOOR), pair(1, DOOR, WEST)]).law == Law.LINKED
    # Twice at the door is no exchange either.
    assert one_word(problem, [pair(0, WEST, DOOR) + pair(1, DOOR, WEST), []]).law == Law.LINKED


def test_goods_on_board_at_the_start_ride_with_what_may_ride_with_them():
    fields = {"pick_place": [-1, EAST], "aboard_of": [0, -1], "goods": [0, 1], "mix": [[1, 0], [0, 1]]}
    problem = problem_of(**fields)
    assert one_word(problem, [[(DOOR, [(0, DROP)]), *SECOND], []]).feasible
    assert one_word(problem, [[*SECOND[:1], (DOOR, [(0, DROP)]), *SECOND[1:]], []]).law == Law.GOODS
    # What is loaded at the start is loaded together.
    loaded = problem_of(pick_place=[-1, -1], goods=[0, 1], mix=[[1, 0], [0, 1]])
    assert one_word(loaded, [[(DOOR, [(0, DROP)])], [(FAR, [(1, DROP)])]]).feasible
    assert one_word(loaded, [[(DOOR, [(0, DROP)]), (FAR, [(1, DROP)])], []]).law == Law.GOODS


def test_a_group_pays_for_each_trip_beyond_the_first():
    problem = problem_of(group=[0, 0], split_price=[70], per_drive=0)
    plans = ([BOTH, []], [FIRST + SECOND, []], [FIRST, SECOND], [FIRST, []])
    assert [one_word(problem, plan).other_cost for plan in plans] == [0, 70, 70, 0]


def test_pairs_and_the_longest_route_have_a_price():
    problem = problem_of(pair_price=[[1, 20], [300, 4000]], per_longest=10, per_drive=0)
    # 50 and 90 ticks from the depot to the last door
    assert one_word(problem, [FIRST, SECOND]).other_cost == 1 + 4000 + 900
    assert one_word(problem, [SECOND, FIRST]).other_cost == 300 + 20 + 900
    assert one_word(problem, [FIRST, []]).other_cost == 1 + 500


def test_a_kilometre_costs_by_what_is_on_board():
    # 1 km empty, 2 km with 3 units, 2 km with 3 + 5, 4 km with 5; 11 and 100 per unit and km
    problem = problem_of(load=[[3, 0], [0, 5]], capacity=[[9, 9], [9, 9]], per_load_km=[[11, 100], [0, 0]], per_drive=0)
    assert one_word(problem, [BOTH, []]).running_cost == 2 * 33 + 2 * (33 + 500) + 4 * 500
    # Cut once a route: 40 units at a hundred metres each are 4 kilometres' worth.
    fine = problem_of(load=[1, 1], per_load_km=[[1], [0]], per_drive=0)
    assert one_word(fine, [FIRST, []]).running_cost == 4


def test_a_reload_loads_what_comes_after_it():
    # Room for one: 50 ticks to the door, back, 5 + 2 ticks at the depot, not before 110, then 90 ticks.
    fields = {
        "pick_place": [-1, -1], "load": 1, "capacity": 1, "enter": [5, 0, 0, 0, 0], "exit": [2, 0, 0, 0, 0],
        "ready": [3, 110], "start_place": [DEPOT],
    }  # fmt: skip
    drops = [(DOOR, [(0, DROP)]), (FAR, [(1, DROP)])]
    with_reload = [drops[0], (DEPOT, []), drops[1]]
    problem = problem_of(**fields, reloads=Reloads([0, 1], [DEPOT], [1]))
    timeline = one_word(problem, [with_reload])
    assert timeline.feasible
    assert timeline.act_at.tolist() == [3 + 50, 110, 112 + 90]
    # Both at the start are too many; a stop at the depot is a reload only where the vehicle may.
    assert one_word(problem, [drops]).law == Law.CAPACITY
    assert one_word(problem_of(**fields), [with_reload]).law == Law.CAPACITY
    assert one_word(problem_of(**fields, reloads=Reloads([0, 1], [DEPOT], [0])), [with_reload]).law == Law.RELOAD
    assert one_word(problem_of(**fields, reloads=Reloads([0, 1], [WEST], [1])), [with_reload]).law == Law.CAPACITY


def test_a_reload_unloads_what_is_carried_to_the_end():
    # Two pickups of one unit each in a vehicle for one; goods taken in exchange come back too.
    picks = [(DOOR, [(0, PICK)]), (FAR, [(1, PICK)])]
    fields = {"pick_place": [DOOR, FAR], "drop_place": [-1, -1], "load": 1, "capacity": 1, "start_place": [DEPOT]}
    problem = problem_of(**fields, reloads=Reloads([0, 1], [DEPOT], [2]))
    assert one_word(problem, [[picks[0], (DEPOT, []), picks[1]]]).feasible
    assert one_word(problem, [picks]).law == Law.CAPACITY
    swaps = problem_of(
        pick_place=[-1, -1], load=1, load_back=[2, 1], capacity=2, start_place=[DEPOT],
        reloads=Reloads([0, 1], [DEPOT], [2]),
    )  # fmt: skip
    drops = [(DOOR, [(0, DROP)]), (FAR, [(1, DROP)])]
    assert one_word(swaps, [[drops[0], (DEPOT, []), drops[1]]]).feasible
    assert one_word(swaps, [drops]).law == Law.CAPACITY


def test_a_shipment_stays_on_board_over_a_reload():
    problem = problem_of(
        pick_place=[WEST, -1], drop_place=[FAR, DOOR], load=1, capacity=1, start_place=[DEPOT],
        reloads=Reloads([0, 1], [EAST], [2]),
    )  # fmt: skip
    route = [(WEST, [(0, PICK)]), (EAST, []), (DOOR, [(1, DROP)]), (FAR, [(0, DROP)])]
    assert one_word(problem, [route]).law == Law.CAPACITY
    assert one_word(problem._replace(capacity=problem.capacity + 1), [route]).feasible


@pytest.mark.parametrize(
    ("closes", "longest", "act_at"),
    [
        (1000, 50, [10, 30, 50, 97]),  # on the last leg: 50 and 40 ticks
        (1000, 49, None),
        (40, 60, [10, 30, 57, 97]),  # on the third one, begun at 30: 30 and 60
        (40, 59, None),
        (15, 80, [10, 37, 57, 97]),  # on the second one, begun at 10: 10 and 80
        (15, 79, None),
    ],
)
def test_stretches_lie_between_breaks(closes, longest, act_at):
    # 90 ticks of driving in legs of 10, 20, 20, 40; a leg counts after the break on it, which lasts 7.
    breaks = Breaks([0, 1], [[[0, closes]]], [7], [[9]])
    timeline = one_word(problem_of(start_place=[DEPOT], max_stretch=[longest], breaks=breaks), [BOTH])
    assert timeline.law == (Law.NONE if act_at else Law.BREAKS)
    assert act_at is None or timeline.act_at.tolist() == act_at


def test_a_row_of_a_choice_stands_for_the_others_in_a_precedence():
    problem = make_problem(
        place=np.arange(5), pick_place=[WEST, EAST, EAST], drop_place=[DOOR, DOOR, FAR], start_place=[DEPOT],
        choice=[0, 0, -1], precedence=[[0, 2]],
    )  # fmt: skip
    last = pair(2, EAST, FAR)
    assert one_word(problem, [pair(1, EAST, DOOR) + last]).feasible
    assert one_word(problem, [last + pair(1, EAST, DOOR)]).law == Law.PRECEDENCE
    assert one_word(problem, [last]).law == Law.PRECEDENCE


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"choice": [0, 2]}, "choice"),
        ({"choice": [0, 0], "skip_cost": [1, 2]}, "skip_cost"),
        ({"choice": [0, 0], "rank": [1, 2]}, "rank"),
        ({"choice": [0, 0], "pick_place": [-1, EAST], "aboard_of": [0, -1]}, "choice"),
        ({"linked": [1, -1]}, "linked"),
        ({"linked": [0, -1]}, "linked"),
        ({"linked": [5, -1]}, "linked"),
        ({"linked": [1]}, "linked"),
        ({"goods": [0, 1]}, "goods"),
        ({"mix": [[1]]}, "mix"),
        ({"goods": [0, 1], "mix": [[1]]}, "goods"),
        ({"goods": [0, 1], "mix": [[1, 0], [1, 1]]}, "mix"),
        ({"goods": [0, 0], "mix": [[3]]}, "mix"),
        ({"group": [0, 0]}, "group"),
        ({"split_price": [1]}, "split_price"),
        ({"group": [0, 1], "split_price": [1]}, "group"),
        ({"group": [0, 0], "split_price": [-1]}, "split_price"),
        ({"pair_price": [[1, 1]]}, "pair_price"),
        ({"pair_price": [[1, 1], [1, -1]]}, "pair_price"),
        ({"per_load_km": -1}, "per_load_km"),
        ({"precedence": [[0, 2]]}, "precedence"),
        ({"precedence": [[1, 1]]}, "precedence"),
        ({"precedence": [0, 1]}, "precedence"),
        ({"min_used": 3}, "min_used"),
        ({"min_used": 2, "max_used": 1}, "min_used"),
        ({"per_longest": -1}, "per_longest"),
        ({"max_stretch": [-1, 0]}, "max_stretch"),
        ({"reloads": Reloads([0, 1], [DEPOT], [1, 1])}, "reloads.ptr"),
        ({"reloads": Reloads([0, 1, 1], [9], [1, 1])}, "reloads.place"),
        ({"reloads": Reloads([0, 1, 1], [DEPOT], [1])}, "reloads.most"),
        ({"reloads": Reloads([0, 1, 1], [DEPOT], [1, -1])}, "reloads.most"),
        ({"reloads": Reloads([], [DEPOT], [])}, "reloads.ptr"),
    ],
)  # fmt: skip
def test_contradictions_are_named(change, field):
    with pytest.raises(InvalidProblem) as caught:
        problem_of(**change)
    assert caught.value.details["field"] == field


def test_grams_need_metres():
    with pytest.raises(InvalidProblem, match="metres"):
        check(problem_of(per_load_km=1), Travel(LINE, np.zeros((0, 0, 0), dtype=np.int32)))


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    fields=st.sets(st.sampled_from(FIELDS), max_size=4),
    rich=st.booleans(),
    sane=st.booleans(),
)
def test_evaluator_audit_and_twin_agree(seed, fields, rich, sane):
    problem, travel = wide_problem(seed, sorted(fields), rich=rich)
    check(problem, travel)
    rng = np.random.default_rng(seed)
    for rows in [wide_rows(rng, problem, sane=sane) for _ in range(3)]:
        timeline, verdict = evaluate(problem, travel, rows), judge(problem, travel, rows)
        twin, names = naive_plan(problem, travel, rows), {violation.code for violation in verdict.violations}
        assert timeline.feasible == (not names) == (not twin.broken)
        if timeline.feasible:
            assert (timeline.cost, timeline.rank) == (verdict.cost, verdict.rank) == (twin.cost, twin.rank)
        else:
            assert (timeline.law.name.lower(), timeline.vehicle) in {(v.code, v.vehicle) for v in verdict.violations}
        assert "malformed" in names or names == twin.broken
