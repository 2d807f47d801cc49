"""Instances handed to other solvers, and their answers judged by our evaluator."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from benchmarks.paper.__main__ import main
from benchmarks.paper.exchange import judged
from benchmarks.paper.families import family_figure, mean_gap
from benchmarks.paper.rows import ROWS, tasks_of
from benchmarks.peers.visits import as_jobs
from routing.errors import InvalidInput
from routing.problem.formats.cvrplib import read_visits
from tests.routing.problem.test_cvrplib import CVRP, trips_file
from tests.routing.problem.test_formats import LILIM


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of public data with one CVRP file and one of pickups and deliveries, both drawn for tests."""
    (tmp_path / "vrp" / "cvrp_x").mkdir(parents=True)
    (tmp_path / "vrp" / "cvrp_x" / "line.vrp").write_text(CVRP)
    head = "family,instance,best_known_cost,routes,distances_rounded\n"
    (tmp_path / "vrp" / "bks.csv").write_text(head + "cvrp_x,line,18,2,nearest integer\ncvrp_x,away,9,1,nearest\n")
    (tmp_path / "pdptw" / "lilim").mkdir(parents=True)
    (tmp_path / "pdptw" / "lilim" / "a.txt").write_text(LILIM)
    head = "instance,class,tasks,bks_vehicles,bks_distance,check,file\n"
    (tmp_path / "pdptw" / "lilim_bks.csv").write_text(head + "a,100,4,1,60,ok,lilim/a.txt\n")
    (tmp_path / "pdptw" / "sartori_bks.csv").write_text("instance,bks_cost,bks_vehicles,file\n")
    monkeypatch.setenv("HALFHOUR_DATA", str(tmp_path))
    return tmp_path


def test_instances_are_handed_over_with_what_is_asked(data: Path, tmp_path: Path, capsys):
    assert main(["export", str(tmp_path / "out"), "--rows", "cvrp-x,lilim-100"]) == 0
    assert "2 tasks" in capsys.readouterr().out
    with (tmp_path / "out" / "tasks.csv").open() as file:
        cvrp, pairs = csv.DictReader(file)
    assert (cvrp["file"], cvrp["rounding"], cvrp["best_known"]) == ("cvrp_x/line.vrp", "nearest", "18.0")
    assert (tmp_path / "out" / cvrp["file"]).read_text() == CVRP
    assert (pairs["file"], pairs["objective"]) == ("lilim/100/a.txt", "vehicles, then distance")


def test_answers_are_judged(data: Path, tmp_path: Path, capsys):
    # Customers at 1.5, 3, 4.5, 6 (2, 3, 5, 6 rounded): 1 and 2 cost 2 + 2 + 3 (1.5 rounds to 2), 3 and 4 5 + 2 + 6.
    answer = {"row": "cvrp-x", "instance": "line", "solver": "paper", "routes": [[1, 2], [3, 4]]}
    (tmp_path / "a.jsonl").write_text(json.dumps(answer) + "\n\n")
    assert main(["judge", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "r.jsonl")]) == 0
    line = json.loads((tmp_path / "r.jsonl").read_text())
    assert (line["law"], line["unserved"], line["value"], line["best_known"]) == ("NONE", 0, 20, 18)
    assert "cost 20.0 of 18.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("routes", "law", "unserved"),
    [([[1, 2, 3, 4]], "CAPACITY", 0), ([[1, 2]], "NONE", 2), ([], "NONE", 4)],
)
def test_what_is_wrong_with_an_answer_is_seen(data: Path, routes, law, unserved):
    line = judged({"row": "cvrp-x", "instance": "line", "solver": "x", "routes": routes})
    assert (line["law"] != "NONE", line["unserved"]) == (law != "NONE", unserved)


