"""CO2 against lateness: days are run once, and only days that were run at every price are compared."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest

from benchmarks.days import co2_curve
from benchmarks.days.co2_curve import by_price, drawn, of_whole_days, page
from routing.errors import InvalidInput


def row(seed: int, price: int, grams: float, late: float = 60.0) -> dict[str, str]:
    figures = {"co2_g_per_order": grams, "lateness_mean_s": late, "on_time_share": 0.9, "driven_m_per_order": 2_000}
    said = {"orders": 20, "riders": 85, "seed": seed, "price": price, **figures, "click_to_door_mean_s": 1_500}
    return {key: str(value) for key, value in said.items()}


ROWS = [row(1, 0, 100), row(1, 50, 90, 70), row(2, 0, 60), row(2, 50, 54, 66), row(3, 0, 900)]
"""The third day was left off before its second price: alone it would turn the curve round."""


def test_a_day_that_lacks_a_price_is_not_compared() -> None:
    whole = of_whole_days(ROWS)
    assert {one["seed"] for one in whole} == {"1", "2"}
    assert by_price(whole, "co2_g_per_order") == {0: {"1": 100.0, "2": 60.0}, 50: {"1": 90.0, "2": 54.0}}
    assert len({frozenset(days) for days in by_price(whole, "lateness_mean_s").values()}) == 1
    text = page(whole, "c.csv", "c.svg")
    # (100 + 60) / 2 = 80 and (90 + 54) / 2 = 72; the differences are -10 and -6.
    assert "| 0 | 80.0 |" in text and "| 50 | 72.0 | -8.0 ± " in text and "seeds 1, 2;" in text
    assert statistics.mean([-10, -6]) == -8


def test_without_a_whole_day_nothing_is_said() -> None:
    with pytest.raises(InvalidInput) as refused:
        of_whole_days([row(1, 0, 100), row(2, 50, 90)])
    assert refused.value.hint
    with pytest.raises(InvalidInput):
        of_whole_days([])


def test_the_picture_has_a_point_for_each_price_and_stays_inside() -> None:
    text = drawn(of_whole_days(ROWS))
    assert text.count("<circle") == 2 and text.startswith("<svg")
    spots = [part.split('"')[1:4:2] for part in text.split("<circle ")[1:]]
    assert all(60 <= float(x) <= 600 and 20 <= float(y) <= 290 for x, y in spots)


def test_a_finished_day_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[int, int]] = []

    def run_day(scenario: Any, price: int, seed: int) -> dict[str, Any]:
        ran.append((seed, price))
        assert scenario == (20, 85, seed)
        made = row(seed, price, 100 - price)
        return {key: made[key] for key in (*co2_curve.FIGURES,)}

    monkeypatch.setattr(co2_curve, "run_day", run_day)
    monkeypatch.setattr(co2_curve, "opened", lambda folder, orders, riders, seed: (orders, riders, seed))
    out = tmp_path / "curve"
    words = ["--orders", "20", "--out", str(out)]
    assert co2_curve.main([*words, "--prices", "0,50", "--seeds", "1,2"]) == 0
    assert co2_curve.main([*words, "--prices", "0,50", "--seeds", "2,3"]) == 0
    assert ran == [(1, 0), (1, 50), (2, 0), (2, 50), (3, 0), (3, 50)]
    assert "seeds 1, 2, 3;" in out.with_suffix(".md").read_text()
    # One price more, of one day alone: the page keeps to what all its rows share.
    assert co2_curve.main([*words, "--prices", "10", "--seeds", "2"]) == 0
    assert "seeds 2;" in out.with_suffix(".md").read_text() and out.with_suffix(".svg").exists()
