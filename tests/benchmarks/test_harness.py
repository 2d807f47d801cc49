"""The harness measures what it says, in turn, and refuses what does not repeat."""

from __future__ import annotations

import itertools

import pytest

from benchmarks.harness import Case, NotRepeatable, Sample, Spread, Stopwatch, measure, report

QUICK = Stopwatch(settle=int)
"""Without a sweep of the whole heap before each run."""


class Ticking:
    """A clock that every run of a case moves on by as much as it likes."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_medians_and_spread_of_the_repeats_without_the_warm_up():
    wall, cpu = Ticking(), Ticking()
    costs = itertools.chain([100.0, 100.0], [3.0, 1.0, 2.0])  # warm-up, memory pass, three repeats

    def work():
        cost = next(costs)
        wall.now += 2 * cost
        cpu.now += cost
        return Sample({"steps": 7}, amount=10)

    (measured,) = measure([Case("a", lambda: work, repeats=3, unit="steps")], clock=Stopwatch(wall, cpu, int))
    assert measured.cpu_s == Spread(2.0, 1.0, 3.0)
    assert measured.wall_s == Spread(4.0, 2.0, 6.0)
    assert measured.rate == 5.0
    assert measured.peak_mib is not None


def test_cases_run_in_turn():
    order = []

    def case(name, repeats):
        def work():
            order.append(name)
            return Sample()

        return Case(name, lambda: work, repeats=repeats, memory=False)

    measure([case("a", 3), case("b", 2)], clock=QUICK)
    assert "".join(order) == "ab" + "ab" + "ab" + "a"


@pytest.mark.parametrize("field", ["counters", "quality"])
def test_a_case_that_does_not_repeat_is_refused(field):
    runs = itertools.count()
    with pytest.raises(NotRepeatable, match="two runs differ"):
        measure([Case("a", lambda: lambda: Sample(**{field: {"x": next(runs)}}))], clock=QUICK)


def test_memory_of_the_work_is_seen():
    def work():
        return Sample({"bytes": len(bytearray(8 * 2**20))})

    (measured,) = measure([Case("a", lambda: work)], repeats=1, clock=QUICK)
    assert 8 <= measured.peak_mib < 9


def test_a_report_says_what_was_measured_on_what():
    measured = measure([Case("a", lambda: lambda: Sample({"n": 1}, {"cost": 2.5}))], repeats=2, clock=QUICK)
    made = report("quick", measured)
    assert made["cases"]["a"]["counters"] == {"n": 1}
    assert made["cases"]["a"]["quality"] == {"cost": 2.5}
    assert made["cases"]["a"]["repeats"] == 2
    assert {"commit", "python", "numpy", "numba", "ortools", "halfhour", "processor"} <= made["versions"].keys()
