"""The page of the streets' results: every row that was promised, beside its floor and aim, from the newest results."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = tuple[str, str, str, str, str]
"""What is measured, what came of it, floor, aim, and where the result lies."""
Results = Mapping[str, Any]
CAR_MEDIANS = ("the median of free-flow car times over those of OSRM's documented car profile", ".85-1.15", ".9-1.1")


def page(folder: Path) -> str:
    """The whole page, of the newest results in a folder."""
    rows = [row for subject, of in ROWS.items() for row in _of_subject(folder, subject, of)]
    return "\n".join([*HEAD, *("| " + " | ".join(row) + " |" for row in rows), "", *FOOT])


def newest(folder: Path, subject: str) -> Path | None:
    """The newest result of a subject; None where there is none."""
    return max(folder.glob(f"*-{subject}.json"), default=None)


def _of_subject(folder: Path, subject: str, of: Callable[[Results], Sequence[Row]]) -> list[Row]:
    file = newest(folder, subject)
    if file is None:
        return []
    told = json.loads(file.read_text(encoding="utf-8"))
    link = f"[{told['date']}](../../benchmarks/results/{file.with_suffix('.txt').name})"
    return [(*row[:4], f"{link}, {told['versions']['processor']}") for row in of(told["results"])]


def _exact(results: Results) -> list[Row]:
    cities = [city for city in results.values() if isinstance(city, Mapping)]
    each = [one for city in cities for one in city["comparisons"]]
    pairs, differ = (sum(one[key] for one in each) for key in ("pairs", "differ"))
    return [_row("pairs that differ from Dijkstra on the graph with turns", f"{differ} of {pairs:,}", "0", "")]


def _lawful(results: Results) -> list[Row]:
    rows = []
    for profile in dict.fromkeys(name for file in results.values() for name in file):
        mine = [file[profile] for file in results.values() if profile in file]
        alone = sum(one["reached_by_one_alone"] + len(one["streets_of_one_alone"]) for one in mine)
        worst, pairs = max(one["worst"] for one in mine), sum(one["pairs"] for one in mine)
        broken, routes = (sum(one[key] for one in mine) for key in ("break_something", "routes"))
        head = f"by {profile}, {len(mine)} file{'s' if len(mine) > 1 else ''}: "
        rows += [
            _row(
                head + "our time over that of the cheapest lawful route, at worst; reached by one alone",
                f"{worst:.4f}; {alone} of {pairs:,} pairs", "1.005; 0", "",
            ),
            _row(
                head + "routes that break a restriction or cut through streets for ends only",
                f"{broken} of {routes:,}", "0", "",
            ),
        ]  # fmt: skip
    return rows


def _addresses(results: Results) -> list[Row]:
    return [
        _row(
            f"{_city(file)}: addresses at another named street, by coordinates alone / with the name",
            f"{one['alone']:.1%} / {one['named']:.1%}",
            f"{one['nearest_street']:.1%} (the nearest street) / 1 %",
            f"{0.8 * one['nearest_street']:.1%} / .5 %",
        )
        for file, one in results.items()
    ]


def _live(results: Results) -> list[Row]:
    return [
        _row(
            f"{one['jam']} jam, {one['riders']} riders: minutes until quotes know half of it; error of leg times with "
            "live speeds over that without",
            f"{one['minutes_until_half_is_known'] or 'never'}; {one['errors']['jam']['ratio']:.2f}",
            "5; .7", ".5",
        )
        for one in results["rows"]
    ]  # fmt: skip


def _speed(results: Results) -> list[Row]:
    rows = []
    for name, one in results.items():
        if "times_as_fast" in one:
            found, unit = f"{one['times_as_fast']:.1f} times as fast ({one['by_cpu']:.1f} by CPU time)", ""
        else:
            unit = "MB" if "mb" in one else "s"
            found = f"{one[unit.lower()]:g} {unit}"
        rows.append(_row(name, found, f"{one['floor']:g} {unit}".strip(), f"{one['aim']:g} {unit}".strip()))
    return rows


def _medians(results: Results) -> list[Row]:
    what, floor, aim = CAR_MEDIANS
    return [_row(f"{_city(file)}: {what}", f"{one['median']:.3f}", floor, aim) for file, one in results.items()]


def _row(what: str, found: str, floor: str, aim: str) -> Row:
    return what, found, floor, aim, ""


def _city(file: str) -> str:
    return file.split(".")[0].replace("_", " ")


ROWS: Mapping[str, Callable[[Results], Sequence[Row]]] = {
    "roads-exact": _exact,
    "roads-lawful": _lawful,
    "roads-addresses": _addresses,
    "roads-live": _live,
    "roads-speed": _speed,
    "roads-osrm-medians": _medians,
}
HEAD = (
    "# Streets: what was promised, and what was measured",
    "",
    "Map files of Porto, Heidelberg, Helsinki, Monaco, Baltimore and the north of Bayreuth (data: "
    "[benchmarks](../benchmarks.md)); what the streets know and do not know is on [their page](../roads.md). Each row "
    "is the newest result of its command; the last column links to all of it, with commit and versions.",
    "",
    "    python -m benchmarks.roads           # this page, from the newest results",
    "    python -m benchmarks.roads --run     # every row anew, one command after the other, then the page",
    "",
    "| measure | found | floor | aim | result |",
    "|---|---|---|---|---|",
)
FOOT = (
    "*Lawful*: an independent walk over the raw tags, which shares nothing with the import, finds the cheapest way "
    "that breaks nothing, and judges ours. *Addresses*: nodes and centres of buildings whose own street is open "
    "to cars and lies within 100 m. *Jams*: riders in a simulated jam in Heidelberg "
    "([how](../roads.md#traffic-and-weather)). "
    "*Times as fast*: than pyroutingkit, without turns in it and with turns in ours, but for the row of scipy; "
    "medians of wall time, both sides in turn in one run.",
    "",
)
