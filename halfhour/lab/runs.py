"""Single runs of an experiment: which they are, what they are known by, and how one is replayed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dispatch.version import __version__
from halfhour.lab.experiment import Arm, Experiment
from halfhour.replaying import opened, replay
from halfhour.synthetic import write_synthetic

if TYPE_CHECKING:
    from sim.scenario import Scenario


class ExperimentDay(NamedTuple):
    """A day of an experiment: its name in reports, where it lies, and the digest of all that happens on it."""

    name: str
    path: str
    digest: str
    truth: tuple[tuple[str, Any], ...] = ()
    """Luck that the experiment lays over it."""

    def opened(self) -> Scenario:
        """The day as it is replayed."""
        day = opened(self.path, asks=True)[0]
        return dataclasses.replace(day, reality=dataclasses.replace(day.reality, **dict(self.truth)))


class PlannedRun(NamedTuple):
    """One arm on one day with one luck."""

    arm: Arm
    day: ExperimentDay
    seed: int

    @property
    def key(self) -> str:
        """Hash of all that its result follows from: the same key, the same result."""
        arm = self.arm
        content = [
            __version__, arm.policy, arm.policy_sha256, arm.recipe, sorted(arm.settings), self.day.digest, self.seed,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]

    @property
    def title(self) -> str:
        """How it is named to people."""
        return f"{self.arm.name}, {self.day.name}, seed {self.seed}"


def days_of(
    experiment: Experiment, folder: Path, progress: Callable[[int, int, str], None] = lambda done, total, note: None
) -> list[ExperimentDay]:
    """All days in order; those that are to be invented are written to `folder` where they are not yet."""
    from sim.replay.result import day_digest

    wanted = [(path.name, path) for path in experiment.scenarios]
    total = len(wanted) + sum(len(days.seeds) for days in experiment.invented)
    for days in experiment.invented:
        for seed in days.seeds:
            name = f"{days.name}-{seed}"
            if not (folder / name).exists():
                write_synthetic(folder / name, seed, days.size, name=name)
            wanted.append((name, folder / name))
            progress(len(wanted), total, name)
    names = [name for name, _ in wanted]
    truth = tuple(experiment.truth.items())
    found = [
        ExperimentDay(name if names.count(name) == 1 else str(path), str(path), "", truth) for name, path in wanted
    ]
    return [day._replace(digest=day_digest(day.opened())) for day in found]


def planned(experiment: Experiment, days: list[ExperimentDay]) -> list[PlannedRun]:
    """Every run, block by block: seeds go round the days, so that early looks have seen as many days as can be."""
    return [PlannedRun(arm, day, seed) for seed in experiment.seeds for day in days for arm in experiment.arms]


def replayed(run: PlannedRun) -> dict[str, Any]:
    """The summary of one run; what a worker process is asked."""
    arm = run.arm
    done = replay(run.day.opened(), policy=arm.policy, recipe=arm.recipe, seed=run.seed, settings=dict(arm.settings))
    return done.summary
