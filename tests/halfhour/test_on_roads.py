"""VROOM files whose coordinates lie on streets: lines as polylines, in routes that are searched and in given ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from halfhour.commands.solve import app
from halfhour.on_roads import polyline
from halfhour.solving import check_plan, solve, solve_file
from routing.errors import InvalidInput, Unsupported
from tests.kit.roads.drawing import Drawn
from tests.kit.roads.town import town  # noqa: F401


def decoded(text: str) -> list[tuple[float, float]]:
    """The points of an encoded polyline, by the published rule."""
    values, value, shift = [], 0, 0
    for letter in text:
        bits = ord(letter) - 63
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            values.append(~(value >> 1) if value & 1 else value >> 1)
            value, shift = 0, 0
    points, at = [], (0, 0)
    for lat, lng in zip(values[::2], values[1::2], strict=True):
        at = at[0] + lat, at[1] + lng
        points.append((at[0] / 1e5, at[1] / 1e5))
    return points


def test_the_published_example_of_a_polyline():
    line = [(38.5, -120.2), (40.7, -120.95), (43.252, -126.453)]
    assert polyline(line) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"
    assert decoded(polyline(line)) == line
    assert polyline([]) == ""


def on_streets(drawn: Drawn, **more: Any) -> dict[str, Any]:
    """A vehicle that begins and ends at A and has work at C."""
    a, c = ([*drawn.at(spot)[::-1]] for spot in "AC")
    vehicle = {"id": 5, "start": a, "end": a, "steps": [{"type": "job", "id": 1}]}
    return {"vehicles": [vehicle], "jobs": [{"id": 1, "location": c, "description": "parcel"}], **more}


@pytest.mark.parametrize("plan", [True, False])
def test_a_route_has_the_line_that_it_drives(tmp_path: Path, town: Drawn, plan: bool):  # noqa: F811
    # Out and back along the main road: A, B, C, B, A.
    town.network.save(tmp_path / "town.npz")
    data = on_streets(town, options={"g": True})
    roads = tmp_path / "town.npz"
    said = check_plan(data, roads=roads) if plan else solve(data, roads=roads, work=50).answer
    line = decoded(said["routes"][0]["geometry"])
    spots = [pytest.approx(town.at(spot), abs=2e-5) for spot in "ABCBA"]
    assert [line[0], line[-1]] == [spots[0], spots[-1]]
    assert [point for point in line if any(point == spot for spot in spots)] == spots
    assert said["routes"][0]["steps"][1]["description"] == "parcel"
    assert said["routes"][0]["distance"] == pytest.approx(400, abs=2)


def test_the_command_draws_and_checks(tmp_path: Path, town: Drawn):  # noqa: F811
    town.network.save(tmp_path / "town.npz")
    (tmp_path / "in.json").write_text(json.dumps(on_streets(town)))
    roads = ["--roads", str(tmp_path / "town.npz")]
    said = CliRunner().invoke(app, [str(tmp_path / "in.json"), "-c", "-g", *roads])
    assert said.exit_code == 0
    answer = json.loads(said.stdout)
    assert answer["routes"][0]["geometry"]
    assert answer["routes"][0]["violations"] == []
    said = CliRunner().invoke(app, [str(tmp_path / "in.json"), "-c", *roads, "--out", str(tmp_path / "out.json")])
    assert "geometry" not in json.loads((tmp_path / "out.json").read_text())["routes"][0]
    assert said.stdout == ""


def test_what_has_no_line_or_no_steps_is_said(tmp_path: Path, town: Drawn):  # noqa: F811
    data = on_streets(town)
    with pytest.raises(InvalidInput, match="needs roads"):
        check_plan(data, geometry=True)
    with pytest.raises(InvalidInput, match="needs roads"):
        solve_file({**data, "options": {"g": True}}, work=5)
    with pytest.raises(Unsupported, match=r"options\.c"):
        solve_file({**data, "options": {"c": True}}, work=5)
    (tmp_path / "a.vrp").write_text("DIMENSION : 2\nEDGE_WEIGHT_TYPE : EUC_2D\n")
    with pytest.raises(InvalidInput, match="no steps"):
        check_plan(tmp_path / "a.vrp")
