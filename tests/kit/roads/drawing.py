"""Cities drawn in ASCII: letters are nodes, lines between them are streets.

    A-B>C      A-B open both ways, B to C one way
    |   v
    D.F.E      dashes, bars and arrows are streets of one class, dots of another

Neighbouring nodes are STEP_M apart; a drawing's first line lies in the north.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from routing.cells import METRES_PER_DEGREE
from routing.roads import RoadNetwork

STEP_M = 100.0
SOUTH, WEST = 41.0, -8.0


@dataclass(frozen=True)
class Drawn:
    """A network drawn as text, with its nodes by letter."""

    network: RoadNetwork
    node: dict[str, int]

    def at(self, spot: str) -> tuple[float, float]:
        """(lat, lng) of a node ("A") or of a place between two ("A-B:25" lies 25 m from A)."""
        if len(spot) == 1:
            lat, lng = self.network.latlng[self.node[spot]]
            return float(lat), float(lng)
        ends, metres = spot.split(":")
        a, b = (np.array(self.at(end)) for end in ends.split("-"))
        share = float(metres) / (np.linalg.norm((b - a) * self._scale()) or 1.0)
        lat, lng = a + (b - a) * share
        return float(lat), float(lng)

    def seconds(self, here: str, there: str, profile: str = "car", at: int | None = None) -> float:
        """Travel seconds between two spots."""
        table = self.network.travel_seconds(
            np.array([self.at(here)]), np.array([self.at(there)]), profile=profile, at=at
        )
        return float(table[0, 0])

    @staticmethod
    def _scale() -> np.ndarray:
        return np.array([METRES_PER_DEGREE, METRES_PER_DEGREE * np.cos(np.radians(SOUTH))])


def draw(text: str, *, main: str = "primary", side: str = "residential", **options: object) -> Drawn:
    """The network of a drawing; `main` is the class of dashes, bars and arrows, `side` that of dots."""
    lines = [line for line in text.split("\n") if line.strip()]
    indent = min(len(line) - len(line.lstrip()) for line in lines)
    lines = [line[indent:] for line in lines]
    width = max(len(line) for line in lines)
    cell = [line.ljust(width) for line in lines]
    letters = {(r, c): cell[r][c] for r in range(0, len(cell), 2) for c in range(0, width, 2) if cell[r][c].isalpha()}
    node = {letter: i for i, letter in enumerate(letters.values())}
    tail, head, classes, oneway, names = [], [], [], [], []
    for (r, c), letter in letters.items():
        for dr, dc, forth, back in ((0, 1, ">", "<"), (1, 0, "v", "^")):
            if r + dr >= len(cell) or c + dc >= width:
                continue
            mark = cell[r + dr][c + dc]
            other = letters.get((r + 2 * dr, c + 2 * dc))
            if mark not in ("-", "|", ".", forth, back) or other is None:
                continue
            ends = (other, letter) if mark == back else (letter, other)
            tail.append(node[ends[0]])
            head.append(node[ends[1]])
            classes.append(side if mark == "." else main)
            oneway.append(mark in (forth, back))
            names.append("".join(sorted(letter + other)) + (" lane" if mark == "." else " street"))
    lat = [SOUTH - r / 2 * STEP_M / METRES_PER_DEGREE for r, _ in letters]
    lng = [WEST + c / 2 * STEP_M / (METRES_PER_DEGREE * float(np.cos(np.radians(SOUTH)))) for _, c in letters]
    network = RoadNetwork.from_arrays(
        lat, lng, tail, head, [STEP_M] * len(tail),
        road_class=classes, oneway=oneway, name=names, largest_component=False, **options,
    )  # fmt: skip
    return Drawn(network, node)
