"""The page of the city days: what ships first, its differences to both rows of VROOM, and every row beside them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.days.contenders import (
    AS_SHIPPED,
    CONTENDERS,
    LATE_WEIGHT,
    ON_TIME,
    REPORTED,
    THRIFTY,
    VROOM,
    VROOM_ON_TIME,
    VROOM_STAR,
    VROOM_THRIFTY,
)
from benchmarks.harness import versions
from dispatch.settings.presets import DEFAULT
from halfhour.comparing import Block, Group, differences

CityDayRow = Mapping[str, str]

COLUMNS = (
    ("on_time_share", "on time %", 1, 100.0), ("driven_s_per_order", "driven min", 2, 1 / 60),
    ("click_to_door_mean_s", "click to door min", 1, 1 / 60), ("click_to_door_p90_s", "p90", 1, 1 / 60),
    ("click_to_door_max_s", "worst", 0, 1 / 60), ("lateness_mean_s", "mean late min", 2, 1 / 60),
    ("undelivered", "undelivered", 1, 1.0), ("batched_share", "shared a bag %", 0, 100.0),
    ("co2_g_per_order", "CO2 g", 0, 1.0), ("changes_per_rider_hour", "changes / rider-hour", 1, 1.0),
    ("round_cpu_mean_s", "CPU ms a round", 1, 1000.0), ("run_cpu_s", "CPU s a day", 1, 1.0),
)  # fmt: skip
PAIRED = (
    ("on_time_share", "kept promises, points", 1, 100.0), ("driven_s_per_order", "driven min", 2, 1 / 60),
    ("click_to_door_mean_s", "click to door min", 1, 1 / 60), ("click_to_door_p90_s", "p90 min", 1, 1 / 60),
    ("lateness_mean_s", "mean late min", 2, 1 / 60), ("undelivered", "undelivered", 1, 1.0),
)  # fmt: skip


def page(rows: Sequence[CityDayRow], csv_name: str) -> str:
    """The whole page; means over days, differences paired day by day with half their 95 % interval."""
    made = versions()
    parts = [
        "# City days, by scarcity of riders", "",
        "Invented days of 150 orders in an hour and a half, half an hour promised to each; every row faces the same "
        "days with the same luck: noise of streets, stops and kitchens. The first row is what ships: what `halfhour "
        "scenario new`, the demo and the live service run with where nobody sets anything. A row with other settings "
        f"says which. The days were named before anything ran on them (seeds {REPORTED[0]} to {REPORTED[-1]}); "
        "settings were chosen on others (11 to 18; how long and how hot a round is searched on 11 to 34), some of them "
        "anew after a table of these days had been published.", "",
        "*VROOM* is asked anew in every round in our planner's place: same rounds and commitments, and the same laws "
        "but for bags: twelve orders instead of four, any number of trips instead of three; told first "
        "stops and what is in a bag pinned; what its hard windows leave out is inserted, and it is asked again, three "
        "times in all, with windows wide enough for that plan; its cheapest plan counts. It knows no law against "
        "mixing stores: it mixes in all of its rows. *As published* is VROOM under the prices and empty moves of "
        "0.1.0; *our prices, no empty moves* gets what ships: those of the default, beside all rows; and "
        "those of `on_time` and `thrifty`, each beside ours under the same.", "",
        "*Days*: how many of the twenty stand behind a row; the command runs those that are missing. *Changes*: told "
        "plans that alter what a phone showed; stops added at the end do not count. *CPU* is processor time, left out "
        f"of days whose process compiled first. [{csv_name}]({csv_name}) has every day, with the cost that counts "
        f"{LATE_WEIGHT} seconds of driving for each second late.", "",
        "Each line was replayed by itself and names the commit of its code. A row is run again once the settings that "
        "it reads are others; VROOM's, which read none of our search, are older than ours.", "",
        "    python -m benchmarks.days.city_days", "",
        f"Page of Halfhour {made['halfhour']} ({made['commit']}), {made['processor']}.", "",
    ]  # fmt: skip
    staffings = sorted({(int(row["orders"]), int(row["riders"])) for row in rows}, key=lambda k: (k[0], -k[1]))
    for orders, riders in staffings:
        own = [row for row in rows if (row["orders"], row["riders"]) == (str(orders), str(riders))]
        parts += [f"## {riders} % of the riders, {orders} orders", "", *_means(own), *_paired(own), *_about_vroom(own)]
    return "\n".join(parts).rstrip() + "\n"


def _means(rows: Sequence[CityDayRow]) -> list[str]:
    parts = _header(["row", "days", *(title for _, title, *_ in COLUMNS)])
    for name, contender in CONTENDERS.items():
        mine = [row for row in rows if row["policy"] == name]
        if mine:
            cells = [_mean(mine, field, digits, factor) for field, _, digits, factor in COLUMNS]
            label = f"**{name}**" if name == AS_SHIPPED else name
            note = f" ({contender.note})" if contender.note else ""
            parts.append(f"| {label}{note} | {len(mine)} | " + " | ".join(cells) + " |")
    return [*parts, ""]


def _mean(rows: Sequence[CityDayRow], field: str, digits: int, factor: float) -> str:
    known = [float(row[field]) for row in rows if row[field] != ""]
    return f"{factor * statistics.mean(known):.{digits}f}" if known else ""


def frontier(rows: Sequence[CityDayRow]) -> str:
    """What each preset does, by staffing, over the days on which every preset has been run."""
    names = [AS_SHIPPED, *(name for name in CONTENDERS if ", preset " in name)]
    parts = _header(["riders", "preset", "days", *(title for _, title, *_ in COLUMNS[:7]), COLUMNS[8][1]])
    for riders in sorted({int(row["riders"]) for row in rows}, reverse=True):
        own = [row for row in rows if row["riders"] == str(riders)]
        seeds = [{row["seed"] for row in own if row["policy"] == name} for name in names]
        common = set.intersection(*seeds)
        for name in names:
            mine = [row for row in own if row["policy"] == name and row["seed"] in common]
            if mine:
                cells = [_mean(mine, field, digits, factor) for field, _, digits, factor in (*COLUMNS[:7], COLUMNS[8])]
                label = DEFAULT if name == AS_SHIPPED else name.rpartition(" ")[2]
                parts.append(f"| {riders} % | {label} | {len(mine)} | " + " | ".join(cells) + " |")
    return "\n".join(parts)


def as_shipped(rows: Sequence[CityDayRow]) -> str:
    """The table of the front page: what ships beside both rows of VROOM, over the days that all three have."""
    names = (AS_SHIPPED, VROOM, VROOM_STAR)
    parts = _header(["riders", "", "days", *(title for _, title, *_ in COLUMNS[:6])])
    for riders in sorted({int(row["riders"]) for row in rows}, reverse=True):
        own = [row for row in rows if row["riders"] == str(riders)]
        common = set.intersection(*({row["seed"] for row in own if row["policy"] == name} for name in names))
        for name in names:
            mine = [row for row in own if row["policy"] == name and row["seed"] in common]
            if mine:
                cells = [_mean(mine, field, digits, factor) for field, _, digits, factor in COLUMNS[:6]]
                label = f"**{name}**" if name == AS_SHIPPED else name
                parts.append(f"| {riders} % | {label} | {len(mine)} | " + " | ".join(cells) + " |")
    return "\n".join(parts)


def _paired(rows: Sequence[CityDayRow]) -> list[str]:
    """Our rows less each row of VROOM, over the days that both have."""
    parts = _header(["difference", "days", *(title for _, title, *_ in PAIRED)])
    ours = [name for name in CONTENDERS if name.startswith("halfhour")]
    beside = {VROOM: ours, VROOM_STAR: ours, VROOM_ON_TIME: [ON_TIME], VROOM_THRIFTY: [THRIFTY]}
    for reference, names in beside.items():
        for name in names:
            parts += _difference(_group(rows, reference), _group(rows, name))
    return [*parts, ""] if len(parts) > 2 else []


def _group(rows: Sequence[CityDayRow], name: str) -> Group:
    fields = [field for field, *_ in PAIRED]
    mine = [row for row in rows if row["policy"] == name]
    days = {Block(row["seed"], 0): {key: float(row[key]) for key in fields} for row in mine}
    return Group(name, days)


def _difference(reference: Group, other: Group) -> list[str]:
    both = reference.runs.keys() & other.runs.keys()
    if len(both) < 2:
        return []
    found = {one.key: one for one in differences(reference, other, [field for field, *_ in PAIRED])}
    cells = [
        f"{factor * found[field].difference:+.{digits}f} ±{factor * (found[field].noise or 0.0):.{digits}f}"
        for field, _, digits, factor in PAIRED
    ]
    return [f"| {other.name} - {reference.name} | {len(both)} | " + " | ".join(cells) + " |"]


def _header(titles: Sequence[str]) -> list[str]:
    return ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]


def _about_vroom(rows: Sequence[CityDayRow]) -> list[str]:
    """How long VROOM searched, in a sentence."""
    mine = [row for row in rows if row["policy"] in (VROOM, VROOM_STAR)]
    if not mine:
        return []
    asked, wall_s, cut, overruled = (
        sum(float(row[f"vroom_{name}"]) for row in mine) for name in ("asked", "wall_s", "cut_short", "overruled")
    )
    return [
        f"VROOM may search {float(mine[0]['vroom_round_s']):g} wall seconds a round. Asked {asked:.0f} times, it took "
        f"{1000 * wall_s / max(1, asked):.1f} ms on average; it was cut short {cut:.0f} times, and in {overruled:.0f} "
        "rounds no plan of it was lawful and insertion answered.", "",
    ]  # fmt: skip
