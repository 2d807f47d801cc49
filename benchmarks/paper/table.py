"""From result lines to figures: medians over seeds of sums over instances, and what is still missing."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.paper.families import family_figure, mean_gap
from benchmarks.paper.rows import ROWS, Row, instances_of, tasks_of

Line = Mapping[str, Any]

TIE = 1e-6


class PaperFigure(NamedTuple):
    """What a row of the table says."""

    text: str
    have: int
    wanted: int
    provisional: int
    """Lines taken by CPU seconds, on a machine that others used too."""


def key_of(line: Line) -> tuple[str, str, str, int]:
    """Row, instance, solver and seed."""
    return line["row"], line["instance"], line["solver"], line["seed"]


def newest(lines: Iterable[Line]) -> list[Line]:
    """One line a task: the last one by the wall clock, or the last one where there is none."""
    found: dict[tuple[str, str, str, int], Line] = {}
    for line in lines:
        before = found.get(key_of(line))
        if before is None or line["clock"] == "wall" or before["clock"] != "wall":
            found[key_of(line)] = line
    return list(found.values())


def is_whole(line: Line) -> bool:
    """A legal plan that serves everybody."""
    return line["law"] == "NONE" and line["unserved"] == 0


def of(lines: Sequence[Line], row: str, solver: str | None = None) -> list[Line]:
    """The lines of one row (and solver)."""
    return [line for line in lines if line["row"] == row and solver in (None, line["solver"])]


def figure(lines: Sequence[Line], name: str, seeds: list[int]) -> PaperFigure:
    """The row's figure from what is there."""
    row = ROWS[name]
    own = of(lines, name)
    if name == "fleet" and own:
        own += of(lines, "lilim-100")  # measured under the same conditions
    wanted = tasks_of(row, seeds, row.solvers)
    keys = {key_of(line) for line in lines}
    have = sum(tuple(task) in keys for task in wanted)
    provisional = sum(line["clock"] == "cpu" for line in of(lines, name))
    return PaperFigure(_TEXT[name](own) if own else "", have, len(wanted), provisional)


def by_seed(lines: Iterable[Line]) -> dict[int, dict[str, Line]]:
    """Lines of one solver: seed -> instance -> line."""
    found: dict[int, dict[str, Line]] = {}
    for line in lines:
        found.setdefault(line["seed"], {})[line["instance"]] = line
    return found


def complete_seeds(lines: Iterable[Line]) -> list[dict[str, Line]]:
    """Instance -> line of each seed that has as many instances as any: a part of them tells another tale."""
    seeds = list(by_seed(lines).values())
    most = max(map(len, seeds), default=0)
    return [own for own in seeds if len(own) == most]


def median(values: Iterable[float]) -> float | None:
    """The median, None of nothing."""
    known = list(values)
    return statistics.median(known) if known else None


def at_best_known(lines: Sequence[Line]) -> tuple[float, int, float | None]:
    """Instances at best-known vehicles or fewer (median over seeds), of how many, and the median gap there in %."""
    hits, gaps = [], []
    count = 0
    for own in complete_seeds(lines):
        count = len(own)
        reached = [line for line in own.values() if is_whole(line) and line["vehicles"] <= line["best_known_vehicles"]]
        hits.append(len(reached))
        level = [line for line in reached if line["vehicles"] == line["best_known_vehicles"]]
        gaps += [100 * (line["distance"] / line["best_known"] - 1) for line in level]
    return median(hits) or 0, count, median(gaps)


def fleet_ratio(lines: Sequence[Line]) -> float | None:
    """Vehicles over best-known vehicles, summed over instances, median over seeds; plans left incomplete left out."""
    ratios = []
    for own in complete_seeds(lines):
        whole = [line for line in own.values() if is_whole(line)]
        if whole:
            ratios.append(sum(x["vehicles"] for x in whole) / sum(x["best_known_vehicles"] for x in whole))
    return median(ratios)


def against(
    lines: Sequence[Line], peers: Sequence[str], value: Callable[[Line], float]
) -> list[tuple[str, float, float]]:
    """(instance, ours, best peer's) by median over seeds, where both have whole plans."""
    found = []
    for instance in dict.fromkeys(line["instance"] for line in lines):
        whole = [line for line in lines if line["instance"] == instance and is_whole(line)]
        ours = median(value(line) for line in whole if line["solver"] == "halfhour")
        theirs = [median(value(x) for x in whole if x["solver"] == peer) for peer in peers]
        known = [one for one in theirs if one is not None]
        if ours is not None and known:
            found.append((instance, ours, min(known)))
    return found


def _hits(lines: Sequence[Line]) -> str:
    reached, count, gap = at_best_known([line for line in lines if line["solver"] == "halfhour"])
    share = f"{reached:g} of {count}"
    return share if gap is None else f"{share} / {gap:.2f} %"


def _vehicles(lines: Sequence[Line]) -> str:
    ratio = fleet_ratio([line for line in lines if line["solver"] == "halfhour"])
    return "" if ratio is None else f"{ratio:.3f}"


