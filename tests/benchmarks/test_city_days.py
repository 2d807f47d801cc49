"""Days by scarcity: VROOM in our place plans whole days lawfully, and the page says what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.days import city_days, contenders
from benchmarks.days.city_days_page import as_shipped, frontier, page
from dispatch.settings.settings import Settings


def test_effort_counts_driving_lateness_and_what_never_arrives() -> None:
    # 3 delivered: 100 s driven and 20 s late each; 1 lost counts an hour late: (3 (100 + 3 x 20) + 3 x 3600) / 4.
    summary = {"delivered": 3, "undelivered": 1, "lateness_mean_s": 20.0, "driven_s_per_order": 100.0}
    assert city_days.effort_s(summary) == (3 * 160 + 10_800) / 4


def test_vroom_answers_every_round_of_a_day_and_days_are_not_run_twice(tmp_path, monkeypatch, capsys) -> None:
    pytest.importorskip("vroom")
    asked = ["--orders", "20", "--riders", "50", "--seeds", "3", "--policies", f"nearest;{contenders.VROOM}"]
    out = tmp_path / "days"
    assert city_days.main([*asked, "--out", str(out)]) == 0
    rows = city_days.read_rows(out.with_suffix(".csv"))
    assert [row["policy"] for row in rows] == ["nearest", contenders.VROOM]
    # Half of the riders are scarce: the day has rounds in which all that there is was told, and some with too much.
    assert int(rows[1]["vroom_asked"]) > 20
    assert rows[1]["vroom_overruled"] == "0"
    assert float(rows[1]["effort_s_per_order"]) < float(rows[0]["effort_s_per_order"])
    text = out.with_suffix(".md").read_text()
    assert "## 50 % of the riders, 20 orders" in text
    assert "VROOM may search 30 wall seconds a round." in text

    monkeypatch.setattr(city_days, "run_day", None)
    capsys.readouterr()
    assert city_days.main([*asked, "--out", str(out)]) == 0
    assert capsys.readouterr().out == ""


def day(name: str, seed: int, kept: float) -> dict[str, str]:
    """A row of the table in which everything but the kept promises is 60."""
    row = dict.fromkeys(
        [*city_days.FIELDS, "effort_s_per_order", "click_to_door_max_s", "changes_per_rider_hour"], "60"
    )
    row |= {f"vroom_{field}": "1" for field in ("asked", "wall_s", "cut_short", "overruled", "round_s")}
    return row | {"orders": "150", "riders": "85", "seed": str(seed), "policy": name, "on_time_share": str(kept)}


def test_what_ships_comes_first_and_is_compared_over_the_days_that_both_have() -> None:
    kept = {contenders.VROOM: (0.6, 0.8, 0.0), contenders.AS_SHIPPED: (0.7, 1.0)}
    rows = [day(name, seed, share) for name, shares in kept.items() for seed, share in enumerate(shares)]
    lines = page(rows, "days.csv").splitlines()
    means = [line for line in lines if line.startswith(("| **halfhour, as shipped**", "| vroom, as published"))]
    assert [line.split(" | ")[1:3] for line in means] == [["2", "85.0"], ["3", "46.7"]]
    # Differences of 10 and 20 points: mean 15, half interval 12.706 x sqrt(50 / 2).
    (paired,) = [line for line in lines if line.startswith("| halfhour, as shipped - vroom")]
    assert paired.split(" | ")[1:3] == ["2", "+15.0 ±63.5"]


def test_a_row_whose_settings_have_changed_is_run_again(tmp_path: Path) -> None:
    usual = Settings()
    assert city_days.digest_of(usual) == city_days.digest_of(
        usual.with_values({"search.seed": 7, "preset": "balanced"})
    )
    assert city_days.digest_of(usual) != city_days.digest_of(usual.with_values({"prices.late_fixed": 1}))
    table = tmp_path / "days.csv"
    for settings in ("old", "new"):
        city_days.add_row(table, {"orders": 1, "riders": 2, "seed": 3, "policy": "nearest", "settings": settings})
    assert [row["settings"] for row in city_days.read_rows(table)] == ["new"]


def test_what_our_search_is_told_names_only_rows_that_search() -> None:
    usual = Settings()
    longer = usual.with_values({"search.work_per_order": 10_000})
    for name in contenders.CONTENDERS:
        same = city_days.named(usual, name) == city_days.named(longer, name)
        assert same == (name.startswith(("vroom", "batch", "nearest")) or name == "halfhour, insertion"), name


def test_tables_of_other_pages_hold_only_the_days_that_all_their_rows_have() -> None:
    names = [contenders.AS_SHIPPED, contenders.VROOM, contenders.VROOM_STAR]
    rows = [day(name, seed, 0.5) for name in names for seed in (1, 2)][:-1]
    assert [line.split(" | ")[2] for line in as_shipped(rows).splitlines()[2:]] == ["1", "1", "1"]
    assert frontier(rows).splitlines()[2:] == []
