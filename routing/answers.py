"""What a travel service has answered: seconds and metres between cells, beside what was never asked.

Answers never change: a further block makes another set of them, so that whoever counts with one counts with it to the
end.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from routing.errors import InvalidInput, UnreadableFile

UNKNOWN, NO_WAY, NO_ANSWER = -1, -2, -3
"""Instead of tenths of a second: never asked; nobody gets there; asked, and the service could not say."""

Cells = NDArray[np.uint64]


class AnswerBlock(NamedTuple):
    """The ways from some cells to others, as they were answered at epoch second `at`.

    `tenths`: int32[profile, n, m], tenths of a second, or NO_WAY or NO_ANSWER. `metres`: int32[profile, n, m], UNKNOWN
    where the service says none.
    """

    origins: Cells
    destinations: Cells
    tenths: NDArray[np.int32]
    metres: NDArray[np.int32]
    at: int

    def as_json(self) -> dict[str, Any]:
        """The block as JSON can hold it."""
        return {
            "origins": self.origins.tolist(),
            "destinations": self.destinations.tolist(),
            "tenths": self.tenths.tolist(),
            "metres": self.metres.tolist(),
            "at": self.at,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> AnswerBlock:
        """The inverse of `as_json`."""
        origins, destinations = (np.array(value[name], dtype=np.uint64) for name in ("origins", "destinations"))
        shape = (-1, len(origins), len(destinations))
        tenths, metres = (np.array(value[name], dtype=np.int32).reshape(shape) for name in ("tenths", "metres"))
        return cls(origins, destinations, tenths, metres, int(value["at"]))


@dataclass(frozen=True)
class Answers:
    """All that is known between cells.

    `source`: which service, asked how. `profiles`: of the riders. `cells`: uint64[k]. `tenths`, `metres`:
    int32[profile, k, k]. `asked_at`: int64[k, k], epoch seconds, 0 where nobody has asked.
    """

    source: str
    profiles: tuple[str, ...]
    cells: Cells
    tenths: NDArray[np.int32]
    metres: NDArray[np.int32]
    asked_at: NDArray[np.int64]

    @classmethod
    def none(cls, source: str, profiles: Sequence[str]) -> Answers:
        """Nothing asked yet."""
        empty = np.zeros((len(profiles), 0, 0), dtype=np.int32)
        return cls(
            source, tuple(profiles), np.zeros(0, dtype=np.uint64), empty, empty, np.zeros((0, 0), dtype=np.int64)
        )

    @cached_property
    def digest(self) -> str:
        """Short hash of what is known, in whatever order it came (same digest: same times)."""
        made, order = hashlib.sha256(f"{self.source} {self.profiles!r}".encode()), self._order
        made.update(self.cells[order].tobytes())
        for each in (self.tenths, self.metres):
            made.update(each[:, order[:, None], order].tobytes())
        return made.hexdigest()[:16]

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        return np.argsort(self.cells, kind="stable")

    def rows(self, cells: Cells) -> NDArray[np.intp]:
        """The row of every cell, -1 for those nobody has asked about."""
        if not len(self.cells):
            return np.full(len(cells), -1, dtype=np.intp)
        ordered = self.cells[self._order]
        at = np.minimum(np.searchsorted(ordered, cells), len(ordered) - 1)
        return np.where(ordered[at] == cells, self._order[at], -1)

    def block(self, table: NDArray[np.int32], origins: Cells, destinations: Cells) -> NDArray[np.int32]:
        """A part of `tenths` or of `metres`, int32[profile, n, m]; UNKNOWN where nobody has asked."""
        rows, columns = self.rows(origins), self.rows(destinations)
        if not len(self.cells):
            return np.full((len(self.profiles), len(rows), len(columns)), UNKNOWN, dtype=np.int32)
        found = table[:, np.maximum(rows, 0)[:, None], np.maximum(columns, 0)[None, :]]
        found[:, (rows < 0)[:, None] | (columns < 0)[None, :]] = UNKNOWN
        return found

    def missing(self, origins: Cells, destinations: Cells, before: int = 0) -> NDArray[np.bool_]:
        """True for every way between two cells that nobody has asked about, or not since `before`; bool[n, m]."""
        rows, columns = self.rows(origins), self.rows(destinations)
        if not len(self.cells):
            return np.ones((len(rows), len(columns)), dtype=np.bool_)
        asked_at: NDArray[np.int64] = self.asked_at[np.maximum(rows, 0)[:, None], np.maximum(columns, 0)[None, :]]
        fresh = (asked_at > 0) & (asked_at >= before) & (rows >= 0)[:, None] & (columns >= 0)[None, :]
        missing: NDArray[np.bool_] = ~fresh
        return missing

    def with_block(self, block: AnswerBlock) -> Answers:
        """These answers and a block of others, which take the place of older ones."""
        named = np.unique(np.concatenate([block.origins, block.destinations]))
        cells = np.concatenate([self.cells, named[self.rows(named) < 0]])
        before, size = len(self.cells), len(cells)
        tenths, metres = (np.full((len(self.profiles), size, size), UNKNOWN, dtype=np.int32) for _ in range(2))
        asked_at = np.zeros((size, size), dtype=np.int64)
        tenths[:, :before, :before], metres[:, :before, :before] = self.tenths, self.metres
        asked_at[:before, :before] = self.asked_at
        grown = Answers(self.source, self.profiles, cells, tenths, metres, asked_at)
        rows, columns = grown.rows(block.origins)[:, None], grown.rows(block.destinations)[None, :]
        tenths[:, rows, columns], metres[:, rows, columns] = block.tenths, block.metres
        asked_at[rows, columns] = np.where((block.tenths != UNKNOWN).all(axis=0), max(1, block.at), 0)
        return grown

    def only(self, cells: Cells) -> Answers:
        """What is known between these cells; the rest is forgotten."""
        rows = np.sort(self.rows(cells))
        rows = rows[rows >= 0]
        both = np.ix_(rows, rows)
        tenths, metres = (np.ascontiguousarray(each[:, rows[:, None], rows]) for each in (self.tenths, self.metres))
        return Answers(self.source, self.profiles, self.cells[rows], tenths, metres, self.asked_at[both])

    def as_block(self, at: int) -> AnswerBlock:
        """Everything in one block, as if all of it had been answered at `at`."""
        return AnswerBlock(self.cells, self.cells, self.tenths, self.metres, at)

    def save(self, path: str) -> None:
        """Write them as an .npz file."""
        with open(path, "wb") as file:  # noqa: PTH123  a name without .npz stays as it is
            np.savez_compressed(
                file,
                source=np.array(self.source),
                profiles=np.array(self.profiles),
                cells=self.cells,
                tenths=self.tenths,
                metres=self.metres,
                asked_at=self.asked_at,
            )

    @classmethod
    def load(cls, path: str, source: str, profiles: Sequence[str]) -> Answers:
        """Answers of a file; raises UnreadableFile, and InvalidInput where they are another service's."""
        try:
            with np.load(path, allow_pickle=False) as held:
                said, names = str(held["source"]), tuple(str(name) for name in held["profiles"])
                tables = (held["cells"], held["tenths"], held["metres"], held["asked_at"])
        except (OSError, KeyError, ValueError, EOFError, BadZipFile, zlib.error) as problem:
            raise UnreadableFile(
                f"answers of a travel service cannot be read: {problem}",
                file=path,
                hint="Delete the file: they are asked for again.",
            ) from problem
        size = len(tables[0])
        shapes = [(size,), (len(names), size, size), (len(names), size, size), (size, size)]
        if [each.shape for each in tables] != shapes:
            raise UnreadableFile("answers of a travel service are of other shapes", file=path, hint="Delete the file.")
        if (said, names) != (source, tuple(profiles)):
            raise InvalidInput(
                f"these answers are those of {said}, not of {source}",
                code="other_answers",
                file=path,
                field="travel.answers",
                hint="Delete the file, or name another one: travel.answers.",
            )
        return cls(said, names, *tables)
