"""Every lawful drive over a map's raw tags, as a graph that scipy searches: nothing is shared with the network's own.

A state is what a driver must remember: the pieces driven last, as far back as a restriction asks, and the phase of the
trip (still in streets for ends only, out of them, in them again).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.roads.raw import law
from benchmarks.roads.raw.tagged_map import Piece, RawMap, back, bans, turn_degrees

Memory = tuple[Piece, ...]
State = tuple[Memory, int]
BEGIN, MIDDLE, END = 0, 1, 2


@dataclass
class RawGraph:
    """States, arcs between them in seconds from the beginning of a piece to that of the next, and what is private."""

    raw: RawMap
    table: Mapping[str, Any]
    banned: set[Memory] = field(default_factory=set)
    private: set[Piece] = field(default_factory=set)
    alive: set[Piece] = field(default_factory=set)
    number: dict[State, int] = field(default_factory=dict)
    matrix: Any = None
    _prefixes: set[Memory] = field(default_factory=set)
    _steps: dict[Memory, list[tuple[Memory, float, bool]]] = field(default_factory=dict)
    _into: Any = None

    @classmethod
    def of(cls, raw: RawMap, table: Mapping[str, Any]) -> RawGraph:
        """The graph of a map."""
        graph = cls(raw, table, bans(raw, table.get("restrictions", ())))
        graph._prefixes = {line[:k] for line in graph.banned for k in range(1, len(line))}
        graph._find_private()
        graph._connect()
        return graph

    def steps(self, memory: Memory) -> list[tuple[Memory, float, bool]]:
        """(memory after, seconds of the turn, whether through a gate for ends only) of every turn that is allowed."""
        here = memory[-1]
        verdict, price = self.raw.gates.get(here[2], (law.OPEN, 0.0))
        found = []
        for piece in self.raw.after.get(here[2], []):
            turned = back(here, piece)
            if verdict == law.SHUT and not turned:
                continue
            line = (*memory, piece)
            if any(line[k:] in self.banned for k in range(len(line) - 1)):
                continue
            kept = next((line[k:] for k in range(len(line)) if line[k:] in self._prefixes), (piece,))
            seconds = self._round_s if turned else price + self._turn(here, piece)
            found.append((kept, seconds, verdict == law.ENDS and not turned))
        return found

    def _turn(self, here: Piece, piece: Piece) -> float:
        if self.raw.arms[here[2]] <= 2 or not self.table.get("turn_s"):
            return 0.0
        return law.turn_seconds(turn_degrees(self.raw, here, piece), self.table)

    @property
    def _round_s(self) -> float:
        """Turning round, for those whom turns cost anything."""
        return float(self.table.get("u_turn_s", 0.0)) if self.table.get("turn_s") else 0.0

    def _memories(self) -> dict[Memory, list[tuple[Memory, float, bool]]]:
        """Every memory with its steps; of U-turns those alone where nothing else leads on (see `_onward`)."""
        waiting: list[Memory] = [(piece,) for piece in self.raw.seconds]
        found: dict[Memory, list[tuple[Memory, float, bool]]] = {}
        while waiting:
            memory = waiting.pop()
            if memory not in found:
                found[memory] = self.steps(memory)
                waiting += [after for after, _, _ in found[memory] if after not in found]
        return found

    def _find_private(self) -> None:
        """What trips may only begin or end on: by its tags, or because it lies behind what only they may pass."""
        steps = self._memories()
        tagged = {piece for piece, ends in self.raw.ends.items() if ends}
        level = self.raw.level

        whole = _components(steps)
        remembered = {a[-1] for a in steps if len(a) > 1}
        while True:
            kept = {
                a: [s for s in out if whole[a] == whole[s[0]] or (len(a) == 1 and a[0] in remembered)]
                for a, out in steps.items()
            }
            onward = {a: self._onward(out, a, level, tagged) for a, out in kept.items()}
            finer = _components(onward)
            if len(set(finer.values())) == len(set(whole.values())):
                break
            whole = finer
        size: dict[int, float] = {}
        for a, k in finer.items():
            size[k] = size.get(k, 0.0) + self.raw.metres[a[-1]]
        main = max(size, key=lambda k: size[k])
        self.alive = {a[-1] for a, k in finer.items() if k == main}
        # Where everybody arrives with a memory, trips begin without one.
        begun = {a for a in onward if finer[a] == main or (len(a) == 1 and a[0] in self.alive)}
        self._steps = {a: [s for s in onward[a] if finer[s[0]] == main] for a in onward if a in begun}
        free = {
            a: self._onward([s for s in out if not s[2] and s[0][-1] not in tagged], a, level, tagged)
            for a, out in kept.items()
            if a[-1] not in tagged and finer[a] == main
        }
        core = _components({a: [s for s in out if s[0] in free] for a, out in free.items()})
        cores: dict[int, float] = {}
        for a, k in core.items():
            cores[k] = cores.get(k, 0.0) + self.raw.metres[a[-1]]
        best = max(cores, key=lambda k: cores[k])
        public = {a[-1] for a, k in core.items() if k == best}
        self.private = {piece for piece in self.raw.seconds if piece not in public}

    def _connect(self) -> None:
        """Number the states and lay the arcs."""
        from scipy.sparse import csr_matrix

        rows, columns, seconds = [], [], []
        # What lies behind is limited whenever what it lies behind is: here, at this minute.
        tags = self.raw.level
        level = {piece: tags[piece] or 2 * (piece in self.private) for piece in self.raw.seconds}
        for memory, out in self._steps.items():
            mine = memory[-1] in self.private
            allowed = [s for s in out if not s[2] or mine or s[0][-1] in self.private]
            for phase in (BEGIN, END) if mine else (MIDDLE,):
                here = self._state(memory, phase)
                for after, cost, _ in self._onward(allowed, memory, level, self.private):
                    theirs = after[-1] in self.private
                    if phase == END and not theirs:
                        continue
                    then = (phase if mine else END) if theirs else MIDDLE
                    rows.append(here)
                    columns.append(self._state(after, then))
                    seconds.append(self.raw.seconds[memory[-1]] + cost + 1e-9)
        count = len(self.number)
        self.matrix = csr_matrix((seconds, (rows, columns)), shape=(count, count))

    def _onward(
        self, steps: list[tuple[Memory, float, bool]], memory: Memory, level: Mapping[Piece, int], gated: set[Piece]
    ) -> list[tuple[Memory, float, bool]]:
        """The steps without U-turns, unless nothing else leads on to a street no more limited, at all hours.

        Through a gate for ends only nothing leads on, unless one of its sides is among `gated`.
        """
        mine = memory[-1]
        plain = [s for s in steps if not back(mine, s[0][-1])]
        for after, _, through in plain:
            passes = not through or mine in gated or after[-1] in gated
            if passes and level[after[-1]] <= level[mine] and after[-1] not in self.raw.at_times:
                return plain
        return steps

    def _state(self, memory: Memory, phase: int) -> int:
        return self.number.setdefault((memory, phase), len(self.number))

    def times(self, spots: list[tuple[Piece, Piece, float]]) -> NDArray[np.float64]:
        """Seconds between spots: (piece, the same driven back, share of the first), float64[n, n]; inf for no way."""
        from scipy.sparse.csgraph import dijkstra

        arrive: dict[Piece, list[int]] = {}
        for (memory, _), k in self.number.items():
            arrive.setdefault(memory[-1], []).append(k)
        rows = np.full((len(spots), len(spots)), np.inf)
        for i, (along, against, share) in enumerate(spots):
            for piece, done in ((along, share), (against, 1 - share)):
                phase = BEGIN if piece in self.private else MIDDLE
                start = self.number.get(((piece,), phase))
                if start is None:
                    continue
                driven = done * self.raw.seconds[piece]
                reach = dijkstra(self.matrix, indices=start)
                for j, (to, from_, where) in enumerate(spots):
                    for last, part in ((to, where), (from_, 1 - where)):
                        for k in arrive.get(last, ()):
                            # To what lies behind on the same piece one must leave it and come back.
                            way = self._round(reach, k) if k == start and part < done else reach[k]
                            rows[i, j] = min(rows[i, j], way - driven + part * self.raw.seconds[last])
        return rows

    def _round(self, reach: NDArray[np.float64], state: int) -> float:
        """Seconds to come to a state by its last arc."""
        if self._into is None:
            self._into = self.matrix.T.tocsr()
        low, high = self._into.indptr[state], self._into.indptr[state + 1]
        return float((reach[self._into.indices[low:high]] + self._into.data[low:high]).min(initial=np.inf))


def _components(steps: Mapping[Memory, list[tuple[Memory, float, bool]]]) -> dict[Memory, int]:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    number = {memory: k for k, memory in enumerate(steps)}
    pairs = [(number[a], number[s[0]]) for a, out in steps.items() for s in out if s[0] in number]
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    graph = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(number), len(number)))
    _, label = connected_components(graph, directed=True, connection="strong")
    return {memory: int(label[k]) for memory, k in number.items()}
