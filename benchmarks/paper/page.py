"""The page that the figures make (docs/results/solver.md)."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.paper.rows import ROWS
from benchmarks.paper.table import Line, distance_figures, family_lines, figure, newest, of, solver_figures

INTRO = """# The solver beside its peers

Every solver runs in a process of its own, on one thread, with the same time for its search; one evaluator judges all
plans. Medians over seeds. VROOM and OR-Tools know no seed and run once on each instance. PyVRP spends half its time on
its own reduction of the fleet where vehicles count. On live snapshots VROOM has no time limit: its windows are hard, so
what it leaves out is inserted for it and it is asked again, three times in all, with windows wide enough for that plan;
its best plan counts. Files bring prices of their own, and so do the snapshots (a second of travel 1, a second
late 3; where it is said, a charge for being late): no row here is what ships. What ships stands first among whole
[city days](city-days.md).

    HALFHOUR_DATA=... python -m benchmarks.paper                      # everything, hours; goes on where it stopped
    python -m benchmarks.paper --rows lilim-100,fleet --seeds 1,2,3   # some of it
    python -m benchmarks.paper --page docs/results/solver.md          # this page from the lines at hand
"""

FLEET = {
    "lilim-100": "Li & Lim 100, 1 s", "fleet": "Li & Lim 200, 1 s", "lilim-200": "Li & Lim 200, 10 s",
    "lilim-400": "Li & Lim 400, 10 s", "sartori": "Sartori & Buriol n100-n400, 30 s",
}  # fmt: skip


def page(lines: Sequence[Line], seeds: list[int]) -> str:
    """The page from result lines."""
    lines = newest(lines)
    versions = sorted({f"{line['date']}, {line['version']} ({line['commit']})" for line in lines})
    parts = [INTRO, f"Measured {'; '.join(versions)}.", "", "## The table", ""]
    parts += _table(["measure", "floor", "aim", "here", "runs", "by CPU seconds"], _summary(lines, seeds))
    parts += [
        "*Runs*: how many of the runs that the row wants are in the result file; where some are missing, the figure is "
        "that of a sample. *By CPU seconds*: runs taken on a machine that others used too, where wall seconds say "
        "little; they are provisional until `benchmarks.paper` runs by the wall clock on a quiet one.",
        "", "## Vehicles first", "",
        "A plan with fewer vehicles wins, whatever it drives. *Incomplete*: plans that break a law or leave a task "
        "out; they are in no ratio.", "",
    ]  # fmt: skip
    headings = [
        "solver", "instances", "vehicles / best known", "at best known", "gap there", "incomplete", "wall / CPU s",
    ]  # fmt: skip
    for name, title in FLEET.items():
        told = solver_figures(lines, ROWS[name])
        if told:
            parts += [f"### {title}", "", *_table(headings, told)]
    parts += ["## Distance alone", "", "Against the best plan that any of them found.", ""]
    parts += _table(["solver", "instances", "mean gap", "worst gap", "best or level", "wall / CPU s"],
                    distance_figures(lines))  # fmt: skip
    parts += ["## Other families", "", "Mean gap of the cost to the best known, by the file's own rule.", ""]
    parts += _table(["row", "solver", "instances", "mean gap", "incomplete", "wall / CPU s"],
                    [told for row in ROWS.values() if row.family for told in family_lines(lines, row)])  # fmt: skip
    parts += ["## Live snapshots", "", "Cost is seconds of travel and three for each second late.", ""]
    parts += _table(["moment", "solver", "cost", "travel s", "late orders", "wall / CPU s"], _moments(lines))
    return "\n".join(parts).rstrip() + "\n"


def _summary(lines: Sequence[Line], seeds: list[int]) -> list[list[str]]:
    told = []
    for name, row in ROWS.items():
        made = figure(lines, name, seeds)
        runs = f"{made.have} of {made.wanted}" if made.have else "**missing**"
        told.append([row.title, row.floor, row.aim, made.text, runs, str(made.provisional or "")])
    return told


def _moments(lines: Sequence[Line]) -> list[list[str]]:
    told = []
    for name, row in ROWS.items():
        if not row.is_snapshot:
            continue
        for line in sorted(of(lines, name), key=lambda line: (line["seed"], line["solver"])):
            charge = ", late charge" if row.late_charge else ""
            told.append([
                f"{row.sources[0]} / {row.sources[1]}, seed {line['seed']}{charge}", line["solver"],
                f"{line['cost']:,}", f"{line['travel']:,}", str(line["late"]), f"{line['wall_s']} / {line['cpu_s']}",
            ])  # fmt: skip
    return told


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return ["Nothing yet.", ""]
    lines = ["| " + " | ".join(headings) + " |", "|---" * len(headings) + "|"]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]
