"""What a report says of promises: tables that add up, a map of areas, the worst orders with their story."""

from __future__ import annotations

import dataclasses

import pytest

from dispatch.model import Store, Zone
from dispatch.record.catalogue import Catalogue
from dispatch.record.kpi import KpiFold
from dispatch.record.people.spread import gini
from halfhour.report import kept, truths
from halfhour.report.figures import FilmClock

CLOCK = FilmClock("UTC")


def test_the_parts_of_each_row_add_up(day: tuple[Catalogue, KpiFold]) -> None:
    catalogue, fold = day
    for table in truths.anatomy(catalogue, fold, CLOCK):
        assert sum(int(row[1]) for row in table.rows) == 12
        for row in table.rows:
            assert len(row) == len(table.heads)
            assert sum(map(float, row[3:8])) == pytest.approx(float(row[8]), abs=0.3)


def test_the_worst_orders_come_with_what_happened(day: tuple[Catalogue, KpiFold]) -> None:
    _, fold = day
    late = sorted((life.lateness_s for life in fold.orders.values() if not life.is_on_time), reverse=True)
    assert late, "the day is too easy to test anything"
    table = truths.worst(fold, CLOCK)
    assert [row[1] for row in table.rows] == [f"{one / 60:.0f} min" for one in late[: truths.WORST]]
    for row in table.rows:
        assert "placed" in row[2] and "delivered" in row[2] and "most of it" in row[2]


def test_the_map_names_every_area_of_every_hour_once(day: tuple[Catalogue, KpiFold]) -> None:
    catalogue, fold = day
    found = kept.areas(catalogue, fold, CLOCK)
    of_the_day = [area for area in found if area.hour == kept.ALL_DAY]
    assert sum(area.orders for area in of_the_day) == 12
    assert sum(area.orders for area in found if area.hour != kept.ALL_DAY) == 12
    on_time = sum(life.is_on_time for life in fold.orders.values())
    assert sum(area.on_time for area in of_the_day) == on_time < 12
    drawn = kept.kept_map(catalogue, fold, CLOCK)
    assert drawn.count("<polygon") == len(found)
    assert drawn.count("display:none") == len({area.hour for area in found}) - 1, "the day as a whole is shown first"
    assert kept.kept_map(catalogue, KpiFold(catalogue), CLOCK) == ""


def test_a_store_is_in_its_zone_or_else_in_a_cell(day: tuple[Catalogue, KpiFold]) -> None:
    catalogue = dataclasses.replace(day[0], stores=(Store("s", 0),))
    (cell,) = set(truths.zone_names(catalogue).values())
    assert int(cell, 16)
    around = Zone("centre", ((-5000.0, -5000.0), (-5000.0, 5000.0), (5000.0, 5000.0), (5000.0, -5000.0)))
    zoned = dataclasses.replace(catalogue, zones=(around,))
    assert set(truths.zone_names(zoned).values()) == {"centre"}


def test_what_was_said_stands_beside_what_came(day: tuple[Catalogue, KpiFold]) -> None:
    catalogue, fold = day
    table = truths.calibrated(fold)
    assert table is not None and sum(int(row[2]) for row in table.rows) == 12
    assert "0% were said after 600" in table.note
    assert truths.calibrated(KpiFold(catalogue)) is None


def test_earnings_say_how_even_they_are(day: tuple[Catalogue, KpiFold]) -> None:
    _, fold = day
    table = truths.earnings(fold)
    assert table is not None and float(table.rows[0][1]) <= float(table.rows[2][1])
    assert gini([5, 5, 5]) == 0 and gini([0, 0, 0, 8]) == pytest.approx(0.75) and gini([]) == 0
