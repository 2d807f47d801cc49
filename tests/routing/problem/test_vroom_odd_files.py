"""VROOM inputs as programs write them: what means nothing is nothing, what cannot be meant is refused by its path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from halfhour.solving import check_plan, solve
from routing.errors import InvalidInput, Unsupported
from routing.problem.formats.vroom import vroom_case
from tests.routing.problem.test_vroom_files import vroom_input


def changed(key: str, **more: Any) -> dict[str, Any]:
    """The small input with keys added to its vehicle, its job, its shipment, or the whole."""
    data = vroom_input()
    part = {"vehicle": data["vehicles"][0], "job": data["jobs"][0], "shipment": data["shipments"][0], "": data}[key]
    part.update(more)
    return data


@pytest.mark.parametrize(
    "data",
    [
        changed("job", time_windows=None, description=None, penalty=None, skills=None),
        changed("vehicle", time_window=None, costs=None, breaks=None, steps=None, max_tasks=None),
        changed("", options=None, dimensions=None, matrix=None),
        changed("vehicle", max_tasks=2**32 - 1, max_travel_time=2**32 - 1),
        changed("vehicle", time_window=[0, 2**32 - 1]),
        changed("vehicle", time_window=(0, np.int64(500)), capacity=np.array([4])),
        changed("job", service=np.int32(5), delivery=(1,), id=np.uint16(1)),
        changed("", matrices={"car": {"durations": np.array(vroom_input()["matrices"]["car"]["durations"])}}),
        changed("job", skills=[1, 1], time_windows=[[0, 500], [400, 900]]),
        changed("job", description=5),
        changed("shipment", amount=[0]),
        changed("", options={}),
    ],
)
def test_what_means_nothing_is_nothing(data):
    said = solve(data, work=300).answer
    assert (said["summary"]["unassigned"], said["summary"]["cost"]) == (0, 60)


def test_nulls_and_tuples_are_plain_in_plan_mode_too():
    data = changed("vehicle", steps=({"type": "job", "id": np.int64(1), "service_at": None},), breaks=None)
    data["shipments"] = None
    assert [step["type"] for step in check_plan(data)["routes"][0]["steps"]] == ["start", "job", "end"]


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (changed("", vehicles={"id": 1}), "vehicles"),
        (changed("", vehicles=[[1]]), "vehicles[0]"),
        (changed("", jobs="x"), "jobs"),
        (changed("", matrices=[1]), "matrices"),
        (changed("", matrices={"car": {"costs": [[0]]}}), "matrices.car"),
        (changed("", matrices={"car": {"durations": []}}), "matrices.car.durations"),
        (changed("", matrices={"car": {"durations": [[0.5] * 4] * 4}}), "matrices.car.durations"),
        (changed("", matrices={"car": {"durations": [[float("nan")] * 4] * 4}}), "matrices.car.durations"),
        (changed("", matrices={"car": {"durations": [["1"] * 4] * 4}}), "matrices.car.durations"),
        (changed("", matrices={"car": {"durations": [[10**30] * 4] * 4}}), "matrices.car.durations"),
        (changed("", matrices={"car": {"durations": [[False] * 4] * 4}}), "matrices.car.durations"),
        (changed("", matrix=[[0]]), "matrix"),
        (changed("", geometry=True), "geometry"),
        (changed("", shipments=[{"id": 1, "location_index": 1}]), "shipments[0].id"),
        (changed("job", id="a"), "jobs[0].id"),
        (changed("job", id=1.5), "jobs[0].id"),
        (changed("job", id=None), "jobs[0].id"),
        (changed("job", time_windows=[1, 2]), "jobs[0].time_windows[0]"),
        (changed("job", time_windows=[[1, 2, 3]]), "jobs[0].time_windows[0]"),
        (changed("job", time_windows=[[1.5, 2]]), "jobs[0].time_windows[0]"),
        (changed("job", priority=101), "jobs[0].priority"),
        (changed("job", skills=3), "jobs[0].skills"),
        (changed("job", delivery=1), "jobs[0].delivery"),
        (changed("job", delivery=[None]), "jobs[0].delivery[0]"),
        (changed("job", service=2**30), "jobs[0].service"),
        (changed("job", location_index=-1), "jobs[0].location_index"),
        (changed("vehicle", speed_factor=0), "vehicles[0].speed_factor"),
        (changed("vehicle", profile=3), "matrices.3"),
        (changed("vehicle", max_tasks=1.5), "vehicles[0].max_tasks"),
        (changed("vehicle", costs={"fixed": -5}), "vehicles[0].costs.fixed"),
        (changed("vehicle", costs={"per_km": 1.5}), "vehicles[0].costs.per_km"),
        (changed("vehicle", steps=["job"]), "vehicles[0].steps[0]"),
        (changed("vehicle", breaks=[{"id": 1, "max_load": [1, 2]}]), "vehicles[0].breaks[0].max_load"),
        (changed("shipment", pickup=None), "shipments[0].pickup"),
        (
            changed("job", time_windows=[[1_700_000_000, 1_700_003_600]]) | {"vehicles": [
                {"id": 7, "start_index": 0, "time_window": [0, 86_400]}]},
            "vehicles[0].time_window",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_its_path(data, names):
    with pytest.raises((InvalidInput, Unsupported)) as caught:
        solve(data, work=5)
    assert caught.value.details["field"] == names


@pytest.mark.parametrize("point", [[400, 1], [1, 91], ["1", 2], [True, 1], "Paris", [1], [float("inf"), 0], None])
def test_a_point_is_one_on_earth(point):
    data = {"vehicles": [{"id": 1, "start": [0, 0]}], "jobs": [{"id": 1, "location": point}]}
    with pytest.raises(InvalidInput, match=r"degrees|needs a location"):
        vroom_case(data, table_of=lambda points, _: (np.zeros((len(points),) * 2), np.zeros((len(points),) * 2)))
