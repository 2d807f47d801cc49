"""Head and sections of CVRPLIB's, TSPLIB's and PyVRP's files, every word of them known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from routing.errors import UnreadableFile, Unsupported
from routing.problem.formats.distances import Numbers

_HEAD = {
    "NAME", "COMMENT", "TYPE", "DIMENSION", "VEHICLES", "CAPACITY", "SERVICE_TIME", "EDGE_WEIGHT_TYPE",
    "EDGE_WEIGHT_FORMAT", "NODE_COORD_TYPE", "DISPLAY_DATA_TYPE", "DISTANCE", "VEHICLES_MAX_DURATION",
    "VEHICLES_MAX_DISTANCE", "VEHICLES_MAX_RELOADS",
}  # fmt: skip
_SECTIONS = {
    "NODE_COORD_SECTION", "EDGE_WEIGHT_SECTION", "DEMAND_SECTION", "DEPOT_SECTION", "TIME_WINDOW_SECTION",
    "SERVICE_TIME_SECTION", "PRIZE_SECTION", "CAPACITY_SECTION", "VEHICLES_FIXED_COST_SECTION",
    "VEHICLES_UNIT_DISTANCE_COST_SECTION", "VEHICLES_DEPOT_SECTION", "DISPLAY_DATA_SECTION", "RELEASE_TIME_SECTION",
    "VEHICLES_RELOAD_DEPOT_SECTION", "VEHICLES_MAX_DURATION_SECTION", "VEHICLES_MAX_DISTANCE_SECTION",
    "VEHICLES_MAX_RELOADS_SECTION", "VEHICLES_ALLOWED_CLIENTS_SECTION",
}  # fmt: skip


def divided(path: Path, lines: list[tuple[int, str]]) -> tuple[dict[str, str], dict[str, Numbers]]:
    """Head and sections of a CVRPLIB file, every word of them known."""
    head: dict[str, str] = {}
    sections: dict[str, Numbers] = {}
    section = ""
    for number, line in lines:
        word = line.partition(":")[0].split()[0]
        if line == "EOF":
            break
        if word[0].isalpha():
            if word not in _HEAD | _SECTIONS:
                raise Unsupported(f"{word} is not supported", field=word, file=path.name, line=number)
            section = word if word in _SECTIONS else ""
            if section:
                sections[section] = []
            else:
                head[word] = line.partition(":")[2].strip()
                if not head[word] and word not in ("NAME", "COMMENT"):
                    raise UnreadableFile(f"{word} says nothing", file=path.name, line=number)
            continue
        try:
            numbers = [float(x) for x in line.split()]
        except ValueError:
            raise UnreadableFile("not a number", file=path.name, line=number) from None
        if not section or not np.isfinite(numbers).all():
            raise UnreadableFile("numbers outside a section", file=path.name, line=number)
        sections[section].append((number, numbers))
    return head, sections


def listed(
    path: Path, sections: dict[str, Numbers], name: str, vehicles: int, known: set[int]
) -> list[list[int]] | None:
    """Locations that a section lists for each vehicle, from 0; None where the file has no such section."""
    if name not in sections:
        return None
    found: list[list[int]] = [[] for _ in range(vehicles)]
    for number, row in sections[name]:
        if not 1 <= row[0] <= vehicles or any(int(x) - 1 not in known for x in row[1:]):
            raise UnreadableFile("not a vehicle and its locations", file=path.name, line=number)
        found[int(row[0]) - 1] = [int(x) - 1 for x in row[1:]]
    return found


def by_number(
    path: Path, sections: dict[str, Numbers], name: str, count: int, default: float, free: set[int]
) -> list[float]:
    """The second number of each row of a section, by its first one: each once, none but depots (`free`) left out."""
    values, seen = [default] * count, set[int]()
    for number, row in sections.get(name, []):
        index = int(row[0]) - 1
        if len(row) < 2 or not 0 <= index < count:
            raise UnreadableFile(f"{name} is for 1 to {count}", file=path.name, line=number)
        if index in seen:
            raise UnreadableFile(f"{name} has {index + 1} twice", file=path.name, line=number)
        values[index] = row[1]
        seen.add(index)
    missing = set(range(count)) - seen - (set() if name.startswith(("VEHICLES", "CAPACITY")) else free)
    if name in sections and missing:
        raise UnreadableFile(f"{name} says nothing of {min(missing) + 1}", file=path.name)
    return values


def head_number(path: Path, head: dict[str, str], word: str, default: float) -> float:
    """The number that the head gives for a word."""
    try:
        value = float(head.get(word, default))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UnreadableFile(f"{word} is no number: {head[word]}", file=path.name)
    return value
