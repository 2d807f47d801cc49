"""`halfhour.solve` and its command: a file in, routes out, a name for whatever could not be served."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from halfhour.commands.solve import app
from halfhour.solving import LeftOut, WrongAnswer, solve, solve_file
from routing.errors import InvalidInput
from routing.problem.formats import vroom_judge
from tests.routing.problem.test_formats import LILIM, written
from tests.routing.problem.test_vroom_files import vroom_input


def hopeless(tmp_path: Path) -> Path:
    """The second pickup closes at 29, thirty from the depot."""
    return written(tmp_path, LILIM.replace("3 30 0 6 0 1000", "3 30 0 6 0 29"))


def test_what_cannot_be_served_is_left_out_with_a_reason(tmp_path):
    done = solve_file(hopeless(tmp_path), work=500)
    assert done.left_out == (LeftOut(3, 4, "WINDOW"),)
    assert done.output == "Route 1 : 1 2\n"
    assert (done.vehicles, done.distance) == (1, 40.0)


def test_the_command_says_so_too(tmp_path):
    said = CliRunner().invoke(app, [str(hopeless(tmp_path)), "--work", "500", "--json"])
    assert said.exit_code == 0
    assert "left out: 3 to 4 (WINDOW)" in said.stderr
    figures = json.loads(said.stdout)
    assert figures["left_out"] == [{"pickup": 3, "delivery": 4, "reason": "WINDOW"}]
    assert figures["unserved"] == 1


def test_threads_change_the_time_not_the_routes(tmp_path):
    plans = [
        CliRunner().invoke(app, [str(hopeless(tmp_path)), "--work", "500", "--threads", threads]).stdout
        for threads in ("1", "2")
    ]
    assert plans == ["Route 1 : 1 2\n"] * 2
    assert CliRunner().invoke(app, [str(hopeless(tmp_path)), "--threads", "0"]).exit_code == 2


def asked(text: str, *options: str) -> Any:
    return CliRunner().invoke(app, ["-", "--work", "200", "--json", *options], input=text)


def test_standard_input_and_errors_are_json():
    data = vroom_input()
    said = asked(json.dumps(data))
    assert said.exit_code == 0
    answer = json.loads(said.stdout)
    assert (answer["code"], answer["summary"]["cost"]) == (0, 60)
    assert set(answer["summary"]["computing_times"]) == {"loading", "solving"}
    data["vehicles"][0]["wheels"] = 3
    said = asked(json.dumps(data))
    assert json.loads(said.stdout) == {
        "code": 2, "error": "vehicles[0].wheels is not supported", "reason": "unsupported"
    }  # fmt: skip


def test_progress_says_each_better_plan_and_the_last_one_is_the_answer():
    data = vroom_input(shipments=[])
    # Along a line the told order is a detour: there is something to find.
    data["jobs"] = [{"id": k, "location_index": k} for k in range(1, 4)]
    data["vehicles"][0]["steps"] = [{"type": "job", "id": k} for k in (2, 1, 3)]
    said = asked(json.dumps(data), "--progress")
    assert said.exit_code == 0
    found = re.findall(r"^[\d.]+ s: (\d+) vehicles, cost ([\d,]+), (\d+) unserved$", said.stderr, re.MULTILINE)
    costs = [int(cost.replace(",", "")) for _, cost, _ in found]
    assert costs == sorted(costs, reverse=True)
    answer = json.loads(said.stdout)["summary"]
    assert (found[-1][0], costs[-1], found[-1][2]) == ("1", answer["cost"], "0")
    assert " s: " not in asked(json.dumps(data)).stderr


def test_a_vroom_input_may_be_a_dict():
    done = solve(vroom_input(), work=200)
    assert done.answer["summary"]["routes"] == 1


def test_an_answer_that_its_judge_does_not_accept_is_none(monkeypatch):
    monkeypatch.setattr(vroom_judge, "faults", lambda *_: ["route 0 is late"])
    with pytest.raises(WrongAnswer, match="late"):
        solve(vroom_input(), work=200)


def test_where_to_write_is_looked_at_before_the_search(tmp_path):
    said = CliRunner().invoke(app, [str(hopeless(tmp_path)), "--out", str(tmp_path / "no" / "x")])
    assert isinstance(said.exception, InvalidInput)
