"""Judges route lines against the Li & Lim or Sartori & Buriol file they answer, in plain Python and doubles."""

from __future__ import annotations

import math
from pathlib import Path

SLACK = 1e-6


def faults(path: Path, routes: str, left_out: set[tuple[int, int]]) -> list[str]:
    """Everything in which the lines `Route 1 : 3 7 5 9` break the law of the file; empty where they may be trusted."""
    lines = [line.split() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.split()]
    words = {line[0].rstrip(":"): line[-1] for line in lines if not line[0][0].isdigit()}
    if "NODES" in words:
        at = [line[0] for line in lines].index("EDGES") + 1
        capacity, vehicles = float(words["CAPACITY"]), None
        nodes = _nodes(lines[[line[0] for line in lines].index("NODES") + 1 : at - 1])
        matrix = [[float(x) for x in line] for line in lines[at : at + len(nodes)]]

        def leg(a: int, b: int) -> float:
            return matrix[a][b]
    else:
        vehicles, capacity, speed = int(float(lines[0][0])), float(lines[0][1]), float(lines[0][2])
        nodes = _nodes(lines[1:])

        def leg(a: int, b: int) -> float:
            return math.dist(nodes[a][1:3], nodes[b][1:3]) / speed

    wrong: list[str] = []
    seen: list[int] = []
    tours = [[int(x) for x in line.split(":")[1].split()] for line in routes.splitlines()]
    if vehicles is not None and len(tours) > vehicles:
        wrong.append(f"{len(tours)} routes, {vehicles} vehicles")
    for number, tour in enumerate(tours, 1):
        clock, load, here, open_pairs = nodes[0][4], 0.0, 0, set()
        for node in [*tour, 0]:
            _, _, _, demand, opens, closes, service, pickup, delivery = nodes[node]
            clock = max(clock + leg(here, node), opens)
            if clock > closes + SLACK:
                wrong.append(f"route {number} is at {node} at {clock:g}, after {closes:g}")
            clock, here = clock + service, node
            load += demand if node else 0
            if load > capacity + SLACK:
                wrong.append(f"route {number} carries {load:g} behind {node}")
            if node and delivery:
                open_pairs.add(int(delivery))
            elif node and node not in open_pairs:
                wrong.append(f"route {number} delivers {node} before its pickup {int(pickup)}")
            else:
                open_pairs.discard(node)
        if open_pairs:
            wrong.append(f"route {number} never delivers {sorted(open_pairs)}")
        seen += tour
    out = [node for pair in left_out for node in pair]
    if sorted(seen + out) != list(range(1, len(nodes))):
        wrong.append("a location is neither in one route nor left out, or is in both")
    return wrong


def _nodes(lines: list[list[str]]) -> list[list[float]]:
    return sorted([float(x) for x in line[:9]] for line in lines)
