"""What a replay gives: progress, times, and the run with its summary."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from dispatch.board.board import Board
from dispatch.record.kpi import KpiFold
from dispatch.record.people.hours_audit import HoursAudit
from dispatch.settings.settings import Settings
from dispatch.version import __version__
from sim.scenario import Scenario


class Progress(NamedTuple):
    """How far a replay has come; told after every round."""

    at: int
    begin_at: int
    end_at: int
    placed: int
    total: int
    delivered: int


@dataclass
class RunTimes:
    """Seconds spent on this machine: solving each round (wall and CPU), and the whole run."""

    round_wall_s: list[float] = field(default_factory=list)
    round_cpu_s: list[float] = field(default_factory=list)
    run_wall_s: float = 0.0
    run_cpu_s: float = 0.0

    def summary(self) -> dict[str, float | None]:
        """The figures of summary.json; they differ from run to run and are part of no digest."""
        wall, cpu = np.array(self.round_wall_s), np.array(self.round_cpu_s)
        return {
            "round_wall_mean_s": round(float(wall.mean()), 5) if len(wall) else None,
            "round_wall_p99_s": round(float(np.percentile(wall, 99)), 5) if len(wall) else None,
            "round_wall_max_s": round(float(wall.max()), 5) if len(wall) else None,
            "round_cpu_mean_s": round(float(cpu.mean()), 5) if len(cpu) else None,
            "run_wall_s": round(self.run_wall_s, 3),
            "run_cpu_s": round(self.run_cpu_s, 3),
        }


@dataclass
class Run:
    """What a replay gives: the folded KPIs, the last board, and the summary."""

    scenario: Scenario
    policy: str
    settings: Settings
    seed: int
    folded: KpiFold
    board: Board
    complete: bool
    times: RunTimes
    refusals: int
    """Requests that the engine refused: an order cancelled too late, an offer answered too late."""
    violations: list[str] | None
    """What the audit found in the answers of rounds; None where none was asked for."""
    travel_digests: tuple[str, ...] = ()
    """Of the travel times, as believed and as they are."""
    hours: HoursAudit | None = None
    """What the judge of hours and rest found, where there is a rule of them or an audit was asked for."""

    def __post_init__(self) -> None:
        if self.violations is not None and self.hours is not None:
            self.violations = [*self.violations, *self.hours.breaches]

    @functools.cached_property
    def scenario_digest(self) -> str:
        """Digest of the whole day: runs of one day and seed faced the same orders, promises and luck."""
        return self.scenario.digest(*self.travel_digests)

    @property
    def summary(self) -> dict[str, Any]:
        """Everything that summary.json says."""
        catalogue = self.scenario.catalogue
        return {
            "scenario": catalogue.name,
            "source": catalogue.source,
            "attribution": catalogue.attribution,
            "policy": self.policy,
            "recipe": self.settings.search.recipe,
            "seed": self.seed,
            "complete": self.complete,
            **self.folded.summary(),
            **self.times.summary(),
            "refusals": self.refusals,
            "audit_violations": None if self.violations is None else len(self.violations),
            **({} if self.hours is None or not self.settings.rules.hours else self.hours.lines()),
            "has_luck": self.scenario.has_luck,
            "notes": list(self.scenario.notes),
            "scenario_digest": self.scenario_digest,
            "catalogue_digest": catalogue.digest,
            "settings": self.settings.flat(),
            "versions": versions(),
        }


def day_digest(scenario: Scenario) -> str:
    """The `scenario_digest` that runs of this day will have."""
    catalogue, true = scenario.catalogue, scenario.reality.travel
    believed = catalogue.travel.bind(catalogue.places).digest
    return scenario.digest(believed, believed if true is None else true.bind(catalogue.places).digest)


def versions() -> dict[str, str]:
    """Versions of everything a result depends on."""
    found = {"halfhour": __version__, "python": platform.python_version()}
    for name in ("numpy", "numba", "ortools", "h3", "shapely"):
        version = _version_of(name)
        if version is not None:
            found[name] = version
    return found


def _version_of(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
