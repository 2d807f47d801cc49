"""`halfhour.solve` and its command: a file in, routes out, a name for whatever could not be served."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from halfhour.commands.solve import app
from halfhour.solving import LeftOut, solve_file
from tests.plans.test_formats import LILIM, written


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
