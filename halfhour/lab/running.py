"""Runs in parallel behind a `concurrent.futures.Executor`; one that dies takes nothing else with it."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from typing import Any, NamedTuple

from halfhour.lab.runs import PlannedRun

Work = Callable[[PlannedRun], Mapping[str, Any]]
MakeExecutor = Callable[[int], Executor]


class LostRun(NamedTuple):
    """A run without a result, and why."""

    run: PlannedRun
    why: str


def processes(jobs: int) -> Executor:
    """Processes of their own, which share nothing with this one."""
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))


def run_all(
    runs: Iterable[PlannedRun],
    work: Work,
    keep: Callable[[PlannedRun, Mapping[str, Any]], None],
    *,
    jobs: int,
    make_executor: MakeExecutor = processes,
) -> list[LostRun]:
    """Do all runs, `jobs` at a time, and hand each result to `keep` as it comes; those that are lost.

    A run that raises is lost.  Where a process dies, those under way are done again, each in a process of its own: the
    one that dies again is lost.
    """
    queue, lost = deque(runs), list[LostRun]()
    while queue:
        waiting = len(queue)
        for suspect in _fed(make_executor(jobs), jobs, queue, work, keep, lost):
            if _fed(make_executor(1), 1, deque([suspect]), work, keep, lost):
                lost.append(LostRun(suspect, "its process died"))
        if len(queue) == waiting:  # no process could even be started for it
            lost.append(LostRun(queue.popleft(), "no process could be started"))
    return lost


def _fed(
    executor: Executor,
    jobs: int,
    queue: deque[PlannedRun],
    work: Work,
    keep: Callable[[PlannedRun, Mapping[str, Any]], None],
    lost: list[LostRun],
) -> list[PlannedRun]:
    """Feed an executor until the queue is empty or the executor broke; the runs under way when it did."""
    flying: dict[Future[Mapping[str, Any]], PlannedRun] = {}
    suspects: list[PlannedRun] = []
    try:
        while queue or flying:
            while queue and len(flying) < jobs and not suspects:
                flying[executor.submit(work, queue[0])] = queue[0]
                queue.popleft()
            if not flying:
                break
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in done:
                run, problem = flying.pop(future), future.exception()
                if isinstance(problem, BrokenExecutor):
                    suspects.append(run)
                elif problem is not None:
                    lost.append(LostRun(run, f"{type(problem).__name__}: {problem}"))
                elif future.result()["complete"]:
                    keep(run, future.result())
                else:
                    lost.append(LostRun(run, "it was stopped early"))
    except BrokenExecutor:
        suspects += flying.values()
    except KeyboardInterrupt:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    executor.shutdown(wait=not suspects, cancel_futures=True)
    return suspects
