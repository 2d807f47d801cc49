"""One process and two find the same, and the floors are floors."""

from __future__ import annotations

import json
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.lab import side_by_side
from benchmarks.lab.side_by_side import holds, invent, timed


def threads(on: str) -> object:
    def make(jobs: int) -> Executor:
        return ThreadPoolExecutor(jobs)

    return make


def test_ways_are_compared_run_by_run_but_for_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "executor_maker", threads)
    file = invent(tmp_path, 1, 20)
    alone_s, alone = timed(file, tmp_path / "alone", 1)
    _, together = timed(file, tmp_path / "together", 1)
    assert alone == together and len(alone) == 4 and alone_s > 0
    run = next((tmp_path / "together" / "runs").iterdir())
    summary = json.loads(run.read_text())
    run.write_text(json.dumps(summary | {"run_wall_s": 1e9}))
    assert side_by_side._digest(run) == alone[run.stem]
    run.write_text(json.dumps(summary | {"delivered": -1}))
    assert side_by_side._digest(run) != alone[run.stem]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"equal": True, "times_as_fast": 1.7}, True),
        ({"equal": True, "times_as_fast": 1.69}, False),
        ({"equal": False, "times_as_fast": 1.9}, False),
        ({"equal": True, "times_as_fast": 1.8, "cluster_equal": True, "cluster_times_as_fast": 1.6}, True),
        ({"equal": True, "times_as_fast": 1.8, "cluster_equal": True, "cluster_times_as_fast": 1.59}, False),
        ({"equal": True, "times_as_fast": 1.8, "cluster_equal": False, "cluster_times_as_fast": 1.8}, False),
    ],
)
def test_a_floor_that_is_missed_is_no_success(found: dict[str, object], expected: bool) -> None:
    assert holds(found) is expected
