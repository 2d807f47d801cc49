"""The gate on real work: a search that does it twice, a policy that got worse, and the same thing again."""

from __future__ import annotations

import pytest

from benchmarks import gate
from benchmarks.cases.days import KPIS, replayed
from benchmarks.cases.rounds import COST
from benchmarks.harness import Case, Sample, measure, report
from benchmarks.inputs.synthetic_days import Size, busy_round, day
from dispatch.rounds.solve import solve

SMALL = Size(orders=40, riders=8, stores=6, hours=1.0)
RULES = {"rules__round_mode": "beat", "rules__round_s": 60}


@pytest.fixture(scope="module")
def made():
    return busy_round(8, 24)


def reported(name, work, bounds):
    return report("quick", measure([Case(name, lambda: work, bounds=bounds, memory=False)], repeats=2))


def search(made, work_per_order):
    frozen = made.frozen._replace(settings=made.frozen.settings.with_values({"search.work_per_order": work_per_order}))

    def work():
        solution = solve(frozen, made.travel, recipe="lns")
        return Sample({"tried": solution.work}, {"cost": float(solution.cost)})

    return reported("search", work, COST)


def test_the_same_search_passes_and_double_work_does_not(made):
    baseline = gate.baseline_of(search(made, 200))
    assert gate.compare(search(made, 200), baseline) == []
    caught = [finding for finding in gate.compare(search(made, 400), baseline) if finding.fails]
    assert [finding.text.split(":")[0] for finding in caught] == ["work counter tried"]


def test_a_worsened_policy_is_caught():
    def replay(policy, recipe=None):
        return reported("day", lambda: replayed(day(SMALL, **RULES), policy, recipe), KPIS)

    baseline = gate.baseline_of(replay("halfhour", "insertion"))
    assert gate.compare(replay("halfhour", "insertion"), baseline) == []
    caught = [finding.text for finding in gate.compare(replay("nearest"), baseline) if finding.fails]
    assert any("click_to_door_mean_s" in text and text.endswith("worse") for text in caught)
