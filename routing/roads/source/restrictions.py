"""Turn restrictions: from relations of a map to sequences of directed edges that nobody may drive.

A *code* is an edge in one direction: 2 * edge + direction (0 along, 1 against).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.roads.bearings import turn_degrees
from routing.roads.source.hours import parse_hours, split_outside_brackets
from routing.roads.streets import Streets

KINDS = {
    "no_left_turn": -90.0, "no_right_turn": 90.0, "no_straight_on": 0.0, "no_u_turn": 180.0, "no_entry": None,
    "no_exit": None, "only_left_turn": -90.0, "only_right_turn": 90.0, "only_straight_on": 0.0, "only_u_turn": 180.0,
}  # fmt: skip
"""Kinds of restrictions, with the angle they are about: it decides where a way leaves a crossing on both sides."""
Middles = list[tuple[tuple[int, ...], int, int]]
"""Codes of via ways, and the nodes where they are entered and left."""
SLACK_DEG = 80.0
MOST_SORTED = 5
"""Of more ways between the first and the last the order in the relation is taken."""


@dataclass(frozen=True, slots=True)
class RawRestriction:
    """A relation as it was read: its number, tags, and members (kind n, w or r; number; role)."""

    number: int
    tags: Mapping[str, str]
    members: tuple[tuple[str, int, str], ...]

    def rules(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """(kind, condition) of what it says to a profile that goes by `names`, general to special.

        The condition is "" where it holds always.
        """
        excepted = {each.strip() for each in self.tags.get("except", "").split(";")}
        if not names or excepted & set(names):
            return []
        found: list[tuple[str, str]] = []
        held: list[tuple[str, str]] = []
        plain = [] if (mode := self.tags.get("type", "").partition(":")[2]) and mode not in names else ["restriction"]
        for key in (*plain, *(f"restriction:{name}" for name in names)):
            if key in self.tags:
                hours = _older_hours(self.tags)
                found = [(kind.strip().lower(), hours) for kind in self.tags[key].split(";") if kind.strip()]
            for said in split_outside_brackets(self.tags.get(f"{key}:conditional", "")):
                kind, _, when = said.partition("@")
                if when.strip():
                    held.append((kind.strip(), when.strip().strip("()").strip()))
        return [*found, *held]


def _older_hours(tags: Mapping[str, str]) -> str:
    """The condition that the older tags day_on, day_off, hour_on and hour_off make; "" without any."""
    days = "-".join(tags[key].strip()[:2] for key in ("day_on", "day_off") if tags.get(key))
    spans = zip(tags.get("hour_on", "").split(";"), tags.get("hour_off", "").split(";"), strict=False)
    return f"{days} {','.join(f'{on.strip()}-{off.strip()}' for on, off in spans if on and off)}".strip()


@dataclass(frozen=True, slots=True)
class Ban:
    """A sequence of codes that must not be driven one after the other, and when ("" always)."""

    codes: tuple[int, ...]
    condition: str = ""


class Resolver:
    """Finds the codes of relations among the edges of a map."""

    def __init__(self, streets: Streets) -> None:
        self._streets = streets
        self._bearing = turn_degrees(streets)
        order = np.argsort(streets.way, kind="stable")
        self._edges = _grouped(streets.way[order].tolist(), order.tolist())
        self._leaving = _grouped_codes(streets)
        self.honoured: set[int] = set()
        self._why: dict[int, str] = {}

    def bans(self, restriction: RawRestriction, names: Sequence[str]) -> list[Ban]:
        """What a relation forbids a profile that goes by `names`."""
        found: list[Ban] = []
        for kind, condition in restriction.rules(names):
            if condition and parse_hours(condition) is None:
                self._why[restriction.number] = "condition not understood"
                continue
            if kind not in KINDS:
                self._why[restriction.number] = "kind not understood"
                continue
            for sequence in self._sequences(restriction, kind):
                found += [Ban(codes, condition) for codes in self._forbidden(sequence, kind)]
        if found:
            self.honoured.add(restriction.number)
        return found

    @property
    def skipped(self) -> dict[str, int]:
        """How many relations no profile honours, by the reason."""
        return dict(sorted(Counter(why for number, why in self._why.items() if number not in self.honoured).items()))

    def _forbidden(self, sequence: tuple[int, ...], kind: str) -> list[tuple[int, ...]]:
        if kind.startswith("no_"):
            return [sequence]
        before, only = sequence[:-1], sequence[-1]
        return [(*before, code) for code in self._leaving.get(self._head(before[-1]), ()) if code != only]

    def _sequences(self, restriction: RawRestriction, kind: str) -> list[tuple[int, ...]]:
        """Sequences of codes from, via and to that the relation is about."""
        role: dict[str, list[tuple[str, int]]] = {"from": [], "via": [], "to": []}
        for what, number, name in restriction.members:
            if name in role:
                role[name].append((what, number))
        if not all(role.values()):
            self._why[restriction.number] = "without from, via or to"
            return []
        if any(what != "w" or number not in self._edges for what, number in (*role["from"], *role["to"])):
            self._why[restriction.number] = "of ways that are not there"
            return []
        ways = [[number for _, number in role[name]] for name in ("from", "to")]
        over = [number for what, number in role["via"] if what == "w"]
        if not over:
            return self._met(restriction, ways, self._at_node(role["via"][0][1]), kind)
        # Members stand in no order: the first in which the ways meet is meant.
        for order in itertools.permutations(over) if len(over) <= MOST_SORTED else [over]:
            if found := self._met(restriction, ways, self._along_ways(order, ways[0]), kind):
                self._why.pop(restriction.number, None)
                return found
        return []

    def _met(
        self, restriction: RawRestriction, ways: list[list[int]], middles: Middles, kind: str
    ) -> list[tuple[int, ...]]:
        found = [line for middle, enter, out in middles for line in self._joined(ways, middle, enter, out, kind)]
        if not found:
            self._why[restriction.number] = "of ways that do not meet"
        return found

    def _joined(
        self, ways: list[list[int]], middle: tuple[int, ...], enter: int, leave: int, kind: str
    ) -> list[tuple[int, ...]]:
        found = []
        for first in ways[0]:
            arriving = [code ^ 1 for code in self._codes(first, enter)]
            for last in ways[1]:
                leaving = self._codes(last, leave)
                pairs = [(a, b) for a in arriving for b in leaving if first != last or kind.endswith("u_turn")]
                if len(pairs) > 1 and not middle:
                    pairs = self._by_angle(pairs, KINDS[kind])
                found += [(a, *middle, b) for a, b in pairs if not (first == last and not middle and b != a ^ 1)]
        return found

    def _by_angle(self, pairs: list[tuple[int, int]], wanted: float | None) -> list[tuple[int, int]]:
        """Of the ways through a crossing that a relation may mean, those that turn as its kind says."""
        if wanted is None:
            return pairs
        return [(a, b) for a, b in pairs if abs(_around(self._bearing(a, b) - wanted)) <= SLACK_DEG]

    def _at_node(self, number: int) -> Middles:
        at = np.flatnonzero(self._streets.node_id == number)
        return [((), int(at[0]), int(at[0]))] if len(at) else []

    def _along_ways(self, ways: Sequence[int], before: list[int]) -> Middles:
        """Codes along via ways, from a node of the way before them, with the nodes where they are entered and left."""
        starts = {node for way in before for edge in self._edges[way] for node in self._ends(edge)}
        paths: list[tuple[tuple[int, ...], int, int]] = [((), node, node) for node in sorted(starts)]
        for way in ways:
            edges = self._edges.get(way)
            if not edges:
                return []
            longer = []
            for codes, enter, here in paths:
                for turned in (0, 1):
                    longer += _follow(self._streets, edges, here, turned, codes, enter)
            paths = longer
        return paths

    def _codes(self, way: int, node: int) -> list[int]:
        """Codes of a way's edges that leave a node."""
        s = self._streets
        return [2 * e for e in self._edges[way] if s.tail[e] == node] + [
            2 * e + 1 for e in self._edges[way] if s.head[e] == node
        ]

    def _ends(self, edge: int) -> tuple[int, int]:
        return int(self._streets.tail[edge]), int(self._streets.head[edge])

    def _head(self, code: int) -> int:
        return self._ends(code >> 1)[1 - (code & 1)]


