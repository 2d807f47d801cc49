"""OR-Tools as polish of any plan: clusters of vehicles, warm-started, solved in a process apart, then judged.

The solver holds the interpreter's lock for its whole search and cannot be stopped from inside; so a child process
solves (`routing_model`), one for the life of ours.  A cluster is left after so many better plans, a limit that repeats,
unlike a time.  What comes back counts only where it is legal and cheaper.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from routing.plans.budget import Budget
from routing.plans.ortools.questions import Question
from routing.problem.build import Stop, make_rows, read_rows
from routing.problem.evaluate import Timeline, evaluate
from routing.problem.problem import Problem, Rows, Travel

POLL_S = 0.02
LONGEST_S = 60.0


class ClusterModel(Protocol):
    """How vehicles of a plan become a question to OR-Tools, and its answer routes again."""

    clusters: int
    """Clusters polished in one round."""

    def members(self, rows: Rows, timeline: Timeline, done: Collection[int]) -> Sequence[int]:
        """Vehicles of the next cluster, none of them in `done`; fewer than two: there is none."""

    def question(self, rows: Rows, timeline: Timeline, members: Sequence[int]) -> Question:
        """What is asked for these vehicles."""

    def routes(self, rows: Rows, members: Sequence[int], answer: list[list[int]]) -> list[list[Stop]]:
        """The stops of these vehicles by the answer: nodes in sequence for each."""


def polish(problem: Problem, travel: Travel, rows: Rows, budget: Budget, model: ClusterModel) -> tuple[Rows, int]:
    """Rows that cost no more than `rows`, and the work spent: nodes times vehicles, for every cluster."""
    timeline, work = evaluate(problem, travel, rows), 0
    if not timeline.feasible:
        return rows, work
    done: set[int] = set()
    for _ in range(model.clusters):
        members = model.members(rows, timeline, done)
        if len(members) < 2 or budget.expired():
            break
        done.update(members)
        question = model.question(rows, timeline, members)
        work += sum(map(len, question.warm)) * len(members)
        answer = _CHILD.ask(question, budget)
        if answer is None:
            continue
        plan: list[list[Stop]] = [list(route) for route in read_rows(rows)]
        for vehicle, route in zip(members, model.routes(rows, members, answer), strict=True):
            plan[vehicle] = route
        candidate = make_rows(plan)
        found = evaluate(problem, travel, candidate)
        if found.feasible and (found.rank, found.cost) < (timeline.rank, timeline.cost):
            rows, timeline = candidate, found
    return rows, work


class _Child:
    """The process that solves, begun with the first question; it ends with its standard input."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    def ask(self, question: Question, budget: Budget) -> list[list[int]] | None:
        """The answer; None where there is none, or the budget is over first."""
        with self._turn, ThreadPoolExecutor(1) as reader:
            if self._process is None or self._process.poll() is not None:
                command = [sys.executable, "-m", "routing.plans.ortools.routing_model"]
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            child = self._process
            answer = reader.submit(_exchange, child, question)
            for _ in range(int(LONGEST_S / POLL_S)):
                try:
                    return answer.result(timeout=POLL_S)
                except TimeoutError:
                    if budget.expired():
                        break
                except (OSError, EOFError):  # it has ended
                    break
            child.kill()
            child.wait()
            self._process = None
            return None


def _exchange(child: subprocess.Popen[bytes], question: Question) -> list[list[int]] | None:
    assert child.stdin is not None and child.stdout is not None
    pickle.dump(question, child.stdin)
    child.stdin.flush()
    answer: list[list[int]] | None = pickle.load(child.stdout)  # our own child wrote it
    return answer


_CHILD = _Child()