def test_pickups_and_deliveries_are_judged_by_nodes(data: Path):
    ours = judged({"row": "lilim-100", "instance": "a", "solver": "x", "routes": [[1, 2], [3, 4]]})
    assert (ours["vehicles"], ours["unserved"], ours["law"]) == (2, 0, "NONE")
    backwards = judged({"row": "lilim-100", "instance": "a", "solver": "x", "routes": [[2, 1], [3, 4]]})
    assert backwards["law"] != "NONE"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"row": "no"}, "row"), ({"instance": "no"}, "instance"), ({"routes": 3}, "routes"), ({"solver": ""}, "solver"),
        ({"routes": [[1, 1]]}, "routes"), ({"routes": [[9]]}, "routes"), ({"vehicles": [0, 0]}, "vehicles"),
        ({"vehicles": [0, 99]}, "vehicles"), ({"row": "lilim-100", "instance": "a", "routes": [[7]]}, "routes"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused_by_field_and_line(data: Path, tmp_path: Path, capsys, change, field):
    answer = {"row": "cvrp-x", "instance": "line", "solver": "x", "routes": [[1], [2]], **change}
    with pytest.raises(InvalidInput) as caught:
        judged(answer)
    assert caught.value.details["field"] == field
    (tmp_path / "a.jsonl").write_text("\n" + json.dumps(answer))
    assert main(["judge", str(tmp_path / "a.jsonl")]) == 2
    assert "line 2" in capsys.readouterr().err


def test_what_is_measured_is_not_measured_again(data: Path, tmp_path: Path, capsys):
    assert len(tasks_of(ROWS["cvrp-x"], [1, 2], ("halfhour", "vroom", "pyvrp"))) == 5  # VROOM knows no seed
    out = tmp_path / "r.jsonl"
    line = {"row": "cvrp-x", "instance": "line", "solver": "halfhour", "seed": 1, "clock": "wall"}
    out.write_text(json.dumps(line) + "\n")
    assert main(["--rows", "cvrp-x", "--seeds", "1", "--solvers", "halfhour,pyvrp", "--out", str(out), "--dry"]) == 0
    assert "2 runs wanted, 1 to do" in capsys.readouterr().out


def gap_line(solver: str, value: float, law: str = "NONE") -> dict[str, object]:
    return {"instance": "a", "solver": solver, "value": value, "best_known": 100.0, "law": law, "unserved": 0}


def test_trips_are_judged(data: Path):
    (data / "vrp" / "mtvrptwr").mkdir()
    trips_file(data / "vrp" / "mtvrptwr")
    with (data / "vrp" / "bks.csv").open("a") as file:
        file.write("mtvrptwr,trips,15,1,cut to .1\n")
    for routes, law, value in (([[1, 0, 2, 3, 4]], "NONE", 15), ([[4, 3, 2, 0, 1]], "WINDOW", 15)):
        line = judged({"row": "trips", "instance": "trips", "solver": "x", "routes": routes})
        assert (line["law"], line["value"], line["unserved"]) == (law, value, 0)


def test_gaps_by_hand():
    lines = [gap_line("halfhour", 101), gap_line("halfhour", 103), gap_line("pyvrp", 104), gap_line("pyvrp", 1, "TIME")]
    assert mean_gap(lines, "halfhour") == pytest.approx(2)
    assert mean_gap(lines, "vroom") is None
    assert family_figure(lines).startswith("0.50 (gap 2.00 %, PyVRP 4.00 %; 1 instances)")
    assert family_figure([]) == ""


def test_vroom_is_given_customers_as_jobs(tmp_path: Path):
    (tmp_path / "line.vrp").write_text(CVRP)
    case = read_visits(tmp_path / "line.vrp")
    given = as_jobs(case.problem, case.travel.ticks[0])
    assert [(job["location_index"], job["delivery"]) for job in given["jobs"]] == [(k, [1]) for k in (1, 2, 3, 4)]
    assert given["vehicles"][0]["capacity"] == [3]
    assert given["matrices"]["car"]["durations"][0][:3] == [0, 2, 3]
