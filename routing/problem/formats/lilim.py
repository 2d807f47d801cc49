"""Reads Li & Lim and Sartori & Buriol pickup-and-delivery files; writes `Route 1 : 3 7 5 9` lines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.errors import UnreadableFile
from routing.problem.build import SKIP, make_problem
from routing.problem.problem import INFINITE, Problem, Rows, Travel

TICKS_PER_UNIT = 10_000
"""Travel rounded up to 1e-4 of Li & Lim's unit keeps the best-known routes feasible; fewer where times are long."""

LONGEST = 2**29
"""Ticks up to which times of a file may reach."""

MAX_LOCATIONS = 20_000


class PickupDelivery(NamedTuple):
    """A file of the field as a Problem, with what is needed to speak of it in the file's own words."""

    name: str
    problem: Problem
    travel: Travel
    distance: NDArray[np.float64]  # [P, P] in the file's unit, unrounded
    pick_node: NDArray[np.int32]  # [R] the file's ids
    drop_node: NDArray[np.int32]


class _Node(NamedTuple):
    id: int
    first: float
    second: float
    demand: float
    opens: float
    closes: float
    service: float
    pickup: int
    delivery: int


def read_lilim(path: Path, *, fixed: int = 0) -> PickupDelivery:
    """A Li & Lim text file; `fixed`: price of a vehicle in ticks (driving costs 1 a tick).

    The third number of its first line is the speed.  Raises UnreadableFile naming the line.
    """
    lines = _lines(path)
    vehicles, capacity, speed = _head(path, lines[0])
    nodes = [_node(_numbers(path, line, 9)) for line in lines[1:]]
    nodes.sort(key=lambda node: node.id)
    at = np.array([(node.first, node.second) for node in nodes])
    apart = at[:, None, :] - at[None, :, :]
    distance = np.sqrt(apart[..., 0] * apart[..., 0] + apart[..., 1] * apart[..., 1])
    ticks = _ticks(path, nodes, distance / speed)
    return _compose(path, nodes, vehicles, capacity, distance, ticks, fixed, speed)


def _head(path: Path, line: tuple[int, str]) -> tuple[int, int, float]:
    """Vehicles, capacity and speed."""
    vehicles, capacity, speed = _numbers(path, line, 3)[:3]
    if not 1 <= vehicles <= MAX_LOCATIONS or vehicles != int(vehicles):
        raise UnreadableFile(f"{vehicles:g} vehicles: a whole number from 1 to {MAX_LOCATIONS}", file=path.name, line=1)
    if not 0 <= capacity <= INFINITE or capacity != int(capacity):
        raise UnreadableFile(f"a capacity of {capacity:g}: a whole number from 0", file=path.name, line=line[0])
    if not speed > 0:
        raise UnreadableFile(f"a speed of {speed:g}", file=path.name, line=line[0])
    return int(vehicles), int(capacity), speed


def _ticks(path: Path, nodes: list[_Node], legs: NDArray[np.float64]) -> int:
    """Ticks of a unit of time: as fine as the last instant that can matter allows."""
    if not nodes:
        return TICKS_PER_UNIT
    opens = max(node.opens for node in nodes)
    longest = opens + sum(node.service for node in nodes) + len(nodes) * float(legs.max())
    last = max(opens, min(nodes[0].closes, longest)) + float(legs.max())
    ticks = TICKS_PER_UNIT
    while ticks > 1 and last * ticks > LONGEST:
        ticks //= 10
    if last * ticks > LONGEST:
        raise UnreadableFile(f"times of {last:g} are more than {LONGEST}", file=path.name)
    return ticks


