"""A map file as it is drawn: ways cut at their junctions, gates, lights and restrictions, as one profile meets them."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.roads.raw import clock, law

LIGHTS_M = 40.0
Piece = tuple[int, int, int, int]
"""A stretch of a way between two junctions in one direction: way, first and last node, 2 * its number + direction."""


@dataclass
class RawWay:
    """A way as it stands in the file."""

    tags: dict[str, str]
    nodes: list[int]


@dataclass
class RawMap:
    """`seconds`, `metres`, `ends` by piece; `after`: pieces that begin at a node; `gates`: verdict, seconds by node."""

    at: dict[int, tuple[float, float]] = field(default_factory=dict)
    ways: dict[int, RawWay] = field(default_factory=dict)
    gates: dict[int, tuple[str, float]] = field(default_factory=dict)
    lights: dict[int, str] = field(default_factory=dict)
    crossings: set[int] = field(default_factory=set)
    relations: list[tuple[dict[str, str], list[tuple[str, int, str]]]] = field(default_factory=list)
    seconds: dict[Piece, float] = field(default_factory=dict)
    metres: dict[Piece, float] = field(default_factory=dict)
    ends: dict[Piece, bool] = field(default_factory=dict)
    line: dict[Piece, list[int]] = field(default_factory=dict)
    after: dict[int, list[Piece]] = field(default_factory=dict)
    arms: Counter[int] = field(default_factory=Counter)
    at_times: set[Piece] = field(default_factory=set)
    """Pieces that are shut at some hours."""
    level: dict[Piece, int] = field(default_factory=dict)
    """By tags alone: 0 never for ends only, 1 at some hours, 2 always."""
    minute: int | None = None


def read_map(path: Path, table: Mapping[str, Any], minute: int | None = None) -> RawMap:
    """What a file says to a profile, at a minute of the week or where no condition holds."""
    import osmium

    found = RawMap(minute=minute)
    tagged = osmium.filter.KeyFilter("highway", "route", "barrier", "crossing", "type")
    for item in osmium.FileProcessor(str(path)).with_locations().with_filter(tagged):
        tags = dict(item.tags)
        if item.is_node():
            if "barrier" in tags and (said := law.gate(clock.at(tags, minute), table)) != (law.OPEN, 0.0):
                found.gates[item.id] = said
            if tags.get("highway") == "traffic_signals":
                found.lights[item.id] = tags.get("traffic_signals:direction", "both")
            if tags.get("crossing") == "traffic_signals" or tags.get("crossing:signals") == "yes":
                found.crossings.add(item.id)
        elif item.is_way() and ("highway" in tags or tags.get("route") == "ferry"):
            # A node twice in a row is one: no street crosses itself there.
            nodes = [ref for ref, _ in itertools.groupby(node.ref for node in item.nodes)]
            if len(nodes) < 2:
                continue  # a way of one node leads nowhere, and is no crossing
            found.at.update((n.ref, (n.location.lat, n.location.lon)) for n in item.nodes if n.location.valid())
            if "highway" not in tags:
                there = [found.at[node] for node in nodes if node in found.at]
                tags = law.ferry(tags, sum(distance(a, b) for a, b in itertools.pairwise(there)))
            found.ways[item.id] = RawWay(tags, nodes)
        elif item.is_relation() and tags.get("type", "").startswith("restriction"):
            found.relations.append((tags, [(m.type, m.ref, m.role) for m in item.members]))
    _cut(found, table)
    return found


def _cut(found: RawMap, table: Mapping[str, Any]) -> None:
    """Cut the ways that a profile may use where they meet others, at gates and at their ends."""
    usual = {n for n, w in found.ways.items() if _usable(w.tags, table)}
    open_ = {n: w for n, w in found.ways.items() if n in usual or _usable(clock.at(w.tags, found.minute), table)}
    uses: Counter[int] = Counter()
    for way in open_.values():
        uses.update(way.nodes)
    for number, way in open_.items():
        now = clock.at(way.tags, found.minute)
        pace = {side: law.drive(now, side, table) for side in (":forward", ":backward")}
        hours = {side: _by_hours(way.tags, side, table) for side in (":forward", ":backward")}
        for nth, part in enumerate(_parts(way.nodes, found, uses)):
            metres = sum(distance(found.at[a], found.at[b]) for a, b in itertools.pairwise(part))
            # What is shut but for some hours counts for no arm of a crossing.
            found.arms[part[0]] += number in usual
            found.arms[part[-1]] += number in usual
            for turned, side, line in ((0, ":forward", part), (1, ":backward", part[::-1])):
                kmh, ends = pace[side]
                if kmh:
                    piece = (number, line[0], line[-1], 2 * nth + turned)
                    on_foot = not table.get("restrictions")
                    waits = _waits(line, side, found, way.tags["highway"] if on_foot else "")
                    found.after.setdefault(line[0], []).append(piece)
                    found.seconds[piece] = metres / kmh * 3.6 + waits * table["signal_s"]
                    found.metres[piece], found.ends[piece], found.line[piece] = metres, ends, line
                    shut, found.level[piece] = hours[side]
                    if shut:
                        found.at_times.add(piece)


def _by_hours(tags: Mapping[str, str], side: str, table: Mapping[str, Any]) -> tuple[bool, int]:
    """(whether a direction is shut at some hours, 0 to 2: never, at some hours or always for ends only)."""
    minutes = [None, *clock.changes(tags)]
    said = [law.drive(clock.at(tags, minute), side, table) for minute in minutes]
    ends = [only for kmh, only in said if kmh]
    return not all(kmh for kmh, _ in said), any(ends) + all(ends) if ends else 0


def _usable(tags: Mapping[str, str], table: Mapping[str, Any]) -> bool:
    return any(law.drive(tags, side, table)[0] for side in (":forward", ":backward"))


def _parts(nodes: list[int], found: RawMap, uses: Counter[int]) -> list[list[int]]:
    """Stretches of a way between its ends, crossings and gates; it breaks off where nodes are missing."""
    parts: list[list[int]] = []
    line: list[int] = []
    for node in nodes:
        if node not in found.at:
            if len(line) > 1:
                parts.append(line)
            line = []
            continue
        if line and line[-1] == node:
            continue
        line.append(node)
        if len(line) > 1 and (uses[node] > 1 or node in found.gates):
            parts.append(line)
            line = [node]
    if len(line) > 1:
        parts.append(line)
    return parts


_CROSSES = ("footway", "path", "pedestrian", "cycleway", "steps", "bridleway")


def _waits(line: list[int], side: str, found: RawMap, walked: str) -> int:
    """How many lights one waits at: where they are arrived at, those within LIGHTS_M of the last count as it.

    `walked`: the class of a street that is walked on; who walks waits where such a way crosses, at the lights of
    crossings.
    """
    held = {":forward": ("both", "forward"), ":backward": ("both", "backward")}[side]
    known = ("both", "forward", "backward")
    waits, last, so_far = 0, -math.inf, 0.0
    for k, node in enumerate(line):
        if k:
            so_far += distance(found.at[line[k - 1]], found.at[node])
        if walked:
            lit = walked in _CROSSES and node in found.crossings
        else:
            said = found.lights.get(node)
            lit = said is not None and (said not in known or said in held)
        if not lit:
            continue
        if k and so_far - last > LIGHTS_M:
            waits += 1
        last = so_far
    return waits


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres between two places."""
    east = (b[1] - a[1]) * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.hypot(east, b[0] - a[0]) * 111_195.08