def _fleet(lines: Sequence[Line]) -> str:
    pairs = against(lines, ("vroom", "pyvrp", "ortools"), lambda line: line["vehicles"])
    if not pairs:
        return ""
    known = {line["instance"]: line["best_known_vehicles"] for line in lines}
    theirs = sum(peer for *_, peer in pairs)
    ratio, least = sum(ours for _, ours, _ in pairs) / theirs, sum(known[name] for name, *_ in pairs) / theirs
    return f"{ratio:.3f} ({len(pairs)} instances; as many as best known would be {least:.3f})"


def _distance(lines: Sequence[Line]) -> str:
    pairs = against(lines, ("vroom", "pyvrp"), lambda line: line["distance"])
    if not pairs:
        return ""
    gaps = [100 * (ours / theirs - 1) for _, ours, theirs in pairs]
    ahead = sum(gap <= TIE for gap in gaps)
    return f"{max(gaps):+.2f} % at worst, mean {sum(gaps) / len(gaps):+.2f} %; ahead or level on {ahead} of {len(gaps)}"


def moments(lines: Sequence[Line], key: str) -> list[float]:
    """Ours over VROOM's by moment."""
    found = []
    for seed in sorted({line["seed"] for line in lines}):
        pair = {line["solver"]: line for line in lines if line["seed"] == seed}
        if len(pair) == 2 and pair["vroom"][key]:
            found.append(pair["halfhour"][key] / pair["vroom"][key])
    return found


def _cost(lines: Sequence[Line]) -> str:
    ratio = median(moments(lines, "cost"))
    vroom = median(line["wall_s"] for line in lines if line["solver"] == "vroom")
    return "" if ratio is None else f"{ratio:.3f} (VROOM took {vroom:.0f} s)"


def _late(lines: Sequence[Line]) -> str:
    late, travel = median(moments(lines, "late")), median(moments(lines, "travel"))
    return "" if late is None else f"{late:.2f} ({travel:.2f})"


_TEXT: dict[str, Callable[[Sequence[Line]], str]] = {
    "lilim-100": _hits, "lilim-200": _hits, "lilim-400": _vehicles, "sartori": _vehicles, "fleet": _fleet,
    "distance": _distance, "snapshot-50": _cost, "snapshot-200": _cost, "snapshot-500": _cost, "late-50": _late,
    "late-200": _late, "lilim-1000": _vehicles, **{name: family_figure for name, row in ROWS.items() if row.family},
}  # fmt: skip


def solvers_of(lines: Iterable[Line], row: Row) -> list[str]:
    """The row's solvers, and those whose answers were judged."""
    return list(dict.fromkeys([*row.solvers, *(line["solver"] for line in lines if line["row"] == row.name)]))


def solver_figures(lines: Sequence[Line], row: Row) -> list[list[str]]:
    """One line a solver: instances, vehicles and distance against the best known, seconds."""
    told = []
    for solver in solvers_of(lines, row):
        own = of(lines, row.name, solver)
        if not own:
            continue
        reached, count, gap = at_best_known(own)
        ratio = fleet_ratio(own)
        whole = sum(map(is_whole, own))
        told.append([
            solver, f"{count} of {len(instances_of(row))}", "" if ratio is None else f"{ratio:.3f}", f"{reached:g}",
            "" if gap is None else f"{gap:.2f} %", f"{len(own) - whole}",
            f"{median(x['wall_s'] for x in own):.1f} / {median(x['cpu_s'] for x in own):.1f}",
        ])  # fmt: skip
    return told


def family_lines(lines: Sequence[Line], row: Row) -> list[list[str]]:
    """One line a solver: instances, mean gap to the best known, plans that are not whole, seconds."""
    told = []
    for solver in solvers_of(lines, row):
        own = of(lines, row.name, solver)
        if own:
            gap = mean_gap(own, solver)
            told.append([
                row.title.partition(":")[0], solver, f"{len({x['instance'] for x in own})} of {len(instances_of(row))}",
                "" if gap is None else f"{gap:.2f} %", str(sum(not is_whole(x) for x in own)),
                f"{median(x['wall_s'] for x in own):.1f} / {median(x['cpu_s'] for x in own):.1f}",
            ])  # fmt: skip
    return told


def distance_figures(lines: Sequence[Line]) -> list[list[str]]:
    """One line a solver: distance alone, against the best plan that any of them found."""
    own = [line for line in of(lines, "distance") if is_whole(line)]
    best: dict[str, float] = {}
    for line in own:
        best[line["instance"]] = min(best.get(line["instance"], float("inf")), line["distance"])
    told = []
    for solver in ROWS["distance"].solvers:
        mine = [line for line in own if line["solver"] == solver]
        if not mine:
            continue
        gaps = [100 * (line["distance"] / best[line["instance"]] - 1) for line in mine]
        told.append([
            solver, str(len({line["instance"] for line in mine})), f"{sum(gaps) / len(gaps):.2f} %",
            f"{max(gaps):.2f} %", f"{sum(gap <= TIE for gap in gaps)} of {len(gaps)}",
            f"{median(x['wall_s'] for x in mine):.1f} / {median(x['cpu_s'] for x in mine):.1f}",
        ])  # fmt: skip
    return told
