"""Days by scarcity: VROOM in our place plans whole days lawfully, and the page says what was measured."""

from __future__ import annotations

import pytest

from benchmarks import city_days


def test_effort_counts_driving_lateness_and_what_never_arrives() -> None:
    # 3 delivered: 100 s driven and 20 s late each; 1 lost counts an hour late: (3 (100 + 3 x 20) + 3 x 3600) / 4.
    summary = {"delivered": 3, "undelivered": 1, "lateness_mean_s": 20.0, "driven_s_per_order": 100.0}
    assert city_days.effort_s(summary) == (3 * 160 + 10_800) / 4


def test_vroom_answers_every_round_of_a_day_and_days_are_not_run_twice(tmp_path, monkeypatch, capsys) -> None:
    pytest.importorskip("vroom")
    asked = ["--orders", "20", "--riders", "50", "--seeds", "3", "--policies", "nearest;vroom"]
    out = tmp_path / "days"
    assert city_days.main([*asked, "--out", str(out)]) == 0
    rows = city_days.read_rows(out.with_suffix(".csv"))
    assert [row["policy"] for row in rows] == ["nearest", "vroom"]
    # Half of the riders are scarce: the day has rounds in which all that there is was told, and some with too much.
    assert int(rows[1]["vroom_asked"]) > 20
    assert rows[1]["vroom_overruled"] == "0"
    assert float(rows[1]["effort_s_per_order"]) < float(rows[0]["effort_s_per_order"])
    page = out.with_suffix(".md").read_text()
    assert "## 50 % of the riders, 20 orders, seeds 3" in page
    assert "VROOM may search 2 wall seconds a round." in page

    monkeypatch.setattr(city_days, "run_day", None)
    capsys.readouterr()
    assert city_days.main([*asked, "--out", str(out)]) == 0
    assert capsys.readouterr().out == ""
