"""Small problems: the optimum by hand, every kind drawn and solved, the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.small.__main__ import SmallResult, main, page, solved
from benchmarks.small.kinds import KINDS, small_problem
from benchmarks.small.optimum import optimum
from routing.problem.build import make_problem
from routing.problem.problem import NO_BLOCK, Reloads, Travel

LINE = np.abs(np.subtract.outer(np.arange(5), np.arange(5))).astype(np.int32)[None] * 10


def test_the_optimum_by_hand():
    # Customers at 10, 20, 30, 40 of a line, two units of room: 2 x 40 + 2 x 20 by two vehicles or in two trips.
    given = {
        "place": range(5), "pick_place": [-1] * 4, "drop_place": [1, 2, 3, 4], "load": [[1]] * 4, "per_drive": 1,
        "skip_cost": 1000,
    }  # fmt: skip
    travel = Travel(LINE, NO_BLOCK)
    two = make_problem(**given, start_place=[0, 0], end_place=[0, 0], capacity=[[2]] * 2)
    assert optimum(two, travel) == (0, 120)
    one = make_problem(**given, start_place=[0], end_place=[0], capacity=[[2]])
    assert optimum(one, travel) == (0, 40 + 2 * 1000)
    often = Reloads(*(np.array(values, dtype=np.int32) for values in ([0, 1], [0], [9])))
    assert optimum(one._replace(reloads=often), travel) == (0, 120)
    ranked = make_problem(**given | {"skip_cost": 0}, rank=[9, 1, 1, 1], start_place=[0], end_place=[0], capacity=[[2]])
    assert optimum(ranked, travel) == (2, 40)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_solved(kind):
    one = solved(kind, 0, time_limit=None, work=1500)
    assert one.lawful
    assert one.is_optimal, (one.found, one.best)


def test_kinds_are_drawn_anew_from_each_seed():
    first, second = (small_problem("plain", seed).travel.ticks for seed in (0, 1))
    assert (first != second).any()
    assert (first == small_problem("plain", 0).travel.ticks).all()
    assert len(KINDS) == 21


def test_the_page(tmp_path: Path):
    results = [SmallResult("a", (0, 101), (0, 100), True), SmallResult("a", (0, 100), (0, 100), True)]
    results += [SmallResult("b", (5, 90), (4, 100), True), SmallResult("b", (0, 100), (0, 100), False)]
    said = page(results, "1 s", "--time-limit 1")
    assert "| a | 1 of 2 | 0 | 0.50 % |" in said
    assert "| b | 0 of 2 | 1 | 0.00 % |" in said
    assert "| **all** | 1 of 4 | 1 | 0.33 % |" in said
    path = tmp_path / "page.md"
    assert main(["--kinds", "skills", "--seeds", "1", "--work", "300", "--page", str(path)]) == 0
    assert "| skills | " in path.read_text()
