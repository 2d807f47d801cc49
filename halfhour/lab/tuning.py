"""Weights for a goal, found by experiments: chosen on some days, reported on others.

First the presets are tried, then single weights around the best of them.  Nothing that was chosen on is reported: the
last experiment sees the other half of the days, and judges what was chosen against what is set.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dispatch.settings.presets import KEY as PRESET
from dispatch.settings.presets import PRESETS
from dispatch.settings.settings import Settings, text_of
from halfhour.lab.conducting import Progress, conduct
from halfhour.lab.experiment import Arm, Experiment, InvalidExperiment, nearest_name
from halfhour.lab.folder import ExperimentFolder
from halfhour.lab.judging import Judgement, Look
from halfhour.lab.reporting import judged, sentence
from halfhour.lab.running import MakeExecutor, Work, processes
from halfhour.lab.runs import PlannedRun, replayed
from halfhour.report.kpi_table import BY_KEY
from routing.errors import InvalidInput

GOALS = {
    "on_time": "on_time_share",
    "door": "click_to_door_mean_s",
    "lateness": "lateness_mean_s",
    "driven": "driven_s_per_order",
    "cost": "cost_per_order",
}
"""What can be asked for, and the figure that tells it."""
LEAST = {
    "on_time_share": 0.01, "click_to_door_mean_s": 15.0, "lateness_mean_s": 15.0, "driven_s_per_order": 15.0,
    "cost_per_order": 0.05,
}  # fmt: skip
"""The smallest differences that matter, as they are judged on the other days."""
FEWEST_DAYS = 4
AS_SET = "as set"
FACTORS = (0.5, 2.0)
WEIGHTS = ("prices.late_fixed", "prices.late_per_s", "prices.work_per_s", "prices.scarce_work_per_s")
"""Each is tried at FACTORS of what it is."""
TUNED = "tuned.json"


class Limit(NamedTuple):
    """How much worse than what is set another figure may become: a share of it."""

    name: str
    share: float

    @property
    def key(self) -> str:
        """The figure."""
        return GOALS[self.name]


class Tuned(NamedTuple):
    """What was found.

    `settings`: to be set, empty where nothing beats what is set; `reported`: the look at the other days, None where
    there is nothing to report.
    """

    settings: dict[str, Any]
    tried: list[dict[str, Any]]
    reported: Look | None
    chosen_on: list[str]
    reported_on: list[str]
    interrupted: bool


def goal_of(text: str) -> str:
    """The name of a goal; raises InvalidInput naming the nearest."""
    if text not in GOALS:
        raise InvalidInput(f"there is no goal {text!r}", field="goal", hint=nearest_name(text, GOALS))
    return text


def limit_of(text: str) -> Limit:
    """`driven=+5%` as a Limit; raises InvalidInput."""
    name, equals, share = text.partition("=")
    try:
        worse = float(share.strip().removeprefix("+").removesuffix("%")) / 100
    except ValueError:
        worse = -1.0
    if not equals or not share.strip().endswith("%") or not 0 <= worse < 10:
        raise InvalidInput(f"--within {text}: is no limit", field="within", hint="Write --within driven=+5%.")
    return Limit(goal_of(name.strip()), worse)


def tune(
    days: Sequence[Path],
    goal: str,
    limits: Sequence[Limit],
    out: Path,
    *,
    seeds: int = 1,
    jobs: int = 2,
    resume: bool = False,
    progress: Progress = lambda done, total, note: None,
    make_executor: MakeExecutor = processes,
    work: Work = replayed,
) -> Tuned:
    """Find settings for a goal on every second day, and judge them on the others.

    Leaves three experiments in `out` (presets, weights, reported) and tuned.json.  Raises InvalidExperiment for days
    that are too few or run under different settings, and what `conduct` raises.
    """
    before = _settings_of(days)
    chosen_on, reported_on = list(days[::2]), list(days[1::2])
    lab = _Lab(goal, limits, out, tuple(range(1, seeds + 1)), resume, before)

    def look(name: str, arms: Sequence[Arm], on: Sequence[Path]) -> Look | None:
        experiment = lab.experiment(name, arms, on)
        done = conduct(
            experiment, out / name, jobs=jobs, resume=resume and (out / name).exists(), progress=progress,
            make_executor=make_executor, work=functools.partial(_once, (out / "presets", out / "weights"), work),
        )  # fmt: skip
        return None if done.interrupted or not done.looks else done.looks[-1]

    best, tried = look_for(lab, chosen_on, look)
    found = None
    if best is not None and best.settings:
        found = look("reported", (lab.reference, best), reported_on)
    stopped = best is None or (bool(best.settings) and found is None)
    settings = dict(best.settings) if best is not None else {}
    tuned = Tuned(settings, tried, found, [day.name for day in chosen_on], [day.name for day in reported_on], stopped)
    out.mkdir(parents=True, exist_ok=True)
    (out / TUNED).write_text(json.dumps(as_data(tuned, goal, limits), indent=1) + "\n", encoding="utf-8")
    return tuned


def _once(folders: Sequence[Path], work: Work, run: PlannedRun) -> Mapping[str, Any]:
    """What an earlier round has replayed is not replayed again."""
    found = (ExperimentFolder(folder).result(run) for folder in folders)
    return next((summary for summary in found if summary is not None), None) or work(run)


LookAt = Callable[[str, Sequence[Arm], Sequence[Path]], Look | None]


def look_for(lab: _Lab, days: Sequence[Path], look: LookAt) -> tuple[Arm | None, list[dict[str, Any]]]:
    """The best arm of two rounds, None where one was interrupted; and what each arm came to."""
    best, tried = lab.reference, list[dict[str, Any]]()
    for name, arms_of in (("presets", lab.presets), ("weights", lab.weights)):
        arms = (lab.reference, *arms_of(best))
        seen = look(name, arms, days)
        if seen is None:
            return None, tried
        tried += lab.told(arms, seen)
        best = lab.best(arms, seen, best)
    return best, tried


class _Lab:
    """What one tuning asks for: its goal and limits, and the arms that are tried."""

    def __init__(
        self, goal: str, limits: Sequence[Limit], out: Path, seeds: tuple[int, ...], resume: bool, before: Settings
    ) -> None:
        self.key = GOALS[goal]
        self.limits = limits
        self.out = out
        self.seeds = seeds
        self.before = before
        self.reference = _arm({})
        self._values: dict[str, Mapping[str, float]] = {}

    def experiment(self, name: str, arms: Sequence[Arm], days: Sequence[Path]) -> Experiment:
        """An experiment on some of the days, judged by goal and limits; it is written down as NAME.json."""
        judged_by = {key: LEAST[key] for key in dict.fromkeys((self.key, *(limit.key for limit in self.limits)))}
        blocks = len(days) * len(self.seeds)
        stated = {
            "name": name, "scenarios": [str(day) for day in days], "seeds": list(self.seeds),
            "arms": [[arm.name, dict(arm.settings)] for arm in arms], "least_effect": judged_by,
        }  # fmt: skip
        self.out.mkdir(parents=True, exist_ok=True)
        file = self.out / f"{name}.json"
        file.write_text(json.dumps(stated, indent=1) + "\n", encoding="utf-8")
        return Experiment(
            file=file, name=f"{self.out.name}: {name}", arms=tuple(arms), scenarios=tuple(days), invented=(),
            seeds=self.seeds, least_effect=judged_by, looks=(blocks,), stated=stated,
        )  # fmt: skip

    def presets(self, _: Arm) -> list[Arm]:
        """One for each preset that is not what is set."""
        return [_arm({PRESET: name}) for name in PRESETS if not self._is_set({PRESET: name})]

    def weights(self, around: Arm) -> list[Arm]:
        """Single weights around the best so far, which is among them."""
        settings = dict(around.settings)
        now = self.before.with_values(settings).flat()
        arms = [around] if settings else []
        for key in WEIGHTS:
            if now[key]:
                arms += [_arm({**settings, key: round(now[key] * factor)}) for factor in FACTORS]
        return arms

    def _is_set(self, settings: Mapping[str, Any]) -> bool:
        return self.before.with_values(settings) == self.before

    def told(self, arms: Sequence[Arm], look: Look) -> list[dict[str, Any]]:
        """What each arm came to, by figure."""
        keys = list(dict.fromkeys((self.key, *(limit.key for limit in self.limits))))
        for arm in arms[1:]:
            mine = {one.key: one for one in look.judgements if one.arm == arm.name}
            self._values[arm.name] = {key: mine[key].value for key in keys if key in mine}
            self._values[self.reference.name] = {key: mine[key].reference for key in keys if key in mine}
        return [
            {
                "name": arm.name,
                "settings": dict(arm.settings),
                **self._values.get(arm.name, {}),
                "within": self._ok(arm),
            }
            for arm in arms
        ]

    def best(self, arms: Sequence[Arm], look: Look, before: Arm) -> Arm:
        """The arm within the limits whose goal is best; of equals the first, so that what is set stays where it can."""
        sense = BY_KEY[self.key].sense
        return max(
            (arm for arm in dict.fromkeys((self.reference, before, *arms)) if self._ok(arm)),
            key=lambda arm: sense * self._values[arm.name][self.key],
        )

    def _ok(self, arm: Arm) -> bool:
        mine, set_ = self._values.get(arm.name, {}), self._values.get(self.reference.name, {})
        return self.key in mine and all(
            limit.key in mine
            and (mine[limit.key] - set_[limit.key]) * -BY_KEY[limit.key].sense <= limit.share * abs(set_[limit.key])
            for limit in self.limits
        )


def _arm(settings: Mapping[str, Any]) -> Arm:
    name = " ".join(f"{key.rpartition('.')[2]}={text_of(value)}" for key, value in settings.items()) or AS_SET
    return Arm(name, "halfhour", None, tuple(settings.items()), "")


def _settings_of(days: Sequence[Path]) -> Settings:
    from halfhour.replaying import opened
    from sim.replay.result import day_digest

    if len(days) < FEWEST_DAYS:
        raise InvalidExperiment(
            f"{len(days)} days are too few: it is chosen on every second one, and reported on the others",
            field="scenarios",
            hint=f"Name at least {FEWEST_DAYS}: halfhour scenario new makes some, one for each seed.",
        )
    scenarios = [opened(day)[0] for day in days]
    first_with: dict[str, Path] = {}
    for day, digest in zip(days, map(day_digest, scenarios), strict=True):
        if digest in first_with:
            twin = first_with[digest]
            raise InvalidExperiment(
                f"{twin.name} and {day.name} are one day: it would be chosen on what is reported on",
                field="scenarios", file=str(day), hint="Name every day once.",
            )  # fmt: skip
        first_with[digest] = day
    found = [scenario.catalogue.settings for scenario in scenarios]
    for day, settings in zip(days, found, strict=True):
        differs = [key for key, value in settings.flat().items() if value != found[0].flat()[key]]
        if differs:
            raise InvalidExperiment(
                f"{day.name} runs under another {differs[0]} than {days[0].name}", field=differs[0], file=str(day),
                hint="Give all days the same settings.",
            )  # fmt: skip
    return found[0]


def as_data(tuned: Tuned, goal: str, limits: Sequence[Limit]) -> dict[str, Any]:
    """What was found, as JSON values."""
    look = tuned.reported
    return {
        "goal": goal,
        "within": {limit.name: limit.share for limit in limits},
        "settings": tuned.settings,
        "chosen_on": tuned.chosen_on,
        "reported_on": tuned.reported_on,
        "tried": tuned.tried,
        "reported": [_reported(one, look.unit) for one in judged(look)] if look is not None else [],
        "complete": not tuned.interrupted,
    }


def _reported(one: Judgement, unit: str) -> dict[str, Any]:
    return {
        "figure": one.key, "as_set": one.reference, "tuned": one.value, "verdict": one.verdict,
        "half_width": one.paired.half_width, "words": sentence(one, unit),
    }  # fmt: skip
