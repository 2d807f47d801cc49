"""VROOM inputs answered as `halfhour solve` answers them, judged before a test looks."""

from __future__ import annotations

from typing import Any

from routing.plans.budget import Budget
from routing.plans.plan import plan_routes
from routing.problem.audit import audit
from routing.problem.formats.vroom import vroom_case
from routing.problem.formats.vroom_answer import write_vroom
from routing.problem.formats.vroom_judge import faults


def answer(data: dict[str, Any], work: int = 3000) -> dict[str, Any]:
    """What `halfhour solve` writes, judged by the audit and by the judge who knows the input alone."""
    case = vroom_case(data)
    solution = plan_routes(case.problem, case.travel, budget=Budget(work))
    assert audit(case.problem, case.travel, solution) == []
    said = write_vroom(case, solution)
    assert faults(data, said) == []
    return said
