"""Figures of the solver's table: medians over seeds that are complete."""

from __future__ import annotations

import pytest

from benchmarks.paper.table import at_best_known, fleet_ratio


def line(instance: str, seed: int, vehicles: int, distance: float = 100.0) -> dict[str, object]:
    return {
        "row": "lilim-200", "instance": instance, "solver": "halfhour", "seed": seed, "clock": "wall",
        "law": "NONE", "unserved": 0, "vehicles": vehicles, "best_known_vehicles": 4, "distance": distance,
        "best_known": 100.0,
    }  # fmt: skip


def test_a_seed_that_is_not_through_yet_counts_for_nothing():
    whole = [line("a", 1, 4), line("b", 1, 5), line("c", 1, 4, 102.0)]
    assert at_best_known([*whole, line("a", 2, 5)]) == (2, 3, pytest.approx(1.0))
    assert fleet_ratio([*whole, line("a", 2, 5)]) == pytest.approx(13 / 12)


def test_medians_are_over_seeds():
    lines = [line("a", 1, 4), line("b", 1, 5), line("a", 2, 4), line("b", 2, 4), line("a", 3, 5), line("b", 3, 5)]
    assert at_best_known(lines)[:2] == (1, 2)
    assert fleet_ratio(lines) == pytest.approx(9 / 8)


def test_no_lines_make_no_figure():
    assert at_best_known([]) == (0, 0, None)
    assert fleet_ratio([]) is None
