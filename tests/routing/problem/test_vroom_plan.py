"""Plan mode: given steps are timed as well as can be, and what they violate is said as VROOM says it."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest

from routing.errors import InvalidInput, Unsupported
from routing.plans.ortools.times import choose_times
from routing.problem.formats.vroom_plan import Apart, Moment, planned
from routing.problem.formats.vroom_plan_judge import plan_faults
from tests.kit.plans.vroom_plans import drawn_plan

LINE = [[abs(a - b) * 10 for b in range(4)] for a in range(4)]


def told(*steps: Any, **vehicle: Any) -> dict[str, Any]:
    """One vehicle at 0 with these steps ("job 1" or a dict); jobs 1 and 2 at 1 and 2, a shipment 9 from 2 to 3."""
    between = [{"type": s.split()[0], "id": int(s.split()[1])} if isinstance(s, str) else s for s in steps]
    own = {"id": 7, "start_index": 0, "end_index": 0, "capacity": [2], "time_window": [0, 1000], **vehicle}
    return {
        "vehicles": [{**own, "steps": [{"type": "start"}, *between, {"type": "end"}]}],
        "jobs": [
            {"id": 1, "location_index": 1, "service": 5, "delivery": [1], "time_windows": [[30, 40], [60, 70]]},
            {"id": 2, "location_index": 2, "delivery": [1], "skills": [3]},
        ],
        "shipments": [
            {"amount": [1], "pickup": {"id": 9, "location_index": 2}, "delivery": {"id": 9, "location_index": 3}}
        ],
        "matrices": {"car": {"durations": LINE, "distances": LINE}},
    }


def answered(data: dict[str, Any]) -> dict[str, Any]:
    said = planned(data, choose_times)
    assert plan_faults(data, said) == []
    return said


def times(said: dict[str, Any]) -> list[int]:
    return [step["arrival"] + step["waiting_time"] for step in said["routes"][0]["steps"]]


def causes(said: dict[str, Any]) -> dict[str, int | None]:
    return {one["cause"]: one.get("duration") for one in said["routes"][0]["violations"]}


def test_a_plan_that_breaks_nothing_is_short_and_then_early():
    # Job 1 opens at 30, ten seconds away: off at 20.  The shipment is in no step.
    said = answered(told("job 1"))
    assert times(said) == [20, 30, 45]
    assert (said["routes"][0]["violations"], said["summary"]["violations"]) == ([], [])
    assert [(one["type"], one["id"], one["reason"]) for one in said["unassigned"]] == [
        ("job", 2, "NOT_IN_STEPS"), ("pickup", 9, "NOT_IN_STEPS"), ("delivery", 9, "NOT_IN_STEPS")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (told("job 2"), {"skills": None}),
        (told("delivery 9"), {"precedence": None}),
        (told("delivery 9", "pickup 9"), {"precedence": None}),
        (told("pickup 9"), {"precedence": None}),
        (told("job 1", capacity=[0]), {"load": None}),
        (told("job 1", max_tasks=0), {"max_tasks": None}),
        (told("job 1", max_travel_time=19), {"max_travel_time": None}),
        (told("job 1", max_distance=9), {"max_distance": None}),
        (told("job 1", breaks=[{"id": 4}]), {"missing_break": None}),
        (told("break 4", "job 1", breaks=[{"id": 4, "max_load": [0]}]), {"max_load": None}),
        # The shift ends at 20: home at 25 at the soonest, if job 1 is served 20 s before its window.
        (told("job 1", time_window=[0, 20]), {"lead_time": 20, "delay": 5}),
        # 41 is one second behind the first window, 19 before the second.
        (told({"type": "job", "id": 1, "service_after": 41, "service_before": 59}), {"delay": 1}),
        (told({"type": "job", "id": 1, "service_at": 55}), {"lead_time": 5}),
        # Off again at 45 at the latest is not asked for: the break begins at 200, the vehicle is home before it.
        (told("job 1", "break 4", breaks=[{"id": 4, "time_windows": [[10, 12]]}]), {"lead_time": 18, "delay": 5}),
    ],
)
def test_violations_by_hand(data, expected):
    said = answered(data)
    total = sum(x for x in causes(said).values() if x is not None)
    if set(expected) == {"lead_time", "delay"}:  # which of the two takes it is a matter of being early
        assert total == sum(expected.values())
    else:
        assert causes(said) == expected
    assert said["summary"]["violations"] == said["routes"][0]["violations"]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda s: s.insert(1, s[1]), "vehicles[0].steps[2]"),
        (lambda s: s.insert(1, {"type": "job", "id": 5}), "vehicles[0].steps[1]"),
        (lambda s: s.insert(1, {"type": "break", "id": 5}), "vehicles[0].steps[1]"),
        (lambda s: s.insert(1, {"type": "start"}), "vehicles[0].steps[1]"),
        (lambda s: s.insert(1, {"type": "end"}), "vehicles[0].steps[1]"),
        (lambda s: s[1].update(service_at="noon"), "vehicles[0].steps[1].service_at"),
        (lambda s: s[1].update(service_after=9, service_before=8), "vehicles[0].steps[1]"),
        (lambda s: s[0].update(service_after=50) or s[1].update(service_before=59), "vehicles[0].steps[0]"),
        (lambda s: s[1].update(at=3), "vehicles[0].steps[1].at"),
    ],
)
def test_what_cannot_be_planned_is_named(change, names):
    data = told("job 1")
    change(data["vehicles"][0]["steps"])
    with pytest.raises((InvalidInput, Unsupported)) as caught:
        planned(data, choose_times)
    assert caught.value.details["field"] == names


def slow_times(steps: list[Moment], apart: list[Apart], end: int) -> tuple[int, int, int] | None:
    """The least (seconds outside of windows, length, sum of begins), all begins up to `end` tried."""
    best = None
    for at in itertools.product(range(end), repeat=len(steps)):
        if any(at[gap.then] < at[gap.first] + gap.seconds for gap in apart):
            continue
        if any(
            (s.least is not None and t < s.least) or (s.most is not None and t > s.most)
            for s, t in zip(steps, at, strict=True)
        ):
            continue
        missed = sum(
            min((max(a - t, t - b, 0) for a, b in s.windows), default=0) for s, t in zip(steps, at, strict=True)
        )
        found = missed, at[-1] - at[0], sum(at)
        best = found if best is None else min(best, found)
    return best


@pytest.mark.parametrize("seed", range(25))
def test_times_are_the_best_of_all_that_can_be_tried(seed):
    rng = random.Random(seed)
    steps = [Moment([], least=0)]
    for _ in range(3):
        spans = sorted(rng.sample(range(11), 4))
        windows = [(spans[0], spans[1]), (spans[2], spans[3])][: rng.randint(0, 2)]
        steps.append(Moment(windows, rng.choice([None, None, 3]), rng.choice([None, None, 7])))
    apart = [
        Apart(0, 1, rng.randint(0, 3)),
        Apart(1, 2, 0),
        Apart(2, 3, rng.randint(0, 2)),
        Apart(1, 3, rng.randint(0, 6)),
    ]
    best = slow_times(steps, apart, 14)
    at = choose_times(steps, apart)
    if best is None:
        assert at is None
        return
    assert at is not None
    missed = sum(min((max(a - t, t - b, 0) for a, b in s.windows), default=0) for s, t in zip(steps, at, strict=True))
    assert (missed, at[-1] - at[0], sum(at)) == best


@pytest.mark.parametrize("seed", range(40))
def test_vroom_itself_times_no_better(seed):
    vroom = pytest.importorskip("vroom")
    data = drawn_plan(random.Random(seed))
    model = vroom.Input()
    model._from_json(json.dumps(data), False)
    try:
        theirs = model.check(1).to_dict()
    except Exception as problem:  # its own kind
        if "Infeasible" not in str(problem):
            raise
        theirs = None
    try:
        ours = answered(data)
    except InvalidInput:
        assert theirs is None
        return
    if theirs is None:  # it has found no time for a step that we have
        return
    assert ours["summary"]["cost"] == theirs["summary"]["cost"]
    for mine, its in zip(ours["routes"], theirs["routes"], strict=True):
        assert standing(mine) <= standing(its)
        kinds = [{one["cause"] for one in route["violations"]} - {"delay", "lead_time"} for route in (mine, its)]
        assert kinds[0] == kinds[1]


def standing(route: dict[str, Any]) -> tuple[int, int]:
    """Seconds outside of windows, and length; the lower the better."""
    steps = route["steps"]
    missed = sum(one.get("duration", 0) for step in steps for one in step["violations"])
    return missed, steps[-1]["arrival"] + steps[-1].get("waiting_time", 0) - steps[0]["arrival"]


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["steps"][1].update(arrival=31),
        lambda r: r["steps"][1].update(violations=[]),
        lambda r: r.update(violations=[]),
        lambda r: r["steps"].pop(1),
        lambda r: r["steps"][1]["violations"][0].update(duration=4),
        lambda r: r["steps"][2]["violations"].append({"cause": "load"}),
        lambda r: r.update(duration=1),
    ],
)
def test_the_judge_of_plans_sees_what_is_wrong(change):
    data = told({"type": "job", "id": 1, "service_at": 55})
    said = answered(data)
    change(said["routes"][0])
    assert plan_faults(data, said) != []
