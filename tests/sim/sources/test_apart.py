"""apart.csv: pairs that must not meet from the beginning of a day on; read, written and refused by file and line."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from dispatch.inputs import ApartSet
from dispatch.people.apart import Party
from dispatch.policies.nearest import Nearest
from sim.sources.folder import APART, read
from sim.sources.folder_writer import write_folder
from sim.sources.rows import InvalidScenario
from tests.kit.days import lived
from tests.kit.folders import written

PAIRS = "rider_id,store_id,customer,door,reason\nanna,kiosk,,,asked for it\nben,,c7,,\nben,,,d1,safety\n"


def test_pairs_are_news_of_the_beginning_and_are_written_as_they_were(tmp_path: Path) -> None:
    folder = written(tmp_path / "day")
    (folder / APART).write_text(PAIRS)
    day = read(folder)
    pairs = [item for item in day.news if isinstance(item, ApartSet)]
    assert [(item.rider_id, item.party, item.name, item.reason) for item in pairs] == [
        ("anna", Party.STORE, "kiosk", "asked for it"), ("ben", Party.CUSTOMER, "c7", "scenario"),
        ("ben", Party.DOOR, "d1", "safety"),
    ]  # fmt: skip
    assert {item.at for item in pairs} == {day.catalogue.begin_at} and all(item.apart for item in pairs)
    first = day.demand[0]
    named = dataclasses.replace(first, order=dataclasses.replace(first.order, customer="c7"))
    day = dataclasses.replace(day, demand=(named, *day.demand[1:]))
    write_folder(tmp_path / "again", day)
    again = read(tmp_path / "again")
    assert again.news == day.news and [one.order.customer for one in again.demand] == [
        "c7",
        *[""] * (len(day.demand) - 1),
    ]
    assert not (tmp_path / "again" / "news.jsonl").exists()


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("nobody,kiosk,,,x", "nobody"),
        ("anna,nowhere,,,x", "nowhere"),
        ("anna,,,,x", "names no store"),
        ("anna,kiosk,c7,,x", "several"),
    ],
)
def test_what_names_nobody_is_refused_by_line(tmp_path: Path, line: str, word: str) -> None:
    folder = written(tmp_path / "day")
    (folder / APART).write_text(PAIRS + line + "\n")
    with pytest.raises(InvalidScenario) as refused:
        read(folder)
    assert word in refused.value.message and refused.value.details["line"] == 5


def test_a_day_keeps_them_apart(tmp_path: Path) -> None:
    folder = written(tmp_path / "day")
    plain, _ = lived(read(folder), Nearest(), seed=1)
    carriers = {(life.rider_id, life.order.store_id) for life in plain.folded.orders.values() if life.rider_id}
    rider_id, store_id = sorted(carriers)[0]
    (folder / APART).write_text(f"rider_id,store_id\n{rider_id},{store_id}\n")
    apart, _ = lived(read(folder), Nearest(), seed=1)
    now = {(life.rider_id, life.order.store_id) for life in apart.folded.orders.values() if life.rider_id}
    assert (rider_id, store_id) not in now
    assert (apart.summary["apart_set"], apart.summary["apart_met"]) == (1, 0)
