"""`halfhour.replay`: a day under a policy, as tables; what the commands replay and demo run as well."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halfhour.policies import RECORDED, Chosen, choose_for
from halfhour.streets import ScenarioStreets, map_of_streets
from halfhour.travel.day_answers import ask_for
from routing.errors import UnreadableFile

if TYPE_CHECKING:
    import pandas as pd

    from dispatch.policies.policy import Policy
    from dispatch.record.run_folder import RunFolderWriter
    from dispatch.settings.settings import Settings
    from sim.replay.result import Progress, Run
    from sim.scenario import Scenario

MAP_FILE = "map.geojson"
"""Lines to be drawn under a report, in a scenario folder and in its run folders."""

REPORT = "report.html"


class Replay:
    """A replayed day.  `summary`: the KPIs as in summary.json; `path`: its run folder, None if none was written."""

    def __init__(self, run: Run, summary: dict[str, Any], path: Path | None) -> None:
        self.run = run
        self.summary = summary
        self.path = path

    @property
    def orders(self) -> pd.DataFrame:
        """One row per order; the columns of orders.csv (docs/kpis.md)."""
        import pandas as pd

        from dispatch.record.run_folder import ORDER_COLUMNS, order_rows

        return pd.DataFrame(order_rows(self.run.folded), columns=list(ORDER_COLUMNS))

    @property
    def riders(self) -> pd.DataFrame:
        """One row per rider; the columns of riders.csv."""
        import pandas as pd

        from dispatch.record.run_folder import RIDER_COLUMNS, rider_rows

        return pd.DataFrame(rider_rows(self.run.folded), columns=list(RIDER_COLUMNS))

    @property
    def legs(self) -> pd.DataFrame:
        """One row per way driven: rider, place handles, epoch seconds of departure and arrival, whether empty."""
        import pandas as pd

        from dispatch.record.lives import Leg

        return pd.DataFrame(self.run.folded.legs, columns=list(Leg._fields))

    def __repr__(self) -> str:
        share = self.summary["on_time_share"]
        on_time = "" if share is None else f", {share:.1%} on time"
        return (
            f"<Replay {self.summary['scenario']!r}, {self.summary['policy']}: {self.summary['orders']} orders{on_time}>"
        )


def replay(
    scenario: str | Path | Scenario,
    *,
    policy: str | Policy = "halfhour",
    recipe: str | None = None,
    seed: int = 1,
    settings: Mapping[str, Any] | None = None,
    roads: str | Path | None = None,
    traffic: str | Path | None = None,
    weather: str = "",
    true_traffic: str | Path | None = None,
    true_weather: str = "",
    audit: bool = False,
    promise: str | Path | None = None,
    quotes: bool = False,
    out: str | Path | None = None,
    force: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Replay:
    """Replay a scenario (a folder, a file, or a Scenario) and return its KPIs and tables.

    `policy`: a name, `file.py:Class`, or an object; `recipe`: how `halfhour` plans a round.  `seed`: of the city's luck
    and, unless `settings` say `search.seed`, of the search.  `settings`: by key, on top of the scenario's.  `roads`: a
    road network to travel on; `traffic` (a TOML file), `weather`: as the engine believes them; `true_traffic`,
    `true_weather`: as riders meet them.  `out`: a run folder to write (never overwritten without `force`).  `progress`:
    is told after every round how far it is.  `promise`: a file of `halfhour promise fit` that promises begin with;
    `quotes`: ask for a quote of every order as it is placed.
    Raises InvalidInput and its kin for whatever a person can mend.
    """
    from dispatch.record.telling import taught_by
    from halfhour.promising import read
    from sim.replay import replay as runs
    from sim.world.luck import SureAcceptance

    values = dict(settings or {})
    day, features = opened(scenario, ScenarioStreets(roads, traffic, weather, true_traffic, true_weather), asks=True)
    chosen = choose_for(day, policy, recipe=recipe)
    day, configured = _under(day, values)
    options: dict[str, Any] = {
        "settings": configured,
        "seed": seed,
        "search_seed": configured.search.seed if "search.seed" in values else None,
        "audit": audit,
        "promise": None if promise is None else taught_by(read(promise), day.catalogue.begin_at),
        "quotes": quotes,
        "progress": progress,
        "acceptance": SureAcceptance() if policy == RECORDED else None,
    }
    if out is None:
        run = runs.replay(day, chosen.policy, **options)
        return Replay(run, _summary(run, chosen), None)
    from dispatch.record.run_folder import RunFolderWriter

    target = Path(out)
    with RunFolderWriter(target, force=force) as folder:
        run = runs.replay(day, chosen.policy, journal=folder.journal, **options)
        runs.write_run(folder, run)
        done = Replay(run, _summary(run, chosen), target)
        _complete(folder, done, features)
    return done


def _under(day: Scenario, values: Mapping[str, Any]) -> tuple[Scenario, Settings]:
    """The day with notes on `values`, without those on settings that they overrule, and the settings that they make."""
    from dispatch.settings.choosing import remarks, still_true

    before = day.catalogue.settings
    configured = before.with_values(values)
    notes = dict.fromkeys((*still_true(day.notes, before, configured), *remarks(values, configured)))
    return dataclasses.replace(day, notes=tuple(notes)), configured


def opened(
    scenario: str | Path | Scenario, streets: ScenarioStreets | None = None, *, asks: bool = False
) -> tuple[Scenario, dict[str, Any] | None]:
    """The Scenario, on other `streets` where they are given, and the map in its folder or of its streets.

    `asks`: a travel service is asked for what its answers lack.
    """
    from sim.sources import open_scenario

    features = None
    if isinstance(scenario, str | Path):
        path = Path(scenario)
        day = open_scenario(path)
        features = map_in(path if path.is_dir() else path.parent)
    else:
        day = scenario
    if streets is not None:
        day = streets.under(day)
    if asks:
        ask_for(day)
    if features is None or (streets is not None and streets.roads is not None):
        features = map_of_streets(day.catalogue) or features
    return day, features


def dated_folder(name: str) -> Path:
    """A folder of this minute under runs/, with a number where that is taken."""
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M")
    word = "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-")
    first = Path("runs") / f"{stamp}-{word}"
    taken = 1
    folder = first
    while folder.exists():
        taken += 1
        folder = first.with_name(f"{first.name}-{taken}")
    return folder


def map_in(folder: Path) -> dict[str, Any] | None:
    """The lines to be drawn under a map, of a scenario or run folder; None where it has none."""
    path = folder / MAP_FILE
    if not path.is_file():
        return None
    try:
        features: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise UnreadableFile(
            f"the map is damaged: {problem}", file=str(path), hint="Mend it or delete it."
        ) from problem
    return features


def _summary(run: Run, chosen: Chosen) -> dict[str, Any]:
    """summary.json: the run's, and where a policy of one's own came from."""
    summary = run.summary
    if "sha256" in chosen.described:
        summary |= {"policy_file": chosen.described["path"], "policy_sha256": chosen.described["sha256"]}
    if run.policy == RECORDED:
        summary["as_recorded"] = as_recorded(run.scenario)
    return summary


def as_recorded(day: Scenario) -> dict[str, float | int | None]:
    """What the recorded day says of itself, beside its replay: orders delivered, click to door, share on time."""
    orders = {one.order.order_id: one.order for one in day.demand if one.cancelled_at is None}
    done = [
        (orders[one.order_id], one.delivered_at)
        for one in day.recorded_times
        if one.delivered_at is not None and one.order_id in orders
    ]
    seconds = [delivered_at - order.placed_at for order, delivered_at in done]
    on_time = sum(delivered_at <= order.due_at for order, delivered_at in done)
    return {
        "delivered": len(done),
        "click_to_door_mean_s": round(sum(seconds) / len(seconds), 4) if seconds else None,
        "on_time_share": round(on_time / len(orders), 4) if orders else None,
    }


def _complete(folder: RunFolderWriter, done: Replay, features: dict[str, Any] | None) -> None:
    """Add to a run folder what only this room knows: the policy's origin, the map, the report."""
    from dispatch.record.run_folder import SUMMARY
    from halfhour.report.page import write_report

    text = json.dumps(done.summary, ensure_ascii=False, indent=1)
    (folder.path / SUMMARY).write_text(text + "\n", encoding="utf-8")
    if features is not None:
        (folder.path / MAP_FILE).write_text(json.dumps(features, separators=(",", ":")), encoding="utf-8")
    if done.run.folded.orders:
        catalogue = done.run.scenario.catalogue
        write_report(folder.path / REPORT, catalogue, done.run.folded, done.summary, features=features)


def reread(path: str | Path) -> tuple[dict[str, Any], Any]:
    """Summary and KPI fold of a run folder, made anew from its journal."""
    from dispatch.record.kpi import kpis
    from dispatch.record.run_folder import RunFolder

    folder = RunFolder(Path(path))
    return folder.summary, kpis(folder.catalogue, folder.entries())


def write_comparison(path: Path, done: Replay, summary: dict[str, Any], fold: Any) -> None:
    """A report of one replay with another, reread from its folder, beside it."""
    from halfhour.report.page import write_report

    features = map_in(done.path) if done.path is not None else None
    catalogue = done.run.scenario.catalogue
    write_report(path, catalogue, done.run.folded, done.summary, baseline=(summary, fold), features=features)


def remove(path: Path) -> None:
    """Remove a folder, if it is there and ours."""
    from dispatch.record.run_folder import is_ours

    if is_ours(path):
        shutil.rmtree(path, ignore_errors=True)
