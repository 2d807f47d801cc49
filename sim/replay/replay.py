"""A replayed day: its options, its result, and how it is written down.  The host itself is sim/replay/host.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from dispatch.events import Event
from dispatch.inputs import Input, PromiseTaught
from dispatch.policies.policy import Policy
from dispatch.record.run_folder import RunFolderWriter
from dispatch.settings.settings import Settings
from sim.replay.host import Host
from sim.replay.result import Progress, Run
from sim.scenario import Scenario
from sim.world.luck import AcceptanceModel


def replay(
    scenario: Scenario,
    policy: Policy,
    *,
    settings: Settings | None = None,
    seed: int = 1,
    search_seed: int | None = None,
    audit: bool = False,
    journal: TextIO | None = None,
    acceptance: AcceptanceModel | None = None,
    promise: PromiseTaught | None = None,
    quotes: bool = False,
    progress: Callable[[Progress], None] | None = None,
    on_event: Callable[[Input, tuple[Event, ...]], None] | None = None,
) -> Run:
    """Replay a day under a policy.  An interrupt (Ctrl-C) ends it early: what was finished is kept, `complete` False.

    `settings`: those to run with (default: the scenario's); the policy configures them further, and where phones send
    no positions, silence means nothing (`rules.stale_s` and `rules.lost_after_s` are 0) unless riders may be diverted:
    who is to be sent elsewhere has to be seen on their way, so phones then say once a round where they are.  `seed`: of
    the city's luck, and of the search where `search_seed` names no other.  `audit`: have every answer judged
    independently.  `journal`: a text stream that takes the journal's lines as they come.  `on_event`: is told every
    input with its events.  `promise`: what promises begin with.  `quotes`: try every order as it is placed, as a quote
    would (where the promise is made by rule they are tried anyway).
    """
    given = scenario
    chosen = (settings or scenario.catalogue.settings).with_values(
        {"search.seed": seed if search_seed is None else search_seed}
    )
    if not scenario.reality.position_every_s:
        chosen = chosen.with_values({"rules.stale_s": 0, "rules.lost_after_s": 0})
        if chosen.rules.divert:
            seen = dataclasses.replace(scenario.reality, position_every_s=chosen.rules.round_s)
            scenario = dataclasses.replace(scenario, reality=seen)
    host = Host(
        scenario,
        policy,
        policy.configure(chosen),
        seed,
        audit=audit,
        journal=journal,
        acceptance=acceptance,
        promise=promise,
        quotes=quotes,
    )
    return dataclasses.replace(host.run(progress, on_event), scenario=given)


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
