"""When the steps of a route begin, exactly: CP-SAT over whole seconds."""

from __future__ import annotations

from collections.abc import Sequence

from ortools.sat.python import cp_model

from routing.problem.formats.vroom_checks import INSTANT
from routing.problem.formats.vroom_plan import Apart, Moment


def choose_times(steps: Sequence[Moment], apart: Sequence[Apart]) -> list[int] | None:
    """The begin of every step; None where `least` and `most` of all cannot be kept together.

    Least in this order: seconds outside of windows, seconds from the first step to the last, the sum of all begins.
    """
    known = [x for step in steps for x in (step.least, step.most, *_ends(step)) if x is not None]
    slack = sum(gap.seconds for gap in apart) + 1
    first, last = min(known, default=0) - slack, max(known, default=0) + slack
    model = cp_model.CpModel()
    at = [model.new_int_var(_within(step.least, first) - first, _within(step.most, last) - first, "") for step in steps]
    for gap in apart:
        model.add(at[gap.then] >= at[gap.first] + gap.seconds)
    missed = [_missed(model, step, here, first, last) for step, here in zip(steps, at, strict=True)]
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    for goal in (sum(missed), at[-1] - at[0], sum(at)):
        model.minimize(goal)
        if solver.solve(model) != cp_model.OPTIMAL:
            return None
        model.add(goal <= round(solver.objective_value))
        model.clear_hints()
        for variable in at:
            model.add_hint(variable, solver.value(variable))
    return [solver.value(variable) + first for variable in at]


def _missed(model: cp_model.CpModel, step: Moment, at: cp_model.IntVar, first: int, last: int) -> cp_model.LinearExprT:
    """Seconds between a step and the window that is chosen for it."""
    if not step.windows:
        return 0
    seconds = model.new_int_var(0, last - first, "")
    chosen = [model.new_bool_var("") for _ in step.windows]
    model.add_exactly_one(chosen)
    for (opens, closes), this in zip(step.windows, chosen, strict=True):
        if opens > -INSTANT:
            model.add(seconds >= opens - first - at).only_enforce_if(this)
        if closes < INSTANT:
            model.add(seconds >= at - (closes - first)).only_enforce_if(this)
    return seconds


def _ends(step: Moment) -> list[int]:
    return [x for window in step.windows for x in window if abs(x) < INSTANT]


def _within(bound: int | None, otherwise: int) -> int:
    return otherwise if bound is None else bound