def heading(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Degrees clockwise from north."""
    east = (b[1] - a[1]) * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.degrees(math.atan2(east, b[0] - a[0]))


def turn_degrees(found: RawMap, a: Piece, b: Piece) -> float:
    """The angle of a turn, 0 straight on, positive to the right."""
    before, after = found.line[a], found.line[b]
    arrive = heading(found.at[before[-2]], found.at[before[-1]])
    leave = heading(found.at[after[0]], found.at[after[1]])
    return (leave - arrive + 180) % 360 - 180


_ANGLES = {"left_turn": -90.0, "right_turn": 90.0, "straight_on": 0.0, "u_turn": 180.0, "entry": None, "exit": None}


def bans(found: RawMap, names: Sequence[str]) -> set[tuple[Piece, ...]]:
    """Sequences of pieces that who goes by `names` must not drive, by the relations that hold at the map's minute."""
    by_way: dict[int, list[Piece]] = {}
    for piece in found.seconds:
        by_way.setdefault(piece[0], []).append(piece)
    banned: set[tuple[Piece, ...]] = set()
    for tags, members in found.relations if names else ():
        kind, mode = "", tags["type"].partition(":")[2]
        off = ("hour_on" in tags or "day_on" in tags) and not _older_hours(tags, found.minute)
        held: list[str] = []
        for key in (*(("restriction",) if not mode or mode in names else ()), *(f"restriction:{n}" for n in names)):
            kind = "" if off else tags.get(key, kind).strip()
            said = clock.statements(tags.get(f"{key}:conditional", ""))
            held += [value for value, when in said if found.minute in when]
        excepted = {each.strip() for each in tags.get("except", "").split(";")}
        for each in [*kind.lower().split(";"), *held] if not excepted & set(names) else ():
            word, _, turn = each.strip().partition("_")
            if word not in ("no", "only") or turn not in _ANGLES:
                continue
            for line in _lines(found, by_way, members, turn):
                if word == "no":
                    banned.add(line)
                else:
                    banned |= {(*line[:-1], other) for other in found.after.get(line[-2][2], []) if other != line[-1]}
    return banned


def _older_hours(tags: Mapping[str, str], minute: int | None) -> bool:
    """Whether what day_on, day_off, hour_on and hour_off say holds."""
    days = "-".join(tags[key][:2] for key in ("day_on", "day_off") if key in tags)
    clocks = f"{tags['hour_on']}-{tags['hour_off']}" if "hour_on" in tags and "hour_off" in tags else ""
    return minute in (clock.minutes(f"{days} {clocks}".strip()) or ())


def _lines(
    found: RawMap, by_way: Mapping[int, list[Piece]], members: list[tuple[str, int, str]], turn: str
) -> list[tuple[Piece, ...]]:
    """Every drive from a way over the via node or ways into the last way."""
    roles = {role: [(kind, ref) for kind, ref, name in members if name == role] for role in ("from", "via", "to")}
    if not all(roles.values()):
        return []
    via = [each for each in roles["via"] if each[0] == "w"] or roles["via"]
    if via[0][0] == "w" and len(via) > 1:
        for order in itertools.permutations(via):
            rest = [each for each in members if each[2] != "via"]
            found_lines = _over_ways(found, by_way, [ref for _, ref in order], rest, turn)
            if found_lines:
                return found_lines
        return []
    last = {ref for _, ref in roles["to"]}
    lines: list[tuple[Piece, ...]] = []
    firsts = [piece for _, ref in roles["from"] for piece in by_way.get(ref, [])]
    if via[0][0] == "n":
        for first in firsts:
            if first[2] == via[0][1]:
                lines += [(first, to) for to in found.after.get(first[2], []) if to[0] in last]
        lines = [line for line in lines if (turn == "u_turn") == back(*line) or line[0][0] != line[1][0]]
        lines = [line for line in lines if line[0][0] != line[1][0] or turn == "u_turn"]
        angle = _ANGLES[turn]
        per_pair = Counter((a[0], b[0]) for a, b in lines)
        if angle is not None:
            lines = [
                (a, b) for a, b in lines
                if per_pair[a[0], b[0]] == 1 or abs((turn_degrees(found, a, b) - angle + 180) % 360 - 180) <= 80
            ]  # fmt: skip
        return lines
    return _over_ways(found, by_way, [ref for _, ref in via], members, turn)


def _over_ways(
    found: RawMap, by_way: Mapping[int, list[Piece]], ways: list[int], members: list[tuple[str, int, str]], turn: str
) -> list[tuple[Piece, ...]]:
    """Every drive over via ways in this order."""
    last = {ref for _, ref, name in members if name == "to"}
    firsts = [piece for _, ref, name in members if name == "from" for piece in by_way.get(ref, [])]
    lines: list[tuple[Piece, ...]] = []
    for first in firsts:
        grown = [((first,), 0)]
        while grown:
            line, k = grown.pop()
            for step in found.after.get(line[-1][2], []):
                if back(line[-1], step) and len(line) > 1:
                    continue
                here = ways[k - 1] if k else None
                if step[0] in last and k == len(ways) and (step[0] != first[0] or turn == "u_turn"):
                    lines.append((*line, step))
                if step in line or len(line) > 60:
                    continue
                if step[0] == here and line[-1][0] == here and abs(step[3] - line[-1][3]) == 2:
                    grown.append(((*line, step), k))
                elif k < len(ways) and step[0] == ways[k]:
                    grown.append(((*line, step), k + 1))
    return lines


def back(a: Piece, b: Piece) -> bool:
    """Whether the second is the first driven back."""
    return a[0] == b[0] and a[3] == b[3] ^ 1
