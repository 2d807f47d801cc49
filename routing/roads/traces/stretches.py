"""Streets as matching sees them: directed edges, and the fastest way from a spot on one to spots near it."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.roads.hierarchy.graphs import Graph, StreetTimes, TurnGraph
from routing.roads.hierarchy.metric import FAR_MS
from routing.roads.streets import Streets


class Reached(NamedTuple):
    """Milliseconds and centimetres from a spot to the beginning of a directed edge, by way of the node before it."""

    ms: int
    cm: int
    before: int


@dataclass(slots=True)
class Found:
    """What a search has reached: every node settled, and the node by which each directed edge was come to first."""

    settled: dict[int, Reached]
    by_code: dict[int, int]

    def way(self, code: int) -> tuple[int, int, list[int]]:
        """(milliseconds, centimetres, nodes from the one of the spot on) of the way to a directed edge."""
        node = self.by_code[code]
        ms, cm, _ = self.settled[node]
        nodes = [node]
        while (before := self.settled[nodes[-1]].before) >= 0:
            nodes.append(before)
        return ms, cm, nodes[::-1]


class Stretches:
    """Stretches of a profile as lists, for searches of a few streets around a spot.

    A node is a directed edge at its beginning, its `code` is 2 * edge + direction; `first[code]` the node that a trip
    beginning on it is at (-1: shut); `drive` milliseconds and `length` centimetres by code.
    """

    def __init__(self, streets: Streets, graph: Graph, times: StreetTimes) -> None:
        ms = np.ascontiguousarray(times.ms.T).ravel()
        self.open = (ms != FAR_MS) & ~np.ascontiguousarray(times.closed.T).ravel()
        self.drive: list[int] = np.where(self.open, ms, 0).tolist()
        self.length: list[int] = np.repeat(streets.length_cm, 2).tolist()
        if isinstance(graph, TurnGraph):
            weight = graph.weights(times.ms, times.holding, None, times.closed)
            start, head, number = graph.arcs
            self.code: list[int] = graph.turns.code.tolist()
            self.first: list[int] = np.ascontiguousarray(graph.turns.begins.T).ravel().tolist()
            self._lists(start, head, weight[number])
        else:
            start, _, code = graph.arcs
            arrives = np.stack([streets.head, streets.tail], axis=1).ravel()
            many = np.diff(start)[arrives]
            nth = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
            self.code = list(range(len(ms)))
            self.first = np.where(self.open, np.arange(len(ms)), -1).tolist()
            head = code[np.repeat(start[arrives], many) + nth]
            weight = np.where(self.open[head], np.repeat(ms, many), FAR_MS)
            self._lists(np.concatenate([[0], np.cumsum(many)]), head, weight)

    def _lists(self, start: NDArray[np.int64], head: NDArray[np.int32], weight: NDArray[np.int32]) -> None:
        self._start: list[int] = start.tolist()
        self._head: list[int] = head.tolist()
        self._weight: list[int] = weight.tolist()

    def search(self, code: int, fraction: float, wanted: set[int], most_cm: float) -> Found:
        """The fastest ways from a spot, driving on in its direction, to the beginnings of the `wanted` edges.

        `most_cm`: no way is followed any farther.
        """
        begin = self.first[code]
        settled: dict[int, Reached] = {}
        by_code: dict[int, int] = {}
        if begin < 0:
            return Found(settled, by_code)
        left = len(wanted)
        heap = [(-round(self.drive[code] * fraction), begin, -round(self.length[code] * fraction), -1)]
        while heap and left:
            ms, node, cm, before = heapq.heappop(heap)
            if node in settled:
                continue
            settled[node] = Reached(ms, cm, before)
            own = self.code[node]
            if before >= 0 and own not in by_code:
                by_code[own] = node
                left -= own in wanted
            onwards = cm + self.length[own]
            if onwards > most_cm:
                continue
            for arc in range(self._start[node], self._start[node + 1]):
                other, weight = self._head[arc], self._weight[arc]
                if weight < FAR_MS and other not in settled:
                    heapq.heappush(heap, (ms + weight, other, onwards, node))
        return Found(settled, by_code)
