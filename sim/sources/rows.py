"""Reading tables of scenarios: cells by column name, and errors that name file, line, field and what to do."""

from __future__ import annotations

import csv
import difflib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from dispatch.bounds import flaw_in, flaw_of
from routing.errors import InvalidInput, UnreadableFile
from routing.places import PlaceBook

Value = TypeVar("Value")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:~-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

NO_NAMES: Mapping[str, str] = {}


class InvalidScenario(InvalidInput):
    """Scenario data that contradict themselves; details name file, line and field."""

    code = "invalid_scenario"


class TableRow:
    """One line of a table.  `names`: what the file calls a field, where that is not the field's own name."""

    def __init__(self, file: Path, line: int, cells: dict[str, str], names: Mapping[str, str] = NO_NAMES) -> None:
        self.file = file
        self.line = line
        self._cells = cells
        self._names = names

    def fail(self, message: str, field: str = "", hint: str = "") -> NoReturn:
        """Raise InvalidScenario that points here."""
        where = {"field": self._names.get(field, field)} if field else {}
        raise InvalidScenario(message, hint=hint, file=str(self.file), line=self.line, **where)

    @property
    def columns(self) -> tuple[str, ...]:
        """What the header names."""
        return tuple(self._cells)

    def has(self, field: str) -> bool:
        """True where the cell holds something."""
        return bool(self._cells.get(self._names.get(field, field), ""))

    def text(self, field: str) -> str:
        """A cell that must not be empty, nor hold what no table can be written with."""
        value = self._cells.get(self._names.get(field, field), "")
        if not value:
            self.fail("this cell is empty", field, "Fill it in, or take the line out.")
        if _CONTROL.search(value):
            self.fail(f"{value[:80]!r} holds a control character", field, "Is a quote missing? Write it on one line.")
        return value

    def name(self, field: str) -> str:
        """An id that goes everywhere."""
        text = self.text(field)
        if not _NAME.fullmatch(text):
            self.fail(
                f"{text!r} is no name", field, "Write 1 to 64 letters, digits, _ - . : ~, first a letter, a digit or _."
            )
        return text

    def number(self, field: str) -> float:
        """A finite number."""
        text = self.text(field)
        try:
            value = float(text)
        except ValueError:
            self.fail(f"{text!r} is not a number", field, "Write 41.90, with a point and nothing else.")
        if not math.isfinite(value):
            self.fail(f"{text!r} is not a finite number", field)
        return value

    def whole(self, field: str, low: int = 0) -> int:
        """A whole number of at least `low`."""
        value = self.number(field)
        if value != int(value) or value < low:
            self.fail(f"{self.text(field)!r} is not a whole number of at least {low}", field)
        return int(value)

    def maybe(self, field: str, read: Callable[[str], Value]) -> Value | None:
        """`read(field)`, or None where the cell is empty or the column missing."""
        return read(field) if self.has(field) else None

    def bounded(self, value: Value, now: int) -> Value:
        """What was read of this line, where the engine can hold it as seen at `now`; fails naming the cell else."""
        flaw = flaw_of(value, now)
        if flaw is not None:
            self.fail(f"{flaw.field} {flaw.why}", flaw.field)
        return value

    def within(self, field: str, value: int, now: int) -> int:
        """The same of one value."""
        flaw = flaw_in(field, value, now)
        if flaw is not None:
            self.fail(f"{field} {flaw.why}", field)
        return value

    def place(
        self, book: PlaceBook, fields: tuple[str, str], *, enter_s: int, exit_s: int, matrix_row: int = -1
    ) -> int:
        """Add the place whose coordinates stand in `fields` (lat, lng or y, x) and return its handle.

        Cells named access_lat, access_lng (or access_y, access_x) are the point where one stops for it.
        """
        first, second = self.number(fields[0]), self.number(fields[1])
        at = f"access_{fields[0]}", f"access_{fields[1]}"
        access = (self.number(at[0]), self.number(at[1])) if self.has(at[0]) or self.has(at[1]) else None
        self.within("enter_s", enter_s, 0)
        self.within("exit_s", exit_s, 0)
        try:
            return book.add(first, second, enter_s=enter_s, exit_s=exit_s, matrix_row=matrix_row, access=access)
        except InvalidInput as problem:
            named = at if problem.details.get("field") == "access" else fields
            self.fail(problem.message, f"{named[0]}, {named[1]}", problem.hint)


def read_rows(
    path: Path, required: Sequence[str], *, delimiter: str = ",", names: Mapping[str, str] = NO_NAMES
) -> list[TableRow]:
    """The lines of a table with one header line; raises UnreadableFile, or InvalidScenario for a missing column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return list(_rows(path, csv.reader(stream, delimiter=delimiter), required, names))
    except FileNotFoundError:
        raise UnreadableFile("this file is missing", file=str(path), hint="Is this the right folder?") from None
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise UnreadableFile(f"cannot be read: {problem}", file=str(path)) from problem


def _rows(
    path: Path, reader: Iterator[list[str]], required: Sequence[str], names: Mapping[str, str]
) -> Iterator[TableRow]:
    header = [name.strip() for name in next(reader, [])]
    for name in (names.get(field, field) for field in required):
        if name not in header:
            found = ", ".join(header) or "nothing"
            near = difflib.get_close_matches(name, header, n=1)
            hint = f"Is {near[0]} meant? " if near else ""
            raise InvalidScenario(
                f"there is no column {name}",
                file=str(path),
                line=1,
                field=name,
                hint=f"{hint}The header names {found}.",
            )
    twice = next((name for place, name in enumerate(header) if name and name in header[:place]), None)
    if twice is not None:
        raise InvalidScenario(
            f"two columns are called {twice}", file=str(path), line=1, field=twice, hint="Rename one, or take it out."
        )
    for line, cells in enumerate(reader, start=2):
        texts = [cell.strip() for cell in cells]
        if any(texts[len(header) :]):
            raise InvalidScenario(
                f"{len(cells)} cells, but the header names {len(header)} columns",
                file=str(path),
                line=line,
                hint="Is the delimiter part of a cell? Enclose that cell in quotes.",
            )
        if any(texts):
            texts += [""] * (len(header) - len(texts))
            yield TableRow(path, line, dict(zip(header, texts, strict=False)), names)


class Unique:
    """Ids of one kind: each may come up once, and only these may be referred to."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._line: dict[str, int] = {}

    def add(self, row: TableRow, field: str) -> str:
        """The id in a cell; fails where it came up before."""
        name = row.text(field)
        if name in self._line:
            row.fail(f"{self._kind} {name} is already on line {self._line[name]}", field, "Give each an id of its own.")
        self._line[name] = row.line
        return name

    def __contains__(self, name: str) -> bool:
        return name in self._line

    def known(self, row: TableRow, field: str) -> str:
        """The id in a cell that refers to one of these; fails where there is none such."""
        name = row.text(field)
        if name not in self._line:
            row.fail(f"there is no {self._kind} {name}", field, "Add it to its file, or mend the name.")
        return name


def require_some(rows: Sequence[TableRow], path: Path, what: str) -> None:
    """Fail where a table has a header but no lines."""
    if not rows:
        raise InvalidScenario(f"there are no {what}", file=str(path), hint="A day needs at least one.")
