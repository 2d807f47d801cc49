"""Tables of stores and riders as people save them: read whole and checked whole, before the first row goes out."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from routing.cells import METRES_PER_DEGREE
from routing.errors import InvalidInput, UnreadableFile

CITY_M = 300_000
"""Rows further than this from the middle of their table are taken for an error."""

Rows = list[tuple[int, dict[str, Any]]]


def read_table(file: Path, required: tuple[str, ...], optional: tuple[str, ...]) -> Rows:
    """Line number and non-empty cells of each row; raises InvalidInput naming file and line."""
    text = read_text(file)
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    header = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = header
    for name in required:
        if name not in header:
            raise _wrong(f"there is no column {name}", file, 1)
    for name in header:
        if name not in (*required, *optional):
            raise _wrong(f"nobody knows the column {name}", file, 1)
    rows: Rows = []
    for row in reader:
        found = {name: value.strip() for name, value in row.items() if name and value and value.strip()}
        for name in required:
            if name not in found:
                raise _wrong(f"{name} is empty", file, reader.line_num)
        # Where cells are parted by ; a comma is the point of a number.
        point = "," if delimiter == ";" else "."
        rows.append((reader.line_num, {n: _value(n, v, point, file, reader.line_num) for n, v in found.items()}))
    _require_one_city(rows, file)
    return rows


def read_text(file: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark; raises UnreadableFile."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise UnreadableFile(
            f"it is not UTF-8: byte {problem.object[problem.start]:#04x} at position {problem.start}",
            file=str(file),
            hint="Save it again as UTF-8; it may be Latin-1 or Windows-1252.",
        ) from problem
    except OSError as problem:
        raise UnreadableFile(f"it cannot be read: {problem.strerror}", file=str(file)) from problem


def _value(name: str, text: str, point: str, file: Path, line: int) -> Any:
    kind: type = {"lat": float, "lng": float}.get(name, int if name.endswith(("_s", "_units")) else str)
    try:
        value = kind(text.replace(point, ".") if kind is float else text)
    except ValueError:
        raise _wrong(f"{name}: {text!r} is no number", file, line) from None
    most = {"lat": 90.0, "lng": 180.0}.get(name)
    if most is not None and not abs(value) <= most:
        raise _wrong(f"{name} must lie between -{most:g} and {most:g}", file, line)
    return value


def _require_one_city(rows: Iterable[tuple[int, dict[str, Any]]], file: Path) -> None:
    """Raises where a row lies far from the others, and says so if it lies among them with its coordinates swapped."""
    points = [(line, row["lat"], row["lng"]) for line, row in rows]
    if not points:
        return
    middle = median(lat for _, lat, _ in points), median(lng for _, _, lng in points)
    for line, lat, lng in points:
        if _metres(middle, (lat, lng)) <= CITY_M:
            continue
        if _metres(middle, (lng, lat)) <= CITY_M:
            raise _wrong("lat and lng are swapped", file, line)
        raise _wrong(f"it lies {_metres(middle, (lat, lng)) / 1000:,.0f} km from the other rows", file, line)


def _metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    across = (b[1] - a[1]) * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.hypot(across, b[0] - a[0]) * METRES_PER_DEGREE


def _wrong(message: str, file: Path, line: int) -> InvalidInput:
    return InvalidInput(message, code="unreadable_file", file=str(file), line=line)
