"""Slow, obvious twins of the road kernels."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterable, Sequence

Arc = tuple[int, int, int]
"""(tail, head, milliseconds)."""


def dijkstra(nodes: int, arcs: Iterable[Arc], source: int) -> list[float]:
    """Milliseconds from `source` to every node, inf where there is no way."""
    leaving: list[list[tuple[int, int]]] = [[] for _ in range(nodes)]
    for tail, head, ms in arcs:
        leaving[tail].append((head, ms))
    found = [math.inf] * nodes
    found[source] = 0
    heap = [(0, source)]
    while heap:
        ms, node = heapq.heappop(heap)
        if ms > found[node]:
            continue
        for head, step in leaving[node]:
            if ms + step < found[head]:
                found[head] = ms + step
                heapq.heappush(heap, (ms + step, head))
    return found


def arcs_of(tail: Sequence[int], head: Sequence[int], along: Sequence[int], against: Sequence[int]) -> list[Arc]:
    """Directed arcs of edges with milliseconds in either direction, -1 where closed."""
    arcs = [(t, h, ms) for t, h, ms in zip(tail, head, along, strict=True) if ms >= 0]
    return arcs + [(h, t, ms) for t, h, ms in zip(tail, head, against, strict=True) if ms >= 0]


def fill_in(nodes: int, pairs: Iterable[tuple[int, int]], order: Sequence[int]) -> list[set[int]]:
    """Later neighbours of every node when the nodes are removed in `order` and their neighbours joined."""
    near: list[set[int]] = [set() for _ in range(nodes)]
    for a, b in pairs:
        if a != b:
            near[a].add(b)
            near[b].add(a)
    upward: list[set[int]] = [set() for _ in range(nodes)]
    for node in order:
        upward[node] = set(near[node])
        for other in near[node]:
            near[other] |= near[node] - {other}
            near[other].discard(node)
    return upward


def strong_sets(nodes: int, arcs: Iterable[tuple[int, int]]) -> list[frozenset[int]]:
    """The strongly connected components, by reach there and back."""
    arcs = list(arcs)

    def reach(source: int, turned: bool) -> set[int]:
        seen, waiting = {source}, [source]
        while waiting:
            here = waiting.pop()
            for tail, head in arcs:
                a, b = (head, tail) if turned else (tail, head)
                if a == here and b not in seen:
                    seen.add(b)
                    waiting.append(b)
        return seen

    return [frozenset(reach(node, False) & reach(node, True)) for node in range(nodes)]


def nearest_on_lines(
    px: float, py: float, lines: Sequence[Sequence[tuple[float, float]]], allowed: Sequence[bool]
) -> tuple[int, float]:
    """(line, distance) nearest to a point among the allowed lines; the lower line wins a tie."""
    best, chosen = math.inf, -1
    for number, line in enumerate(lines):
        if not allowed[number]:
            continue
        for (ax, ay), (bx, by) in itertools.pairwise(line):
            square = (bx - ax) ** 2 + (by - ay) ** 2
            t = min(1.0, max(0.0, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / square)) if square else 0.0
            away = math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay))
            if away < best:
                best, chosen = away, number
    return chosen, best
