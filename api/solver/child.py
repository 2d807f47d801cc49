"""The solver's process itself: it reads rounds from its input and answers on its output."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from api.common.parent_process import die_with_parent
from api.solver.messages import LENGTH, RoundTask, SolverFailed
from api.solver.travel_state import AnswersHeard, TravelState, get_ready
from dispatch.inputs import RoundSolved
from dispatch.rounds.leg_metres import with_metres
from routing.asked_travel import AskedTravel
from routing.places import PlaceBook
from routing.travel import TravelTimes

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)


class _Desk:
    """What the process holds: a book that grows as rounds name places, and travel times bound to it, by version."""

    def __init__(self, travel: TravelState) -> None:
        self.places = PlaceBook("plane" if travel.frame == "plane" else "wgs84")
        self._opened = travel.spec.bind(self.places)
        self._held = {travel.version: travel.times(self._opened)}
        self._at = 0

    def hold(self, travel: TravelState) -> None:
        """Makes other times ready; those of the version before stay, for the round that is open."""
        fresh = travel.times(self._opened)
        get_ready(fresh, self._held[max(self._held)], self._at)
        self._keep(travel.version, fresh)

    def hear(self, heard: AnswersHeard) -> None:
        """Adds answers to the newest times; those it holds already change nothing."""
        newest = self._held[max(self._held)]
        assert isinstance(newest, AskedTravel)
        if heard.version > max(self._held):
            self._keep(heard.version, newest.under(newest.answers.with_block(heard.block)))

    def _keep(self, version: int, times: TravelTimes) -> None:
        before = {held: known for held, known in self._held.items() if held == version - 1}
        self._held = before | {version: times}

    def answer(self, task: RoundTask) -> RoundSolved:
        from dispatch.rounds.solve import solve_round

        times = self._times(task)
        began = time.monotonic()
        self._place(task)
        answer = solve_round(
            task.frozen,
            times,
            recipe=task.recipe,
            threads=task.threads,
            expired=lambda: time.monotonic() - began > task.budget_s,
        )
        return with_metres(task.frozen, answer, times)

    def _times(self, task: RoundTask) -> TravelTimes:
        wanted = task.travel_version
        if wanted not in self._held:
            holds = " and ".join(map(str, sorted(self._held)))
            raise SolverFailed("travel", f"holds travel times {holds}, not {wanted}")
        self._held = {version: times for version, times in self._held.items() if version >= wanted}
        self._at = task.frozen.at
        return self._held[wanted]

    def _place(self, task: RoundTask) -> None:
        handles = task.frozen.problem.place
        first, second = self.places.first, self.places.second
        for k, handle in enumerate(handles.tolist()):
            while len(self.places) <= handle:
                row = int(task.matrix_row[k]) if len(self.places) == handle else -1
                self.places.add(0.0, 0.0, matrix_row=row)
                first, second = self.places.first, self.places.second
            access = None if np.isnan(task.access[k, 0]) else (float(task.access[k, 0]), float(task.access[k, 1]))
            here = (task.first[k], task.second[k], access)
            if (first[handle], second[handle], self.places.access_of(handle)) != here:
                self.places.move(handle, float(task.first[k]), float(task.second[k]), access)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answers messages until the parent is gone."""
    desk: _Desk | None = None
    while True:
        message = _read(source)
        if message is None:
            return
        answer: Any
        try:
            if isinstance(message, TravelState) and desk is not None:
                desk.hold(message)
                answer = "held"
            elif isinstance(message, AnswersHeard) and desk is not None:
                desk.hear(message)
                answer = "held"
            elif isinstance(message, TravelState):
                desk = _Desk(message)
                from api.solver.warm_up import warm_up_rounds, warm_up_travel

                warm_up_travel(message.spec)
                warm_up_rounds()
                answer = "warm"
            else:
                assert desk is not None
                answer = desk.answer(message)
        except SolverFailed as problem:
            answer = problem
        except Exception as problem:
            log.exception("a round could not be solved")
            answer = SolverFailed("error", f"{type(problem).__name__}: {problem}")
        data = pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL)
        sink.write(LENGTH.pack(len(data)) + data)
        sink.flush()


def _read(source: BinaryIO) -> Any:
    """The next message, None at the end."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    data = source.read(length)
    return pickle.loads(data) if len(data) == length else None


def main() -> None:
    """Serves on the real standard output; whatever prints goes to standard error."""
    from api.solver.warm_up import get_ready

    die_with_parent()  # also in the midst of a round
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when it ends
    get_ready()
    with os.fdopen(os.dup(1), "wb") as sink:
        os.dup2(2, 1)
        serve(sys.stdin.buffer, sink)


if __name__ == "__main__":
    main()
