"""The folder of an experiment: its plan as it was started, and the result of every finished run, by content.

plan.json         arms, blocks and rules of judgement as they were when it began, and the version
experiment.toml   the file as it was then
days/             invented days
runs/KEY.json     the summary of one run; KEY is the hash of all that it follows from
report.json, runs.csv, report.md   what is known by now
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dispatch.record.run_folder import OutputExists
from dispatch.version import __version__
from halfhour.lab.experiment import Experiment
from halfhour.lab.runs import ExperimentDay, PlannedRun
from routing.errors import InvalidInput, UnreadableFile

PLAN, COPY, RUNS, DAYS = "plan.json", "experiment.toml", "runs", "days"
FORMAT = 1


class ExperimentChanged(InvalidInput):
    """An experiment that is not the one its folder was started with; the message names what differs."""

    code = "experiment_changed"


class ExperimentFolder:
    """Where an experiment keeps what it has done."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def days(self) -> Path:
        """The folder of invented days."""
        return self.path / DAYS

    def require(self, *, resume: bool) -> None:
        """Raise OutputExists where something stands there and `resume` was not asked for."""
        if self.path.exists() and not resume and any(self.path.iterdir()):
            begun = (self.path / PLAN).is_file()
            hint = "Go on with --resume, or name another --out." if begun else "Name another --out."
            what = "an experiment was begun here" if begun else "this folder exists already"
            raise OutputExists(what, file=str(self.path), hint=hint)

    def begin(self, experiment: Experiment, days: Sequence[ExperimentDay]) -> None:
        """Write the plan down; where there is one, raise ExperimentChanged unless it is the same."""
        plan = _plan(experiment, days)
        file = self.path / PLAN
        if not file.exists():
            (self.path / RUNS).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(experiment.file, self.path / COPY)
            write_json(file, plan)
            return
        begun = {"invented": plan["invented"]} | _read(file)  # plans of old do not say what was invented
        changed = [_change(key, begun.get(key), value) for key, value in plan.items() if begun.get(key) != value]
        if changed:
            raise ExperimentChanged(
                f"this is not the experiment that was begun in {self.path}: {'; '.join(changed)}",
                file=str(experiment.file),
                hint=f"Take back the change ({self.path / COPY} is the file as it was), or name another --out.",
            )

    def result(self, run: PlannedRun) -> dict[str, Any] | None:
        """The summary of a run that was finished, None if there is none or it was cut off."""
        file = self._file(run)
        if not file.exists():
            return None
        try:
            value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            return None
        return value

    def keep(self, run: PlannedRun, summary: Mapping[str, Any]) -> None:
        """Keep the summary of a finished run: whole or not at all."""
        write_json(self._file(run), dict(summary))

    def _file(self, run: PlannedRun) -> Path:
        return self.path / RUNS / f"{run.key}.json"


def _plan(experiment: Experiment, days: Sequence[ExperimentDay]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": __version__,
        "name": experiment.name,
        "policies": {arm.name: [arm.policy, arm.recipe or "", arm.policy_sha256] for arm in experiment.arms},
        "settings": {arm.name: dict(arm.settings) for arm in experiment.arms},
        "invented": {
            f"{days.name}.{name}": value
            for days in experiment.invented
            for name, value in dataclasses.asdict(days.size).items()
        },
        "days": {day.name: day.digest for day in days},
        "seeds": list(experiment.seeds),
        "least_effect": dict(experiment.least_effect),
        "alpha": experiment.alpha,
        "looks": list(experiment.looks),
        "units": experiment.units,
    }


def _change(key: str, was: Any, now: Any) -> str:
    """One difference of two plans in words."""
    if isinstance(was, dict) and isinstance(now, dict):
        gone, came = [each for each in was if each not in now], [each for each in now if each not in was]
        other = [each for each in now if each in was and now[each] != was[each]]
        said = [f"{word} {', '.join(map(str, names))}" for word, names in (("without", gone), ("with", came)) if names]
        if other and key == "days":
            said.append(f"{', '.join(other)} no longer hold what they held")
        elif other:
            said.append(", ".join(f"{each} was {was[each]}, is {now[each]}" for each in other))
        return f"{key}: {', '.join(said) or 'in another order'}"
    return f"{key} was {was}, is {now}"


def _read(file: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise UnreadableFile(
            f"the plan is damaged: {problem}", file=str(file), hint="Begin anew elsewhere."
        ) from problem
    return value


def write_json(file: Path, value: Any) -> None:
    """Write JSON under a temporary name and rename it."""
    part = file.with_name(f".{file.name}.unfinished")
    part.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    part.replace(file)
