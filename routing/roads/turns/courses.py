"""Courses: directed edges, and copies of some that remember where they were entered from.

A restriction over more than two streets forbids the last of them only to who came by the first.  So whoever comes
that way drives on a copy of the streets between, from which the forbidden turn is missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from routing.roads.source.restrictions import Ban


class Courses:
    """Courses and every turn between them that no ban forbids at all times.

    `code` int32[c]: the first courses are the open codes themselves, in order; `source`, `target` int32[t] courses;
    `condition` int32[t]: index into `conditions` of when the turn is shut, -1 for never.
    """

    def __init__(
        self, bans: Sequence[Ban], codes: NDArray[np.int32], tail: NDArray[np.int32], head: NDArray[np.int32],
        start: NDArray[np.int64], leaving: NDArray[np.int32],
    ) -> None:  # fmt: skip
        self._number = np.full(len(tail), -1, dtype=np.int32)
        self._number[codes] = np.arange(len(codes), dtype=np.int32)
        usable = [ban for ban in bans if all(self._number[code] >= 0 for code in ban.codes)]
        self.conditions = tuple(sorted({ban.condition for ban in usable if ban.condition}))
        self._forbidden: dict[tuple[int, ...], int] = {}
        for ban in usable:
            # What is forbidden always is so under any condition too.
            when = self.conditions.index(ban.condition) if ban.condition else -2
            self._forbidden[ban.codes] = min(when, self._forbidden.get(ban.codes, when))
        self._copies: dict[tuple[int, ...], int] = {}
        for ban in usable:
            for size in range(2, len(ban.codes)):
                self._copies.setdefault(ban.codes[:size], len(codes) + len(self._copies))
        self.code = np.concatenate([codes, np.array([each[-1] for each in self._copies], dtype=np.int32)])
        many = (start[1:] - start[:-1])[head[codes]]
        source = np.repeat(np.arange(len(codes), dtype=np.int32), many)
        nth = np.arange(len(source)) - np.repeat(np.cumsum(many) - many, many)
        target_code = leaving[np.repeat(start[head[codes]], many) + nth]
        self.source, self.target = source, self._number[target_code]
        self.condition = np.full(len(source), -1, dtype=np.int32)
        if usable:
            self._apply(head, start, leaving)

    def _apply(self, head: NDArray[np.int32], start: NDArray[np.int64], leaving: NDArray[np.int32]) -> None:
        plain = len(self._number[self._number >= 0])
        first = np.unique([codes[0] for codes in (*self._forbidden, *self._copies)])
        touched = np.isin(self.code[self.source], first) & (self.source < plain)
        kept = ~touched
        source, target = [self.source[kept]], [self.target[kept]]
        condition = [self.condition[kept]]
        extra: list[tuple[int, int, int]] = []
        states = [((int(code),), int(self._number[code])) for code in first.tolist()] + list(self._copies.items())
        for sequence, course in states:
            at = head[sequence[-1]]
            for code in leaving[start[at] : start[at + 1]].tolist():
                found = self._step((*sequence, code))
                if found is not None:
                    extra.append((course, *found))
        added = np.array(extra, dtype=np.int32).reshape(-1, 3)
        self.source = np.concatenate([*source, added[:, 0]])
        self.target = np.concatenate([*target, added[:, 1]])
        self.condition = np.concatenate([*condition, added[:, 2]])

    def _step(self, sequence: tuple[int, ...]) -> tuple[int, int] | None:
        """(course, condition) after driving a sequence of codes; None where its end is forbidden."""
        condition = -1
        for begin in range(len(sequence) - 1):
            when = self._forbidden.get(sequence[begin:])
            if when == -2:
                return None
            condition = condition if when is None else when
        for begin in range(len(sequence) - 1):
            course = self._copies.get(sequence[begin:])
            if course is not None:
                return course, condition
        return int(self._number[sequence[-1]]), condition
