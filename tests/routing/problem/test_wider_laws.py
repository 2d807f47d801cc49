"""Laws and prices that only some problems have: hand-made cases, the naive twin, the audit, and broken plans."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.problem.audit import judge
from routing.problem.evaluate import evaluate
from routing.problem.validate import check
from tests.kit.plans.naive_plan import naive_plan
from tests.kit.plans.wide_cases import FIELDS, wide_problem, wide_rows


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
    for rows in [wide_rows(rng, problem, sane=sane) for _ in range(4)]:
        timeline, verdict, twin = (
            evaluate(problem, travel, rows),
            judge(problem, travel, rows),
            naive_plan(problem, travel, rows),
        )
        names = {violation.code for violation in verdict.violations}
        assert timeline.feasible == (not names) == (not twin.broken)
        if timeline.feasible:
            assert (timeline.cost, timeline.rank) == (verdict.cost, verdict.rank) == (twin.cost, twin.rank)
        else:
            assert (timeline.law.name.lower(), timeline.vehicle) in {(v.code, v.vehicle) for v in verdict.violations}
        if "malformed" not in names:
            assert names == twin.broken
