"""An experiment from its file to its report; it may be stopped at any time and goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from halfhour.comparing import Block
from halfhour.lab.experiment import Experiment, InvalidExperiment
from halfhour.lab.folder import ExperimentFolder
from halfhour.lab.judging import Look, looks_reached
from halfhour.lab.reporting import as_json, write_all
from halfhour.lab.running import LostRun, MakeExecutor, Work, processes, run_all
from halfhour.lab.runs import ExperimentDay, PlannedRun, days_of, planned, replayed

Progress = Callable[[int, int, str], None]
"""Is told how much is done, of how much, and a note."""


class Conducted(NamedTuple):
    """What became of an experiment: its report, the looks that were reached, and whether it was interrupted."""

    report: dict[str, Any]
    looks: list[Look]
    interrupted: bool


def conduct(
    experiment: Experiment,
    out: Path,
    *,
    jobs: int = 2,
    resume: bool = False,
    progress: Progress = lambda done, total, note: None,
    make_executor: MakeExecutor = processes,
    work: Work = replayed,
) -> Conducted:
    """Replay what is not replayed yet, `jobs` at a time, and report.

    `make_executor`: where the runs are done; `work`: what one run is.  Raises OutputExists and ExperimentChanged before
    anything is replayed.  Ctrl-C ends it early: what was finished is kept and reported.
    """
    folder = ExperimentFolder(out)
    folder.require(resume=resume)
    days = days_of(experiment, folder.days, lambda done, total, note: progress(done, total, f"inventing {note}"))
    _require_different(experiment, days)
    folder.begin(experiment, days)
    runs = planned(experiment, days)
    done = {run: found for run in runs if (found := folder.result(run)) is not None}
    waiting = [run for run in runs if run not in done]
    clock = _TimeLeft(len(done), len(runs), progress)

    def keep(run: PlannedRun, summary: Mapping[str, Any]) -> None:
        folder.keep(run, summary)
        done[run] = dict(summary)
        clock.tell(len(done))

    lost: list[LostRun] = []
    interrupted = False
    try:
        lost = run_all(waiting, work, keep, jobs=jobs, make_executor=make_executor)
    except KeyboardInterrupt:
        interrupted = True
    in_order = {run: done[run] for run in runs if run in done}
    looks = _looks(experiment, runs, in_order, lost)
    report = as_json(experiment, days, runs, len(done), lost, looks)
    write_all(out, report, looks, in_order)
    return Conducted(report, looks, interrupted)


def _looks(
    experiment: Experiment,
    runs: list[PlannedRun],
    done: Mapping[PlannedRun, Mapping[str, Any]],
    lost: list[LostRun],
) -> list[Look]:
    results: dict[str, dict[Block, Mapping[str, Any]]] = {arm.name: {} for arm in experiment.arms}
    for run, summary in done.items():
        results[run.arm.name][_block(run)] = summary
    blocks = list(dict.fromkeys(_block(run) for run in runs))
    return looks_reached(experiment, blocks, results, [_block(one.run) for one in lost])


def _block(run: PlannedRun) -> Block:
    return Block(run.day.digest, run.seed)


def _require_different(experiment: Experiment, days: list[ExperimentDay]) -> None:
    seen: dict[str, str] = {}
    for day in days:
        if day.digest in seen:
            raise InvalidExperiment(
                f"{seen[day.digest]} and {day.name} are one day under two names",
                file=str(experiment.file),
                field="scenarios",
                hint="A day counts once: take one of them out.",
            )
        seen[day.digest] = day.name


class _TimeLeft:
    """Tells how long the rest takes, by the pace since it began."""

    def __init__(self, before: int, total: int, progress: Progress) -> None:
        self._before, self._total, self._progress = before, total, progress
        self._began = time.monotonic()
        progress(before, total, f"{before:,} of {total:,} runs")

    def tell(self, done: int) -> None:
        """Show that so many are done by now."""
        pace_s = (time.monotonic() - self._began) / (done - self._before)
        left = round(pace_s * (self._total - done))
        self._progress(done, self._total, f"{done:,} of {self._total:,} runs, {left // 60}:{left % 60:02d} min left")
