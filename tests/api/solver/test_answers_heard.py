"""Answers of a travel service in the solver's process: added to the newest times, never to those of an open round."""

from __future__ import annotations

import pickle

import numpy as np

from api.solver.child import _Desk
from api.solver.travel_state import AnswersHeard, TravelState
from dispatch.record.travel_spec import HttpSpec
from routing.answers import AnswerBlock, Answers
from routing.asked_travel import AskedTravel
from routing.cells import cell_of

SPEC = HttpSpec("http://localhost:5000", {"bike": "bicycle"}, {"bike": 250.0}, form="osrm")
POINTS = ((48.10, 11.50), (48.12, 11.52))
CELLS = np.array([cell_of(lat, lng, SPEC.cells) for lat, lng in POINTS], dtype=np.uint64)


def block(tenths: int) -> AnswerBlock:
    table = np.full((1, 1, 1), tenths, dtype=np.int32)
    return AnswerBlock(CELLS[:1], CELLS[1:], table, table, 1)


def way_s(desk: _Desk, version: int) -> int:
    times = desk._held[version]
    assert isinstance(times, AskedTravel)
    return int(times.table(np.array([0], dtype=np.int32), np.array([1], dtype=np.int32), 0)[0, 0, 0])


def sent(message: object) -> object:
    """A message as it comes out at the other end of the pipe."""
    return pickle.loads(pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))


def desk_with(answers: Answers | None) -> _Desk:
    state = sent(TravelState(1, "wgs84", SPEC, answers=answers))
    assert isinstance(state, TravelState)
    desk = _Desk(state)
    for lat, lng in POINTS:
        desk.places.add(lat, lng)
    return desk


def test_what_is_heard_makes_the_next_version_and_leaves_the_one_before() -> None:
    desk = desk_with(None)
    straight = way_s(desk, 1)
    heard = sent(AnswersHeard(2, block(7770)))
    assert isinstance(heard, AnswersHeard)
    desk.hear(heard)
    assert (way_s(desk, 1), way_s(desk, 2)) == (straight, 777) and straight != 777
    desk.hear(AnswersHeard(3, block(8880)))
    assert sorted(desk._held) == [2, 3] and (way_s(desk, 2), way_s(desk, 3)) == (777, 888)
    # What a process that began anew holds already changes nothing.
    desk.hear(AnswersHeard(2, block(9990)))
    assert sorted(desk._held) == [2, 3] and way_s(desk, 3) == 888


def test_a_process_that_begins_anew_is_sent_all_answers() -> None:
    answers = Answers.none(SPEC.source, ("bike",)).with_block(block(7770))
    desk = desk_with(answers)
    assert way_s(desk, 1) == 777
    desk.hold(TravelState(2, "wgs84", SPEC, answers=answers.with_block(block(8880))))
    assert (way_s(desk, 1), way_s(desk, 2)) == (777, 888)
