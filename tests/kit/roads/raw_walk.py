"""A slow twin of turns, gates and ends-only streets: walks a drawn map street by street, with plain sets.

A street is one way between two letters.  A *move* is (street, 0 from its first letter to its second, 1 back).
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.kit.roads import naive

Move = tuple[int, int]
Memory = tuple[Move, ...]
"""The last moves, as far back as a restriction may still ask for them."""


@dataclass(frozen=True)
class Plan:
    """Streets as letter pairs, which are one-way or for ends only, gates ("ends" or "shut"), and forbidden sequences.

    A restriction is (kind "no" or "only", streets in order).
    """

    streets: Sequence[str]
    oneway: frozenset[int] = frozenset()
    ends_only: frozenset[int] = frozenset()
    gates: Mapping[str, str] = field(default_factory=dict)
    restrictions: Sequence[tuple[str, tuple[int, ...]]] = ()
    at_noon: frozenset[int] = frozenset()
    """Streets that are for ends only at noon, and open at other times."""


class Walker:
    """Times between the middles of streets, every street taking the time of one.

    `doubtful`: two parts apart by gates are of one size, so that either may be the one that the other lies behind.
    """

    def __init__(self, plan: Plan, *, noon: bool = False) -> None:
        self.plan = plan
        self._noon = noon
        self.moves = [(s, d) for s in range(len(plan.streets)) for d in (0, 1) if not (d == 1 and s in plan.oneway)]
        self.bans = {ban for kind, streets in plan.restrictions for ban in self._banned(kind, streets)}
        self.bans = {ban for ban in self.bans if all(move in self.moves for move in ban)}
        self._settle()

    def ends(self, move: Move) -> tuple[str, str]:
        """Where a move begins and ends."""
        letters = self.plan.streets[move[0]]
        return (letters[1], letters[0]) if move[1] else (letters[0], letters[1])

    def _banned(self, kind: str, streets: tuple[int, ...]) -> list[Memory]:
        found = []
        for directions in itertools.product((0, 1), repeat=len(streets)):
            way = tuple(zip(streets, directions, strict=True))
            if all(self.ends(a)[1] == self.ends(b)[0] for a, b in itertools.pairwise(way)):
                if len(set(streets)) < len(streets):
                    continue
                others = [m for m in self.moves if self.ends(m)[0] == self.ends(way[-2])[1] and m != way[-1]]
                found += [way] if kind == "no" else [(*way[:-1], other) for other in others]
        return found

    def _step(self, memory: Memory, move: Move) -> Memory | None:
        line = (*memory, move)
        if any(line[k:] in self.bans for k in range(len(line))):
            return None
        for k in range(len(line)):
            if len(line) - k == 1 or any(
                ban[: len(line) - k] == line[k:] for ban in self.bans if len(ban) > len(line) - k
            ):
                return line[k:]
        raise AssertionError

    def _settle(self) -> None:
        """Find every memory, which turns there are between them, and what is behind gates."""
        waiting: list[Memory] = [(move,) for move in self.moves]
        memories, turns = set(waiting), []
        while waiting:
            memory = waiting.pop()
            here = self.ends(memory[-1])[1]
            gate = self.plan.gates.get(here, "")
            for move in self.moves:
                if self.ends(move)[0] != here:
                    continue
                back = move[0] == memory[-1][0]
                after = self._step(memory, move)
                if after is None or (gate == "shut" and not back):
                    continue
                turns.append((memory, after, back, gate == "ends" and not back))
                if after not in memories:
                    memories.add(after)
                    waiting.append(after)
        self.level = {m: 2 if m[-1][0] in self.plan.ends_only else int(m[-1][0] in self.plan.at_noon) for m in memories}
        self.memories = sorted(memories)
        parts = self._parts([(a, b) for a, b, _, _ in turns])
        while True:
            # On a street where one always arrives with a memory, trips begin without any.
            turns = [t for t in turns if t[2] or parts[t[0]] == parts[t[1]] or self._begun(t[0])]
            free = [t for t in turns if not t[3] or self.level[t[0]] or self.level[t[1]]]
            finer = self._parts([(a, b) for a, b, back, _ in turns if not back or self._needed(a, free)])
            if len(set(finer.values())) == len(set(parts.values())):
                break
            parts = finer
        tagged = dict(self.level)
        self.doubtful = False
        always = self._behind(turns, finer, {m for m in memories if tagged[m] == 2})
        timed = self._behind(turns, finer, {m for m in memories if tagged[m]})
        self.level = {m: 2 if m in always else int(m in timed) for m in memories}
        alive = {m for m in memories if sum(other == finer[m] for other in finer.values()) > 1}
        for memory in sorted(alive):
            start = (memory[-1],)
            if start not in alive:
                alive.add(start)
                finer[start] = finer[memory]
                self.level[start] = self.level[memory]
        kept = [t for t in turns if t[0] in alive and t[1] in alive and finer[t[0]] == finer[t[1]]]
        kept = [t for t in kept if not t[3] or self.level[t[0]] or self.level[t[1]]]
        self.limited = {m for m, level in self.level.items() if level == 2 or (level == 1 and self._noon)}
        self.turns = [
            (a, b)
            for a, b, back, gated in kept
            if (not back or self._needed(a, kept)) and (not gated or a in self.limited or b in self.limited)
        ]
        self.alive = alive

    def _begun(self, memory: Memory) -> bool:
        return len(memory) == 1 and any(len(m) > 1 and m[-1] == memory[0] for m in self.memories)

    def _needed(self, memory: Memory, turns: Sequence[tuple[Memory, Memory, bool, bool]]) -> bool:
        """Whether nothing but turning round leads on to a street no more limited."""
        return not any(a == memory and not back and self.level[b] <= self.level[a] for a, b, back, _ in turns)

    def _parts(self, pairs: Sequence[tuple[Memory, Memory]]) -> dict[Memory, int]:
        number = {memory: k for k, memory in enumerate(self.memories)}
        found = naive.strong_sets(len(self.memories), [(number[a], number[b]) for a, b in pairs])
        least = {k: min(part) for k, part in enumerate(found)}
        return {memory: least[k] for memory, k in number.items()}

    def _behind(
        self, turns: Sequence[tuple[Memory, Memory, bool, bool]], whole: Mapping[Memory, int], limited: set[Memory]
    ) -> set[Memory]:
        """The limited memories and what they and gates part from the rest."""
        open_ = [t for t in turns if not t[3] and t[0] not in limited and t[1] not in limited]
        core = self._parts([(a, b) for a, b, back, _ in open_ if not back or self._needed(a, open_)])
        size: dict[int, int] = {}
        for memory in self.memories:
            if memory not in limited:
                size[core[memory]] = size.get(core[memory], 0) + 1
        behind = set()
        for memory in self.memories:
            mates = {core[m] for m in self.memories if whole[m] == whole[memory] and m not in limited}
            sizes = sorted((size[k] for k in mates), reverse=True)
            self.doubtful |= len(sizes) > 1 and sizes[0] == sizes[1]
            if mates and core[memory] != max(mates, key=lambda k: (size[k], -k)):
                behind.add(memory)
        return limited | behind

    def times(self, street: int) -> dict[int, float]:
        """From the middle of a street to the middle of every street, in streets; inf where there is no way."""
        best = dict.fromkeys(range(len(self.plan.streets)), math.inf)
        best[street] = 0.0
        heap: list[tuple[float, Memory, int]] = []
        for move in self.moves:
            if move[0] == street and (move,) in self.alive:
                heap.append((0.5, (move,), 0 if (move,) in self.limited else 1))
        seen = set()
        leaving: dict[Memory, list[Memory]] = {}
        for a, b in self.turns:
            leaving.setdefault(a, []).append(b)
        while heap:
            spent, memory, phase = heapq.heappop(heap)
            if (memory, phase) in seen:
                continue
            seen.add((memory, phase))
            for after in leaving.get(memory, ()):
                limited = after in self.limited
                # Phases: 0 in a street for ends only at the beginning, 1 beyond, 2 in one at the end.
                for following in ((0, 2) if phase == 0 else (2,)) if limited else ((1,) if phase < 2 else ()):
                    if after[-1][0] != street:
                        best[after[-1][0]] = min(best[after[-1][0]], spent + 0.5)
                    heapq.heappush(heap, (spent + 1.0, after, following))
        return best