def together(bans: Iterable[Ban]) -> tuple[Ban, ...]:
    """Each sequence once: at all times if one ban of it holds at all times, else whenever one of them does."""
    when: dict[tuple[int, ...], list[str]] = {}
    for ban in bans:
        when.setdefault(ban.codes, []).append(ban.condition)
    return tuple(
        Ban(codes, "; ".join(dict.fromkeys(conditions)) if all(conditions) else "")
        for codes, conditions in when.items()
    )


def _follow(s: Streets, edges: Sequence[int], here: int, turned: int, codes: tuple[int, ...], enter: int) -> Middles:
    """Every stretch along the edges of a way, forwards or backwards, that begins at node `here`."""
    line = edges if not turned else edges[::-1]
    begins = s.head if turned else s.tail
    ends = s.tail if turned else s.head
    found = []
    for k, edge in enumerate(line):
        if begins[edge] != here:
            continue
        taken, at = codes, here
        for other in line[k:]:
            if begins[other] != at:
                break
            taken, at = (*taken, 2 * other + turned), int(ends[other])
            found.append((taken, enter, at))
    return found


def _grouped(keys: Sequence[int], values: Iterable[int]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for key, value in zip(keys, values, strict=True):
        groups.setdefault(key, []).append(value)
    return groups


def _grouped_codes(s: Streets) -> dict[int, list[int]]:
    edges: NDArray[np.int64] = np.arange(s.edges)
    tails = np.concatenate([s.tail, s.head]).tolist()
    return _grouped(tails, np.concatenate([2 * edges, 2 * edges + 1]).tolist())


def _around(degrees: float) -> float:
    return (degrees + 180.0) % 360.0 - 180.0
