"""Speeds as other programs keep them, in CSV: OSRM's by segment, Valhalla's by way, plain ones by time of day."""

from __future__ import annotations

import base64
import binascii
import csv
import itertools
import logging
import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.roads.errors import InvalidSpeed, InvalidTraffic
from routing.roads.source.countries import MILE_KM
from routing.roads.streets import Streets, straight_cm
from routing.roads.traffic.traffic import EdgeSpeeds, TrafficTable

logger = logging.getLogger(__name__)

DAY_MIN = 24 * 60
FIRST_SUNDAY = 3 * 86_400
"""Epoch second of the first Sunday: the weeks of Valhalla begin then."""
FASTEST_KMH = 300.0
COEFFICIENTS, BUCKETS, BUCKET_S = 200, 2016, 300
"""Of Valhalla's predicted speeds: numbers of a discrete cosine transform, and five-minute buckets of a week."""
SLOT_BUCKETS = 3
DAY_BEGINS, DAY_ENDS = 7 * 60, 19 * 60
"""Valhalla's constrained speeds hold from 07:00 to 19:00, those of free flow else."""
_DIRECTIONS = {
    "": (0, 1), "both": (0, 1), "0": (0, 1), "forward": (0,), "f": (0,), "1": (0,), "backward": (1,), "b": (1,),
    "-1": (1,),
}  # fmt: skip
_WEEK = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
DAYS = {name: day for day, whole in enumerate(_WEEK) for name in (whole, whole[:3], whole[:2])}
DAY_HEADS = ("days", "day", "weekday", "weekdays")
"""Heads of a column of days."""
SEPARATORS = ",;\t|"
UNITS = {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": MILE_KM}
"""What follows a number, in km/h."""
KMH_HEADS = {"kmh": "kmh", "km/h": "kmh", "kph": "kmh", "speed": "kmh", "speed_kmh": "kmh", "speed_kph": "kmh",
    "mph": "mph", "speed_mph": "mph"}  # fmt: skip
"""Heads of columns of speeds, with their unit."""
Slot = dict[int, list[tuple[float, float]]]
"""Of a direction of an edge (2 * edge + direction): share of its length and km/h of what is known."""


def is_speed_csv(text: str) -> bool:
    """Whether a traffic file is CSV and no TOML."""
    for line in text.splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            return any(mark in line for mark in SEPARATORS) and "=" not in line and not line.startswith("[")
    return False


def _separator(text: str) -> str:
    """What parts the cells of the first line: the mark that stands there most often."""
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    return max(SEPARATORS, key=first.count)


def parse_speeds(text: str, streets: Streets, file: str) -> TrafficTable:
    """A daily or weekly table from a CSV file, in one of three forms.

    `from_node,to_node,km/h` without a head, as OSRM takes them (more columns are passed over); `way,direction,kmh` with
    `from`, `to` (times of day) where wanted; `way,direction` with `freeflow`, `constrained`, `predicted` as Valhalla
    keeps them.  Rows of what is not in the streets are counted and passed over.  The speeds are those of cars, where
    the streets know cars, else the most that anybody drives.  Cells are parted by commas, semicolons (a comma is then
    a decimal point), tabs or bars; speeds may have a unit, km/h or mph.  Raises InvalidTraffic or InvalidSpeed with the
    line.
    """
    separator = _separator(text)
    rows = csv.reader(text.splitlines(), delimiter=separator)
    numbered = [(k, [cell.strip() for cell in row]) for k, row in enumerate(rows, start=1)]
    numbered = [(k, row) for k, row in numbered if any(row) and not row[0].startswith("#")]
    if not numbered:
        raise InvalidTraffic("the file holds no speeds", file=file)
    head = [cell.lower() for cell in numbered[0][1]]
    unit = next((KMH_HEADS[cell] for cell in head if cell in KMH_HEADS), "kmh")
    head = ["kmh" if cell in KMH_HEADS else cell for cell in head]
    reader = _SpeedRows(streets, file, unit=unit, comma="," if separator == "," else ".")
    if head[0] in ("way", "way_id", "osm_way_id"):
        head[0] = "way"
        named = [(k, dict(zip(head, row, strict=False))) for k, row in numbered[1:]]
        wanted = {"kmh"} & set(head) or {"freeflow", "constrained", "predicted"} & set(head)
        if not wanted:
            raise InvalidTraffic("a table by way needs kmh, or freeflow, constrained or predicted", file=file, line=1)
        table = reader.by_clock(named) if "kmh" in wanted else reader.of_valhalla(named)
    else:
        begin = 1 if not head[0].lstrip("-").isdecimal() else 0
        table = reader.of_osrm(numbered[begin:])
    reader.tell()
    return table


@dataclass
class _SpeedRows:
    """Reads rows into slots, and counts those that name nothing of these streets."""

    streets: Streets
    file: str
    unit: str = "kmh"
    comma: str = ","
    """What a comma within a number becomes."""
    rows: int = 0
    strange: list[str] = field(default_factory=list)

    def of_osrm(self, rows: Sequence[tuple[int, list[str]]]) -> TrafficTable:
        """One speed for all times of every segment between two nodes of the map."""
        found: Slot = {}
        segments = _segments(self.streets)
        said: dict[tuple[int, int], float] = {}
        for line, row in rows:
            if len(row) < 3:
                raise InvalidTraffic("a row is from_node,to_node,km/h", file=self.file, line=line)
            pair = self._number(row[0], "from_node", line), self._number(row[1], "to_node", line)
            said[pair] = self._kmh(row[2], line)
            self._count(f"{pair[0]} to {pair[1]}", bool(segments(pair)))
        for pair, kmh in said.items():
            for code, share in segments(pair):
                found.setdefault(code, []).append((share, kmh))
        return self._daily([found], 3600)

    def by_clock(self, rows: Sequence[tuple[int, Mapping[str, str]]]) -> TrafficTable:
        """Speeds of ways between times of day, on the days named where there is a column for them."""
        spans = []
        for line, row in rows:
            begin = self._clock(row.get("from", ""), 0, "from", line)
            end = self._clock(row.get("to", ""), DAY_MIN, "to", line)
            spans.append((begin, end if end > begin else end + DAY_MIN, line, row))
        slot_min = math.gcd(60, *(edge for begin, end, _, _ in spans for edge in (begin, end)))
        weekly = any(name in row for _, row in rows for name in DAY_HEADS)
        per_day = DAY_MIN // slot_min
        slots: list[Slot] = [{} for _ in range(per_day * (7 if weekly else 1))]
        for begin, end, line, row in spans:
            kmh = self._kmh(row.get("kmh", ""), line)
            days = self._days(row, line) if weekly else (0,)
            codes = list(self._codes(row, line))
            for day, slot in itertools.product(days, range(begin // slot_min, end // slot_min)):
                slots[(day * per_day + slot) % len(slots)].update({code: [(1.0, kmh)] for code in codes})
        return self._daily(slots, slot_min * 60, FIRST_SUNDAY if weekly else 0)

    def of_valhalla(self, rows: Sequence[tuple[int, Mapping[str, str]]]) -> TrafficTable:
        """Speeds of ways by hour, and of five-minute buckets of a week where they are predicted."""
        weekly = any(row.get("predicted") for _, row in rows)
        per_day = 86_400 // (SLOT_BUCKETS * BUCKET_S)
        slots: list[Slot] = [{} for _ in range(per_day * (7 if weekly else 1))]
        for line, row in rows:
            speeds = np.full(len(slots), np.nan)
            clock = np.arange(len(slots)) % per_day * (DAY_MIN // per_day)
            day = (clock >= DAY_BEGINS) & (clock < DAY_ENDS)
            for name, when in (("freeflow", ~day), ("constrained", day)):
                if row.get(name, "") not in ("", "0"):
                    speeds[when] = self._kmh(row[name], line)
            if row.get("predicted"):
                speeds = np.maximum(decode_predicted(row["predicted"], self.file, line), 1.0)
            for code in self._codes(row, line):
                for slot in np.flatnonzero(np.isfinite(speeds)).tolist():
                    slots[slot][code] = [(1.0, float(speeds[slot]))]
        return self._daily(slots, SLOT_BUCKETS * BUCKET_S, FIRST_SUNDAY if weekly else 0)

    def tell(self) -> None:
        """Warn of the rows that name nothing of these streets."""
        if self.strange:
            logger.warning(
                "%s: %d of %d rows name what is not in this city and are passed over: %s%s",
                self.file, len(self.strange), self.rows, ", ".join(self.strange[:5]),
                f" and {len(self.strange) - 5} more" if len(self.strange) > 5 else "",
            )  # fmt: skip
        if len(self.strange) == self.rows:
            logger.warning("%s: it selects 0 edges", self.file)

    def _daily(self, slots: Sequence[Slot], slot_s: int, starts_at: int = 0) -> TrafficTable:
        profiles = ("car",) if "car" in self.streets.profiles else ()
        rules = []
        for slot in slots:
            codes = sorted(slot)
            share = np.array([min(1.0, sum(part for part, _ in slot[code])) for code in codes])
            kmh = np.array([_together(slot[code]) for code in codes])
            rules.append((EdgeSpeeds(np.array(codes, dtype=np.int64), kmh, share, profiles),) if codes else ())
        shared = {each: each for each in rules}
        return TrafficTable(starts_at, slot_s, tuple(shared[each] for each in rules), daily=True)

    def _codes(self, row: Mapping[str, str], line: int) -> Iterator[int]:
        way = self._number(row.get("way", ""), "way", line)
        said = row.get("direction", "").lower()
        if said not in _DIRECTIONS:
            raise InvalidTraffic(
                f"a direction is forward, backward or both, not {said!r}", file=self.file, line=line, field="direction"
            )
        edges = np.flatnonzero(self.streets.way == way).tolist()
        self._count(f"way {way}", bool(edges))
        return (2 * edge + direction for edge in edges for direction in _DIRECTIONS[said])

    def _days(self, row: Mapping[str, str], line: int) -> set[int]:
        """Days of the week, Sunday first: names of days (mon, Monday) and spans of them, parted by blanks or marks."""
        name, text = next(((head, row[head]) for head in DAY_HEADS if row.get(head)), ("days", ""))
        found: set[int] = set()
        for part in text.lower().replace(",", " ").replace(";", " ").replace("/", " ").split():
            ends = [DAYS.get(end) for end in part.split("-")]
            if None in ends or len(ends) > 2:
                raise InvalidTraffic(
                    f"days are mon to sun, as in mon-fri, not {part!r}", file=self.file, line=line, field=name
                )
            first, last = int(ends[0] or 0), int(ends[-1] or 0)
            found |= {day % 7 for day in range(first, last + (7 if last < first else 0) + 1)}
        return found or set(range(7))

    def _count(self, name: str, known: bool) -> None:
        self.rows += 1
        if not known:
            self.strange.append(name)

    def _number(self, text: str, name: str, line: int) -> int:
        try:
            number = int(text)
        except ValueError:
            raise InvalidTraffic(f"{text!r} is no whole number", file=self.file, line=line, field=name) from None
        if abs(number) >= 2**63:
            raise InvalidTraffic(f"{text} is no number that streets have", file=self.file, line=line, field=name)
        return number

    def _kmh(self, text: str, line: int) -> float:
        number = text.rstrip("kmph/KMPH ")
        unit = UNITS.get(text[len(number) :].strip().lower(), math.nan)
        if self.unit == "mph" and text == number:
            unit = MILE_KM
        try:
            kmh = float(number.replace(",", self.comma)) * unit
        except ValueError:
            kmh = math.nan
        if not 0 <= kmh <= FASTEST_KMH:
            raise InvalidSpeed(
                f"a speed is 0 to {FASTEST_KMH:g} km/h, not {text!r}", file=self.file, line=line, field="kmh"
            )
        return kmh

    def _clock(self, text: str, default: int, name: str, line: int) -> int:
        if not text:
            return default
        hours, colon, rest = text.partition(":")
        minutes = rest.split(":")[0]
        good = colon and hours.isdecimal() and minutes.isdecimal() and int(hours) * 60 + int(minutes) <= DAY_MIN
        if not good or int(minutes) > 59:
            raise InvalidTraffic(f"{text!r} is no time of day", file=self.file, line=line, field=name)
        return int(hours) * 60 + int(minutes)


def _together(parts: Sequence[tuple[float, float]]) -> float:
    """One speed of several parts of an edge; 0 where one of them is closed."""
    if any(kmh == 0 for _, kmh in parts):
        return 0.0
    return sum(share for share, _ in parts) / sum(share / kmh for share, kmh in parts)


def _segments(streets: Streets) -> Callable[[tuple[int, int]], list[tuple[int, float]]]:
    """Finds, for two nodes in a row, every (2 * edge + direction, share of the edge's length) between them."""
    node, lat, lng = streets.shape_node, streets.shape_lat, streets.shape_lng
    length = straight_cm(lat[:-1], lng[:-1], lat[1:], lng[1:])
    inner = np.ones(max(len(node) - 1, 0), dtype=np.bool_)
    inner[streets.shape_start[1:-1] - 1] = False
    edge = np.repeat(np.arange(streets.edges), np.diff(streets.shape_start))[:-1]
    whole = np.bincount(edge[inner], weights=length[inner], minlength=streets.edges)
    first, second = node[:-1][inner], node[1:][inner]
    share = length[inner] / np.maximum(whole[edge[inner]], 1e-9)
    at: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for a, b, e, part in zip(first.tolist(), second.tolist(), edge[inner].tolist(), share.tolist(), strict=True):
        at.setdefault((a, b), []).append((2 * e, part))
        at.setdefault((b, a), []).append((2 * e + 1, part))
    return lambda pair: at.get(pair, [])


def decode_predicted(text: str, file: str, line: int) -> NDArray[np.float64]:
    """Km/h of every slot of a week from Valhalla's predicted speeds: base64 of 200 int16, a cosine transform.

    Raises InvalidTraffic.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 2 * COEFFICIENTS:
        raise InvalidTraffic(f"predicted must be {COEFFICIENTS} numbers in base64", file=file, line=line)
    numbers = np.array(struct.unpack(f">{COEFFICIENTS}h", raw), dtype=np.float64)
    numbers[0] *= math.sqrt(0.5)
    bucket = np.arange(BUCKETS)[:, None] + 0.5
    waves = np.cos(math.pi / BUCKETS * bucket * np.arange(COEFFICIENTS)[None, :])
    kmh: NDArray[Any] = waves @ numbers * math.sqrt(2.0 / BUCKETS)
    return np.asarray(kmh.reshape(-1, SLOT_BUCKETS).mean(axis=1))
