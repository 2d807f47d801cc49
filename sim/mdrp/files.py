"""Reading meal-delivery instances and solution files for the judge, and for nobody else.

The engine's own reader lives in `sim/sources`; the judge shares nothing with it, so that no misreading passes twice.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from routing.errors import UnreadableFile

ASSIGNMENTS = ("assignments.csv", "solution_info_assignments.txt")
ORDERS = ("orders.csv", "solution_info_orders.txt")
MOVES = ("moves.csv", "solution_info_couriers.txt")


class MdrpOrder(NamedTuple):
    """One order of an instance, minutes."""

    restaurant: str
    placed: float
    ready: float


class Courier(NamedTuple):
    """One shift; `off_time` limits pickups only."""

    on_time: float
    off_time: float

    @property
    def shift(self) -> float:
        """Length of the shift in minutes."""
        return self.off_time - self.on_time


class Instance(NamedTuple):
    """One published day."""

    name: str
    metres_per_minute: float
    pickup_service: float
    dropoff_service: float
    target: float
    maximum: float
    pay_per_order: float
    pay_per_hour: float
    points: dict[str, tuple[float, float]]
    restaurants: frozenset[str]
    orders: dict[str, MdrpOrder]
    couriers: dict[str, Courier]

    def travel(self, origin: str, destination: str) -> float:
        """Whole minutes from one point to another; raises UnreadableFile for a point that is not there."""
        try:
            (x, y), (to_x, to_y) = self.points[origin], self.points[destination]
        except KeyError as unknown:
            raise UnreadableFile(f"the solution names {unknown}, which the instance does not have") from None
        return float(math.ceil(math.sqrt((to_x - x) ** 2 + (to_y - y) ** 2) / self.metres_per_minute))

    def floor(self, order_id: str) -> float:
        """The click-to-door time of an order that nobody can beat."""
        order = self.orders[order_id]
        service = (self.pickup_service + self.dropoff_service) / 2
        return order.ready - order.placed + service + self.travel(order.restaurant, order_id)

    def pay(self, courier_id: str, orders: int) -> float:
        """What a courier earns: by the order, but no less than by the hour."""
        return max(self.pay_per_order * orders, self.pay_per_hour * self.couriers[courier_id].shift / 60)


class Bundle(NamedTuple):
    """Orders picked up together, in the sequence of their drop-offs."""

    assigned: float
    pickup: float
    courier: str
    orders: tuple[str, ...]


class Handover(NamedTuple):
    """What the orders file says of one order."""

    placed: float
    ready: float
    pickup: float
    dropoff: float
    courier: str


class Move(NamedTuple):
    """A courier drives from one point to another."""

    departure: float
    origin: str
    destination: str


class MdrpSolution(NamedTuple):
    """The three solution files; `repeated` are orders with more than one line."""

    bundles: list[Bundle]
    handovers: dict[str, Handover]
    moves: dict[str, list[Move]]
    repeated: list[str]


def read_instance(folder: Path) -> Instance:
    """A published instance folder; raises UnreadableFile."""
    points: dict[str, tuple[float, float]] = {}
    restaurants = []
    for line in _table(folder / "restaurants.txt", 3):
        restaurants.append(line.cells[0])
        points[line.cells[0]] = (line.number(1), line.number(2))
    couriers = {}
    for line in _table(folder / "couriers.txt", 5):
        points[line.cells[0]] = (line.number(1), line.number(2))
        couriers[line.cells[0]] = Courier(line.number(3), line.number(4))
    orders = {}
    for line in _table(folder / "orders.txt", 6):
        points[line.cells[0]] = (line.number(1), line.number(2))
        orders[line.cells[0]] = MdrpOrder(line.cells[4], line.number(3), line.number(5))
    parameters = [line.number(n) for line in _table(folder / "instance_parameters.txt", 7) for n in range(7)]
    if len(parameters) != 7 or not orders or not couriers:
        raise UnreadableFile("an instance has one line of parameters, orders and couriers", file=str(folder))
    speed, pickup_service, dropoff_service, target, maximum, per_order, per_hour = parameters
    return Instance(
        folder.name, speed, pickup_service, dropoff_service, target, maximum, per_order, per_hour,
        points, frozenset(restaurants), orders, couriers,
    )  # fmt: skip


def read_solution(folder: Path) -> MdrpSolution:
    """A folder with assignments, orders and moves; raises UnreadableFile."""
    bundles = [
        Bundle(line.number(0), line.number(1), line.cells[2], tuple(line.cells[3:]))
        for line in _lines(_find(folder, ASSIGNMENTS), 3, header_column=0)
    ]
    handovers: dict[str, Handover] = {}
    repeated = []
    for line in _lines(_find(folder, ORDERS), 6, header_column=1):
        if line.cells[0] in handovers:
            repeated.append(line.cells[0])
            continue
        handovers[line.cells[0]] = Handover(
            line.number(1), line.number(2), line.number(3), line.number(4), line.cells[5]
        )
    moves: dict[str, list[Move]] = {}
    for line in _lines(_find(folder, MOVES), 4, header_column=1):
        courier, origin = line.cells[0], line.cells[2]
        move = Move(line.number(1), courier if origin == "0" else origin, line.cells[3])
        moves.setdefault(courier, []).append(move)
    return MdrpSolution(bundles, handovers, moves, repeated)


class _Line(NamedTuple):
    file: Path
    at: int
    cells: list[str]

    def number(self, column: int) -> float:
        try:
            value = float(self.cells[column])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise UnreadableFile(
                f"{self.cells[column]!r} is no number", file=str(self.file), line=self.at, column=column + 1
            )
        return value


def _table(path: Path, columns: int) -> Iterator[_Line]:
    """Lines of a tab separated instance file after its header."""
    for at, text in enumerate(_text(path).splitlines(), 1):
        if at > 1 and text.strip():
            yield _checked(_Line(path, at, text.split("\t")), columns)


def _lines(path: Path, columns: int, header_column: int) -> Iterator[_Line]:
    """Lines of a solution file (blanks, tabs or commas); the first is a header where it holds no number."""
    for at, text in enumerate(_text(path).splitlines(), 1):
        cells = [cell for cell in re.split(r"[,\s]+", text) if cell]
        if not cells:
            continue
        line = _checked(_Line(path, at, cells), 1 if at == 1 else columns)
        if at == 1 and not _is_number(cells[min(header_column, len(cells) - 1)]):
            continue
        yield _checked(line, columns)


def _checked(line: _Line, columns: int) -> _Line:
    if len(line.cells) < columns:
        raise UnreadableFile(f"expected at least {columns} columns", file=str(line.file), line=line.at)
    return line


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _find(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise UnreadableFile(f"there is no {' or '.join(names)}", file=str(folder))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise UnreadableFile(f"cannot be read: {problem}", file=str(path)) from None
