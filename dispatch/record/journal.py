"""The journal: a header, then one line for every input handled and the events it caused.

*Folding* the events gives the board back, in any later version; *verifying* decides every input anew and compares,
in the same version.  Each line is written whole, so that a run cut short leaves a journal that can be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from dispatch.board.board import Board
from dispatch.codec import SCHEMA_VERSION, decode_event, decode_input, encode
from dispatch.errors import ClockWentBack, CorruptJournal, Refused, taking_in
from dispatch.events import Event
from dispatch.inputs import Input
from dispatch.settings.settings import Settings
from routing.errors import UnreadableFile
from routing.places import PlaceBook


class Entry(NamedTuple):
    """One line: what was said to the engine, and what became true by it."""

    seq: int
    item: Input
    events: tuple[Event, ...]

    @property
    def at(self) -> int:
        """When the engine learned it, epoch seconds."""
        return self.item.at


class Header(NamedTuple):
    """What a journal says of itself."""

    schema: int
    code_version: str
    settings: dict[str, Any]
    """All of them by key, with the preset's name; up to schema 2 those that differed from the defaults of 0.1.0."""
    catalogue_digest: str
    travel_digest: str
    policy: str
    seed: int

    def engine_settings(self) -> Settings:
        """The settings the engine began with."""
        return Settings.stated(self.settings)


class JournalWriter:
    """Appends lines to a text stream."""

    def __init__(self, stream: TextIO, header: Header) -> None:
        self._write = stream.write
        self._seq = 0
        self._write(_line({"halfhour_journal": header.schema, **header._asdict()}))

    def append(self, item: Input, events: tuple[Event, ...]) -> Entry:
        """Write one handled input with its events."""
        entry = Entry(self._seq, item, events)
        self._seq += 1
        told = [encode(event) for event in events]
        self._write(_line({"seq": entry.seq, "at": item.at, "input": encode(item), "events": told}))
        return entry


_line_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def _line(value: dict[str, Any]) -> str:
    return _line_text(value) + "\n"


def read_header(path: Path) -> Header:
    """The first line of a journal; raises UnreadableFile or CorruptJournal."""
    with _opened(path) as stream:
        return _header(stream.readline())


def read_entries(path: Path) -> Iterator[Entry]:
    """The lines of a journal in order, one at a time; raises UnreadableFile or CorruptJournal naming the line."""
    with _opened(path) as stream:
        try:
            _header(stream.readline())
            for number, text in enumerate(stream, start=2):
                yield _entry(text, number)
        except CorruptJournal as problem:
            problem.details.setdefault("file", str(path))
            raise


FIRST_LINE = 2
"""The line of the entry 0."""
AGAIN = "Was it edited?  A run folder is made anew by `halfhour replay`."


def fold(places: PlaceBook, settings: Settings, entries: Iterable[Entry]) -> Board:
    """The board after all entries.  `places` is changed: riders' own places move.

    Raises CorruptJournal naming the entry that the board cannot take in.
    """
    board = Board(places, settings)
    for entry in entries:
        with taking_in(entry.seq, hint=AGAIN, line=entry.seq + FIRST_LINE):
            for event in entry.events:
                board.apply(event)
    return board


def verify(places: PlaceBook, settings: Settings, entries: Iterable[Entry]) -> int:
    """Decide every input anew and compare with what was written; the number of entries that agree.

    Raises CorruptJournal with the line at which the engine, in this version, decides otherwise.
    """
    from dispatch.engine.engine import Engine

    engine = Engine(places, settings)
    count = 0
    for entry in entries:
        with taking_in(entry.seq, hint=AGAIN, line=entry.seq + FIRST_LINE):
            try:
                events = engine.handle(entry.item)
            except (Refused, ClockWentBack) as problem:
                raise CorruptJournal(f"{entry.item} is refused: {problem}") from problem
        if events != entry.events:
            differs = next(
                (pair for pair in zip(events, entry.events, strict=False) if pair[0] != pair[1]),
                (f"{len(events)} events", f"{len(entry.events)} events"),
            )
            raise CorruptJournal(
                f"decided anew, {type(entry.item).__name__} gives {differs[0]} instead of {differs[1]}",
                line=entry.seq + FIRST_LINE,
                hint="Was the journal written by another version, or edited?",
            )
        count += 1
    return count


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8")
    except OSError as problem:
        raise UnreadableFile(f"no journal can be read: {problem.strerror}", file=str(path)) from problem


def _header(text: str) -> Header:
    try:
        value = json.loads(text)
        schema = value.pop("halfhour_journal")
        header = Header(**value)
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise CorruptJournal("the first line is not a journal's header", line=1) from problem
    if schema > SCHEMA_VERSION:
        raise CorruptJournal(f"written in schema {schema}, this version reads {SCHEMA_VERSION}", line=1)
    return header


def _entry(text: str, number: int) -> Entry:
    try:
        value = json.loads(text)
        seq = value["seq"]
        item, events = decode_input(value["input"]), tuple(decode_event(event) for event in value["events"])
    except (ValueError, TypeError, KeyError) as problem:
        raise CorruptJournal(f"the line cannot be read: {problem}", line=number) from problem
    except CorruptJournal as problem:
        problem.details["line"] = number
        raise
    if seq != number - FIRST_LINE:
        where = number - FIRST_LINE
        raise CorruptJournal(f"entry {seq} stands where {where} belongs", line=number, hint="Lines are missing.")
    return Entry(seq, item, events)
