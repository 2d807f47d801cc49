"""What the default costs: each case once under each settings, set against one store a trip and against 0.1.0."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.days import default_cpu, mixed_promises
from benchmarks.days.city_days import digest_of
from dispatch.settings.settings import Settings
from routing.errors import HalfhourError

ROUND = "round, 500 riders, 1,000 orders"


def row(case: str, settings: str, cpu_s: float) -> dict[str, str]:
    digest = digest_of(Settings().with_values(default_cpu.SETTINGS[settings]))
    return {"case": case, "settings": settings, "digest": digest, "cpu_s": str(cpu_s), "processor": "a processor"}


def test_what_ships_stands_first_and_over_both_others() -> None:
    lines = default_cpu.page(
        [row(ROUND, name, cpu_s) for name, cpu_s in zip(default_cpu.SETTINGS, (2.0, 1.0, 0.5), strict=True)]
        + [row("city days, 150 orders", default_cpu.AS_SHIPPED, 8.0)],
        "cpu.csv",
    ).splitlines()
    (found,) = [line for line in lines if line.startswith(f"| {ROUND}")]
    assert found == f"| {ROUND} | 2.000 | 1.000 | 0.500 | 2.0 | 4.0 |"
    assert "| city days, 150 orders | 8.000 |  |  |  |  |" in lines
    assert any("2.00 s, within half of `rules.round_deadline_s` (5 s)" in line for line in lines)
    assert "beyond half" in default_cpu.page([row(ROUND, default_cpu.AS_SHIPPED, 2.51)], "cpu.csv")
    assert not any("as it was before" in line for line in lines)


def test_a_case_that_ran_under_earlier_prices_is_marked() -> None:
    earlier = row(ROUND, default_cpu.AS_SHIPPED, 2.0) | {"digest": "of before"}
    lines = default_cpu.page([earlier, row("city days, 150 orders", default_cpu.AS_SHIPPED, 8.0)], "c.csv").splitlines()
    assert any(line.startswith(f"| {ROUND} * |") for line in lines)
    assert "| city days, 150 orders | 8.000 |  |  |  |  |" in lines
    assert "\\* under the prices of the preset as it was before." in lines


def test_a_case_is_run_once_as_long_as_its_settings_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def run(values: default_cpu.Values) -> dict[str, float]:
        asked.append(dict(values))
        return {"cpu_s": 1.0}

    monkeypatch.setattr(default_cpu, "CASES", {"round, small": run, "day": run})
    monkeypatch.setattr(default_cpu, "warm_up_rounds", lambda: None)
    for _ in range(2):
        assert default_cpu.main(["--cases", "round", "--out", str(tmp_path / "cpu")]) == 0
    assert [one["rules.mix"] for one in asked] == ["any", "same_store", "same_store"]
    assert asked[2]["prices.late_from"] == "placement" and asked[0]["prices.late_from"] == "promise"
    assert Settings().with_values(asked[0]) == Settings()
    changed = {**default_cpu.SETTINGS, default_cpu.AS_SHIPPED: {**asked[0], "prices.late_fixed": 1}}
    monkeypatch.setattr(default_cpu, "SETTINGS", changed)
    default_cpu.main(["--cases", "round", "--out", str(tmp_path / "cpu")])
    assert [one["prices.late_fixed"] for one in asked[3:]] == [1]
    assert len(default_cpu.rows_of(tmp_path / "cpu.csv")) == 3


def test_cases_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(HalfhourError, match="no case begins with 'nonsense'"):
        default_cpu.main(["--cases", "nonsense", "--out", str(tmp_path / "cpu")])


def test_shares_of_a_promise_are_set_against_days_where_all_have_it() -> None:
    def day(policy: str, seed: int, **kept: str) -> dict[str, str]:
        shares = {f"kept_{promise}": kept.get(f"kept_{promise}", "") for promise in mixed_promises.PROMISES}
        return {"orders": "150", "riders": "85", "seed": str(seed), "policy": policy, **shares}

    mixed = {f"kept_{promise}": "0.8" for promise in mixed_promises.PROMISES}
    rows = [day(mixed_promises.MIXED, seed, **mixed) for seed in (1, 2)]
    rows += [day(str(p), seed, **{f"kept_{p}": "0.9"}) for p in mixed_promises.PROMISES for seed in (1, 2)]
    lines = mixed_promises.page(rows, "mixed.csv").splitlines()
    assert [line for line in lines if line.endswith("| 80.0 | 90.0 | -10.0 |")] == lines[-4:]