def read_sartori(path: Path, *, fixed: int = 0) -> PickupDelivery:
    """A Sartori & Buriol text file: travel minutes from its matrix, as many vehicles as requests.

    Raises UnreadableFile naming the line.
    """
    lines = _lines(path)
    texts = [text.strip() for _, text in lines]
    head = {key.strip(): value.strip() for key, _, value in (text.partition(":") for text in texts) if value}
    try:
        size, capacity = int(head["SIZE"]), int(head["CAPACITY"])
        start, edges = texts.index("NODES") + 1, texts.index("EDGES") + 1
    except (KeyError, ValueError) as error:
        raise UnreadableFile(f"a Sartori & Buriol file without {error}", file=path.name) from None
    if size < 1:
        raise UnreadableFile(f"a SIZE of {size}", file=path.name)
    nodes = [_node(_numbers(path, line, 9)) for line in lines[start : start + size]]
    matrix = [_numbers(path, line, size) for line in lines[edges : edges + size]]
    if len(nodes) != size or len(matrix) != size:
        raise UnreadableFile(f"{size} nodes announced, {len(nodes)} nodes and {len(matrix)} edges", file=path.name)
    return _compose(path, nodes, max(1, size // 2), capacity, np.array([row[:size] for row in matrix]), 1, fixed)


def write_routes(case: PickupDelivery, rows: Rows) -> str:
    """One line per used vehicle with the file's own ids, the depot left out."""
    lines: list[str] = []
    for vehicle in range(len(rows.stop_ptr) - 1):
        begin, finish = rows.act_ptr[rows.stop_ptr[vehicle]], rows.act_ptr[rows.stop_ptr[vehicle + 1]]
        if finish > begin:
            ids = [
                int((case.drop_node if rows.act_kind[a] else case.pick_node)[rows.act_request[a]])
                for a in range(begin, finish)
            ]
            lines.append(f"Route {len(lines) + 1} : {' '.join(map(str, ids))}")
    return "\n".join(lines) + "\n"


def distance_of(case: PickupDelivery, rows: Rows) -> float:
    """Length of a plan in the file's unit, in double precision."""
    total = 0.0
    for vehicle in range(len(rows.stop_ptr) - 1):
        places = rows.stop_place[rows.stop_ptr[vehicle] : rows.stop_ptr[vehicle + 1]].tolist()
        if places:
            tour = [0, *places, 0]
            total += float(case.distance[tour[:-1], tour[1:]].sum())
    return total


def _node(fields: list[float]) -> _Node:
    first, second, demand, opens, closes, service = fields[1:7]
    return _Node(int(fields[0]), first, second, demand, opens, closes, service, int(fields[7]), int(fields[8]))


def _lines(path: Path) -> list[tuple[int, str]]:
    """Non-empty lines with their numbers."""
    text = text_of(path)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) < 2:
        raise UnreadableFile("an empty file", file=path.name)
    return lines


def text_of(path: Path) -> str:
    """The text of a file; a byte order mark is left out, other encodings than UTF-8 are refused by name."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}", file=path.name) from None
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UnreadableFile("UTF-16 text", file=path.name, line=1, hint="Save it as UTF-8.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise UnreadableFile("not UTF-8 text", file=path.name, line=line, hint="Save it as UTF-8.") from None


def _numbers(path: Path, line: tuple[int, str], count: int) -> list[float]:
    number, text = line
    fields = text.split()
    try:
        values = [float(field) for field in fields]
    except ValueError:
        raise UnreadableFile("not a number", file=path.name, line=number) from None
    if len(values) < count or not np.isfinite(values).all():
        raise UnreadableFile(f"{len(values)} fields, not {count}", file=path.name, line=number)
    return values


def _compose(
    path: Path, nodes: list[_Node], vehicles: int, capacity: int, distance: NDArray[np.float64], ticks: int, fixed: int,
    speed: float = 1.0,
) -> PickupDelivery:  # fmt: skip
    """A Problem with a place per node; place 0 is the depot."""
    if len(nodes) > MAX_LOCATIONS:
        raise UnreadableFile(f"{len(nodes)} locations are more than {MAX_LOCATIONS}", file=path.name)
    for index, node in enumerate(nodes):
        _check_node(path, nodes, index, node, capacity)
    picks = [node for node in nodes[1:] if node.delivery]
    depot = nodes[0]
    sides = [(node, nodes[node.delivery]) for node in picks]

    def late(value: float) -> int:
        return min(math.ceil(value * ticks - 1e-6), INFINITE)

    def early(value: float) -> int:
        return min(math.floor(value * ticks + 1e-6), INFINITE)

    window = np.array(
        [[[[late(side.opens), max(early(side.closes), late(side.opens))]] for side in pair] for pair in sides],
        dtype=np.int32,
    ).reshape(-1, 2, 1, 2)
    problem = make_problem(
        tick_us=1_000_000 // ticks, place=np.arange(len(nodes)),
        pick_place=[pair[0].id for pair in sides], drop_place=[pair[1].id for pair in sides],
        load=[int(pair[0].demand) for pair in sides] or np.zeros((0, 1)),
        act=np.array([[late(side.service) for side in pair] for pair in sides]).reshape(-1, 2),
        window=window, skip_cost=SKIP * 100,
        start_place=np.zeros(vehicles), end_place=np.zeros(vehicles), start=late(depot.opens), end=early(depot.closes),
        capacity=capacity, fixed=fixed,
    )  # fmt: skip
    legs = np.ceil(np.minimum(distance / speed * ticks, INFINITE) - 1e-6).astype(np.int64)
    travel = Travel(np.minimum(legs, INFINITE)[None].astype(np.int32), np.zeros((0, 0, 0), dtype=np.int32))
    return PickupDelivery(
        path.stem, problem, travel, distance,
        np.array([pair[0].id for pair in sides], dtype=np.int32),
        np.array([pair[1].id for pair in sides], dtype=np.int32),
    )  # fmt: skip


def _check_node(path: Path, nodes: list[_Node], index: int, node: _Node, capacity: int) -> None:
    """Refuse a node that contradicts itself or its sibling."""

    def wrong(message: str) -> UnreadableFile:
        return UnreadableFile(message, file=path.name, id=node.id)

    if node.id != index:
        raise wrong(f"location ids must run from 0 without gaps, {index} is missing")
    if node.opens > node.closes:
        raise wrong("the window closes before it opens")
    if min(node.service, node.opens, node.closes) < 0:
        raise wrong("a negative time")
    if index == 0:
        return
    sibling = node.delivery or node.pickup
    if bool(node.delivery) == bool(node.pickup) or not 0 < sibling < len(nodes):
        raise wrong("a location is either a pickup with its delivery or a delivery with its pickup")
    other = nodes[sibling]
    if (other.pickup if node.delivery else other.delivery) != node.id:
        raise wrong(f"pickup and delivery do not name each other: {node.id} and {sibling}")
    if node.delivery and (node.demand != -other.demand or node.demand < 0):
        raise wrong("the delivery must take off what the pickup puts on")
    if node.demand != int(node.demand):
        raise wrong(f"demand {node.demand:g} is not a whole number")
    if node.demand > capacity:
        raise wrong(f"demand {node.demand:g} is more than the capacity {capacity}")
