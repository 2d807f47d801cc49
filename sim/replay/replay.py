"""A replayed day: its options, its result, and how it is written down.  The host itself is sim/replay/host.py."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

from dispatch.board.board import Board
from dispatch.events import Event
from dispatch.inputs import Input
from dispatch.policies.policy import Policy
from dispatch.record.kpi import KpiFold
from dispatch.record.run_folder import RunFolderWriter
from dispatch.settings.settings import Settings
from dispatch.version import __version__
from sim.scenario import Scenario
from sim.world.luck import AcceptanceModel


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
            "has_luck": self.scenario.has_luck,
            "notes": list(self.scenario.notes),
            "catalogue_digest": catalogue.digest,
            "settings": self.settings.flat(),
            "versions": versions(),
        }


def replay(
    scenario: Scenario,
    policy: Policy,
    *,
    settings: Settings | None = None,
    seed: int = 1,
    audit: bool = False,
    journal: TextIO | None = None,
    acceptance: AcceptanceModel | None = None,
    progress: Callable[[Progress], None] | None = None,
    on_event: Callable[[Input, tuple[Event, ...]], None] | None = None,
) -> Run:
    """Replay a day under a policy.  An interrupt (Ctrl-C) ends it early: what was finished is kept, `complete` False.

    `settings`: those to run with (default: the scenario's); the policy configures them further, and where phones send
    no positions, silence means nothing (`rules.stale_s` and `rules.lost_after_s` are 0) unless riders may be diverted:
    who is to be sent elsewhere has to be seen on his way, so phones then say once a round where they are.  `seed`: of
    the city's luck and of the search.  `audit`: have every answer judged independently.  `journal`: a text stream that
    takes the journal's lines as they come.  `on_event`: is told every input with its events.
    """
    from sim.replay.host import Host

    chosen = (settings or scenario.catalogue.settings).with_values({"search.seed": seed})
    if not scenario.reality.position_every_s:
        chosen = chosen.with_values({"rules.stale_s": 0, "rules.lost_after_s": 0})
        if chosen.rules.divert:
            seen = dataclasses.replace(scenario.reality, position_every_s=chosen.rules.round_s)
            scenario = dataclasses.replace(scenario, reality=seen)
    host = Host(scenario, policy, policy.configure(chosen), seed, audit=audit, journal=journal, acceptance=acceptance)
    return host.run(progress, on_event)


def replay_into(target: Path, scenario: Scenario, policy: Policy, *, force: bool = False, **options: Any) -> Run:
    """Replay, and leave a run folder at `target`; the options are those of `replay`."""
    with RunFolderWriter(target, force=force) as folder:
        run = replay(scenario, policy, journal=folder.journal, **options)
        write_run(folder, run)
    return run


def write_run(folder: RunFolderWriter, run: Run) -> None:
    """Write what a finished run leaves behind, but for its journal."""
    folder.write(run.scenario.catalogue, run.folded, run.summary)
    if run.scenario.catalogue.source == "grubhub":
        from sim.sources.grubhub import write_solution

        write_solution(folder.path / "mdrp", run.folded, run.scenario.catalogue)


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
