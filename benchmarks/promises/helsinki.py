"""Real delivery minutes: 47 days of Wolt in Helsinki, with the platform's own estimate in the place of a quote.

The file names no riders: the load is told by orders under way, over what is usual on the days before.
"""

from __future__ import annotations

import csv
import datetime
import heapq
from pathlib import Path
from statistics import median

from benchmarks.inputs.public_data import require
from dispatch.board.board import SERVICE_PAUSE_S
from dispatch.engine.decisions.promises import ZONE_RESOLUTION
from dispatch.promise.groups import Circumstances, groups_of
from dispatch.promise.told import QUOTE, Said
from dispatch.record.telling import Telling
from routing.cells import cell_of

FILE = ("wolt_helsinki", "orders_2020-08-01_2020-09-16.csv")
REPORTED_FROM = datetime.datetime(2020, 9, 1, tzinfo=datetime.UTC)
"""The month before teaches; paces were chosen on it."""
RAIN_FROM_MM = 0.1


def minutes(file: Path | None = None) -> list[Telling]:
    """Every order as if its estimate had been a quote, in the order of placement."""
    with (file or require(*FILE)).open(encoding="utf-8", newline="") as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: row["TIMESTAMP"])
    usual = _usual(rows)
    under_way: list[int] = []
    began_at = last_at = 0
    told = []
    for number, row in enumerate(rows):
        at = _placed_at(row)
        while under_way and under_way[0] <= at:
            heapq.heappop(under_way)
        began_at = at if at > last_at + SERVICE_PAUSE_S else began_at
        last_at = at
        expected_at = at + 60 * int(row["ESTIMATED_DELIVERY_MINUTES"])
        came_at = at + 60 * int(row["ACTUAL_DELIVERY_MINUTES"])
        found = Circumstances(
            basis=QUOTE,
            load=round(100 * len(under_way) / usual),
            wait_s=0,
            into_service_s=at - began_at,
            recent_ms=0,
            lead_s=expected_at - at,
            cooking_s=0,
            zone=f"{cell_of(float(row['VENUE_LAT']), float(row['VENUE_LONG']), ZONE_RESOLUTION):x}",
            weather="rain" if float(row["PRECIPITATION"] or 0) >= RAIN_FROM_MM else "",
        )
        said = Said(QUOTE, expected_at, expected_at, (0,) * 10, 0, False, groups_of(found))
        told.append(Telling(str(number), at, said, came_at, came_at))
        heapq.heappush(under_way, came_at)
    return told


def _placed_at(row: dict[str, str]) -> int:
    return int(datetime.datetime.fromisoformat(row["TIMESTAMP"]).replace(tzinfo=datetime.UTC).timestamp())


def _usual(rows: list[dict[str, str]]) -> float:
    """Orders under way when one is placed, on the days before those reported: their median."""
    under_way: list[int] = []
    found = []
    for row in rows:
        at = _placed_at(row)
        if at >= REPORTED_FROM.timestamp():
            break
        while under_way and under_way[0] <= at:
            heapq.heappop(under_way)
        found.append(len(under_way))
        heapq.heappush(under_way, at + 60 * int(row["ACTUAL_DELIVERY_MINUTES"]))
    return max(1.0, float(median(found)))
