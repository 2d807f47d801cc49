"""Text files of the field: read as published, refused by name, judged against the file alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from routing.errors import UnreadableFile
from routing.plans.budget import Budget
from routing.plans.plan import plan_routes
from routing.problem.audit import audit
from routing.problem.formats import text_judge
from routing.problem.formats.lilim import distance_of, read_lilim, read_sartori, write_routes
from tests.kit.data import folder, needs_data

# Depot 0 at the origin; two requests on a line to the east: 1 -> 2 and 3 -> 4.
LILIM = """2 10 1
0 0 0 0 0 1000 0 0 0
1 10 0 4 0 1000 5 0 2
2 20 0 -4 0 1000 5 1 0
3 30 0 6 0 1000 5 0 4
4 40 0 -6 0 1000 5 3 0
"""

SARTORI = """NAME: tiny
SIZE: 5
CAPACITY: 10
NODES
0 0 0 0 0 500 0 0 0
1 0 0 4 0 400 5 0 3
2 0 0 4 0 400 5 0 4
3 0 0 -4 0 400 5 1 0
4 0 0 -4 0 400 5 2 0
EDGES
0 3 3 9 9
3 0 1 2 9
3 1 0 9 2
9 9 9 0 1
9 9 9 1 0
EOF
"""


def written(tmp_path: Path, text: str, name: str = "case.txt") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_lilim_is_solved_in_one_line(tmp_path):
    case = read_lilim(written(tmp_path, LILIM), fixed=10**9)
    solution = plan_routes(case.problem, case.travel, budget=Budget(2000))
    assert audit(case.problem, case.travel, solution) == []
    # one vehicle, out to 40 and back
    assert (np.diff(solution.rows.stop_ptr) > 0).sum() == 1
    assert distance_of(case, solution.rows) == 80
    assert write_routes(case, solution.rows).startswith("Route 1 : ")


def test_sartori_reads_its_asymmetric_matrix(tmp_path):
    case = read_sartori(written(tmp_path, SARTORI), fixed=10**9)
    assert (case.travel.ticks[0, 1, 3], case.travel.ticks[0, 3, 1]) == (2, 9)
    solution = plan_routes(case.problem, case.travel, budget=Budget(2000))
    assert audit(case.problem, case.travel, solution) == []
    # 0 -3-> 1 -1-> 2 -2-> 4 -1-> 3 -9-> 0
    assert distance_of(case, solution.rows) == 16


@pytest.mark.parametrize(
    ("find", "put", "says"),
    [
        ("1 10 0 4 0 1000 5 0 2", "1 10 0 4 0 1000 5 0 0", "pickup with its delivery"),
        ("1 10 0 4 0 1000 5 0 2", "1 10 0 40 0 1000 5 0 2", "take off"),
        ("2 20 0 -4 0 1000 5 1 0", "2 20 0 -4 0 1000 5 3 0", "name each other"),
        ("3 30 0 6 0 1000 5 0 4", "3 30 0 6 900 100 5 0 4", "closes before"),
        ("3 30 0 6 0 1000 5 0 4", "3 30 0 6 0 1000 -5 0 4", "negative"),
        ("3 30 0 6 0 1000 5 0 4", "3 30 0 6 -1 1000 5 0 4", "negative"),
        ("3 30 0 6 0 1000 5 0 4\n4 40 0 -6", "3 30 0 6.5 0 1000 5 0 4\n4 40 0 -6.5", "whole"),
        ("4 40 0 -6 0 1000 5 3 0", "4 40 0 x 0 1000 5 3 0", "number"),
        ("2 10 1", "2 5 1", "more than the capacity"),
        ("4 40 0 -6 0 1000 5 3 0\n", "", "either a pickup"),
    ],
)
def test_wrong_lilim_files_are_named(tmp_path, find, put, says):
    with pytest.raises(UnreadableFile, match=says):
        read_lilim(written(tmp_path, LILIM.replace(find, put)))


@pytest.mark.parametrize(
    ("head", "says"), [("0 10 1", "0 vehicles"), ("2.5 10 1", "vehicles"), ("2 -1 1", "capacity"), ("2 10 0", "speed")]
)
def test_a_head_that_cannot_be_is_named(tmp_path, head, says):
    with pytest.raises(UnreadableFile, match=says) as caught:
        read_lilim(written(tmp_path, LILIM.replace("2 10 1", head)))
    assert caught.value.details["line"] == 1


def test_a_speed_divides_times_and_no_distance(tmp_path):
    # 40 out and 40 back at speed 4 take 20 and 4 services of 5 more: the depot may close at 40, not at 39.
    for closes, served in ((40, True), (39, False)):
        text = LILIM.replace("2 10 1", "1 10 4").replace("0 0 0 0 0 1000 0 0 0", f"0 0 0 0 0 {closes} 0 0 0")
        case = read_lilim(written(tmp_path, text))
        solution = plan_routes(case.problem, case.travel, budget=Budget(500))
        assert (not solution.reason.any()) == served
        assert not served or distance_of(case, solution.rows) == 80


@pytest.mark.parametrize("later", [200_000, 5_000_000, 10**8])
def test_long_times_make_coarser_ticks(tmp_path, later):
    # Beyond 107,374 units times do not fit the usual ticks: the same file some days later is served the same way.
    rows = [line.split() for line in LILIM.splitlines()[1:]]
    for row in rows:
        row[4], row[5] = str(int(row[4]) + (later if row[0] != "0" else 0)), str(int(row[5]) + later)
    text = "\n".join(["2 10 1", *(" ".join(row) for row in rows)])
    path = written(tmp_path, text)
    case = read_lilim(path, fixed=10**9)
    solution = plan_routes(case.problem, case.travel, budget=Budget(500))
    assert not solution.reason.any()
    assert text_judge.faults(path, write_routes(case, solution.rows), set()) == []


def test_marks_and_encodings(tmp_path):
    path = tmp_path / "case.txt"
    path.write_bytes(b"\xef\xbb\xbf" + LILIM.encode())
    assert len(read_lilim(path).pick_node) == 2
    path.write_bytes(LILIM.encode("utf-16"))
    with pytest.raises(UnreadableFile, match="UTF-16"):
        read_lilim(path)
    path.write_bytes(b"\xe9t\xe9 " + LILIM.encode())
    with pytest.raises(UnreadableFile, match="UTF-8"):
        read_lilim(path)


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        ("Route 1 : 1 2\n", "neither in one route"),
        ("Route 1 : 1 2 3 4\nRoute 2 : 1 2\n", "neither in one route"),
        ("Route 1 : 2 1 3 4\n", "before its pickup"),
        ("Route 1 : 1 3\nRoute 2 : 2 4\n", "never delivers"),
        ("Route 1 : 1 2\nRoute 2 : 3 4\nRoute 3 :\n", "3 routes"),
        ("Route 1 : 1 2 3 4\n", None),
    ],
)
def test_the_judge_of_routes_knows_what_is_wrong(tmp_path, routes, says):
    found = text_judge.faults(written(tmp_path, LILIM), routes, set())
    assert (says is None and not found) or any(says in one for one in found)


def test_files_that_are_cut_off_are_named(tmp_path):
    with pytest.raises(UnreadableFile):
        read_sartori(written(tmp_path, SARTORI[: SARTORI.index("3 1 0 9 2")]))
    with pytest.raises(UnreadableFile, match="empty"):
        read_lilim(written(tmp_path, ""))
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read_lilim(tmp_path / "missing.txt")


@needs_data
@pytest.mark.parametrize("name", ["lc101", "lr105", "lrc201"])
def test_plans_of_public_instances_pass_the_audit(name):
    case = read_lilim(folder("pdptw", "lilim", "100", f"{name}.txt"))
    solution = plan_routes(case.problem, case.travel, objective="cost", budget=Budget(1000))
    assert audit(case.problem, case.travel, solution) == []


@needs_data
@pytest.mark.skipif("PDPTW_CHECK" not in os.environ, reason="PDPTW_CHECK names no independent checker")
@pytest.mark.parametrize("name", ["lilim/100/lr101.txt", "lilim/100/lc203.txt", "sartori/n100/bar-n100-1.txt"])
def test_the_independent_checker_agrees(name, tmp_path):
    path = folder("pdptw", *name.split("/"))
    read = read_lilim if "lilim" in name else read_sartori
    case = read(path, fixed=10**10)
    solution = plan_routes(case.problem, case.travel, budget=Budget(100_000))
    out = written(tmp_path, write_routes(case, solution.rows), "out.txt")
    command = [sys.executable, os.environ["PDPTW_CHECK"], str(path), str(out), "--json"]
    verdict = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    assert verdict["feasible"], verdict
    assert verdict["vehicles"] == (np.diff(solution.rows.stop_ptr) > 0).sum()
    assert verdict["travel"] == pytest.approx(distance_of(case, solution.rows))
