"""A day that travels by a service: asked once before its replay, then no more; what goes wrong is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import halfhour
import halfhour.travel.day_answers
from api.matrix.errors import MatrixFailed
from dispatch.record.travel_spec import HttpSpec, travel_spec, travel_table
from halfhour.travel.day_answers import ask_for
from routing.cells import centre_of
from routing.errors import InvalidInput
from sim.sources import open_scenario
from sim.sources.folder_writer import write_folder
from tests.kit.folders import TOML, written
from tests.kit.service.travel_service import TravelService, seconds, travel_service

STRAIGHT = 'kind = "straight"\ndetour = 1.3\nmetres_per_minute = { bike = 250.0 }\n'


def day_at(folder: Path, service: TravelService, **more: Any) -> Path:
    said = {"kind": "http", "form": "osrm", "url": service.url, "timeout_s": 0.3, **more}
    lines = [f"{key} = {json.dumps(value)}" for key, value in said.items()]
    lines += ['profiles = { bike = "bicycle" }', "metres_per_minute = { bike = 250.0 }"]
    toml = TOML.replace(STRAIGHT, "\n".join(lines) + "\n").replace("travel_sigma = 0.2\n", "")
    return written(folder, **{"scenario.toml": toml})


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halfhour.travel.day_answers, "PAUSE_S", 0.001)
    monkeypatch.setattr(halfhour.travel.day_answers, "LONGEST_PAUSE_S", 0.001)


def test_a_replay_asks_once_and_then_needs_nobody(tmp_path: Path) -> None:
    with travel_service() as service:
        path = day_at(tmp_path / "day", service)
        first = halfhour.replay(path)
        # From two stores, two doors and two riders to stores and doors: in one question.
        assert (service.ways, service.requests) == (6 * 4, 1)
    again = halfhour.replay(path)
    assert again.summary["decision_digest"] == first.summary["decision_digest"]
    # What is driven is what the service says, not straight lines.
    day = open_scenario(path)
    times = day.catalogue.travel.bind(day.catalogue.places)
    assert len(first.legs)
    for leg in first.legs.itertuples():
        cells = times.cells(np.array([leg.origin, leg.target], dtype=np.int32)).tolist()
        a, b = ((round(lat, 6), round(lng, 6)) for lat, lng in map(centre_of, cells))
        assert leg.arrived_at - leg.departed_at == round(seconds(a, b) or 0)


@pytest.mark.parametrize(
    ("behaviour", "why"), [("500", "gone"), ("slow", "slow"), ("429", "limited"), ("text", "malformed")]
)
def test_a_service_that_fails_stops_the_replay_with_its_name(tmp_path: Path, behaviour: str, why: str) -> None:
    with travel_service(behaviour=behaviour) as service:
        path = day_at(tmp_path / "day", service)
        with pytest.raises(MatrixFailed) as problem:
            halfhour.replay(path)
        assert problem.value.why == why and problem.value.details["url"] == service.url and problem.value.hint
        tries = 1 if why == "malformed" else halfhour.travel.day_answers.TRIES
        assert service.requests == tries
        # What fails now goes on later.
        service.behaviour = "well"
        assert halfhour.replay(path).summary["orders"] == 2


def test_what_was_answered_before_a_failure_is_not_asked_for_again(tmp_path: Path) -> None:
    with travel_service() as service:
        path = day_at(tmp_path / "day", service, most_places=3)
        day = open_scenario(path)
        real = service.osrm

        def osrm(*words: Any) -> Any:
            if service.requests > 2:
                service.behaviour = "500"
                return 500, {}
            return real(*words)

        service.osrm = osrm  # type: ignore[method-assign]
        with pytest.raises(MatrixFailed):
            ask_for(day)
        done = service.ways
        assert 0 < done < 24
        service.osrm, service.behaviour = real, "well"  # type: ignore[method-assign]
        ask_for(day)
        assert service.ways == 24
    assert not list(tmp_path.glob("day/*.part"))


def test_a_day_of_more_cells_than_may_be_asked_for_asks_nobody(tmp_path: Path) -> None:
    with travel_service() as service:
        day = open_scenario(day_at(tmp_path / "day", service))
        spec = travel_spec(travel_table(day.catalogue.travel, for_process=True))
        assert spec == day.catalogue.travel
        with pytest.raises(InvalidInput, match="most_cells"):
            travel_spec({**travel_table(spec), "most_cells": 3})
        assert service.requests == 0


def test_a_copied_day_takes_its_answers_along(tmp_path: Path) -> None:
    with travel_service() as service:
        path = day_at(tmp_path / "day", service)
        ask_for(open_scenario(path))
        asked = service.requests
        write_folder(tmp_path / "copy", open_scenario(path))
        assert ask_for(open_scenario(tmp_path / "copy")) == 0 and service.requests == asked


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"url": "localhost:5000"}, "travel.url", "http://"),
        ({"url": "http://h/?key=1"}, "travel.url", "key_variable"),
        ({"url": "http://me:secret@h"}, "travel.url", "key_variable"),
        ({"form": "google"}, "travel.form", "osrm, valhalla, matrix"),
        ({"cells": 22}, "travel.cells", "6 to 15"),
        ({"timeout_s": 0}, "travel.timeout_s", "timeout_s = 2.0"),
        ({"most_place": 10}, "travel.most_place", "most_places"),
        ({"metres_per_minute": {"car": 400.0}}, "travel.metres_per_minute", "fall back"),
        ({"profiles": {"bike": 3}}, "travel.profiles", "profile"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_field(change: dict[str, Any], field: str, said: str) -> None:
    table = {
        "kind": "http", "form": "osrm", "url": "http://localhost:5000", "profiles": {"bike": "bicycle"},
        "metres_per_minute": {"bike": 250.0},
    }  # fmt: skip
    assert isinstance(travel_spec(table), HttpSpec)
    with pytest.raises(InvalidInput) as problem:
        travel_spec(table | change)
    assert problem.value.details["field"] == field and said in str(problem.value)
