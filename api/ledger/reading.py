"""What every store reads alike: entries that follow one another in the chain, what is left out, named values."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from api.ledger import records
from api.ledger.chain import link, missing, way_on
from api.ledger.protocol import SKIPS, CorruptLedger, LedgerEntry, Skip
from dispatch.errors import CorruptJournal, taking_in

log = logging.getLogger(__name__)

T = TypeVar("T")


def sound(rows: Iterable[tuple[Any, ...]], make: Callable[[tuple[Any, ...]], T]) -> Iterator[T]:
    """What is made of rows; one that is damaged is left out and said, for it must not cost those around it."""
    for row in rows:
        try:
            yield make(row)
        except (CorruptLedger, ValueError) as problem:
            log.error("a row is left out: %s", problem)


class LedgerReader(ABC):
    """A ledger read by its chain; a store says where entries, digests and values lie."""

    @abstractmethod
    def head(self) -> int:
        """`seq` of the last entry (0: none)."""

    @abstractmethod
    def chain_at(self, seq: int) -> bytes:
        """The digest of the chain after the entry `seq`; raises CorruptJournal where that is not known here."""

    @abstractmethod
    def in_order(self, after: int) -> Iterator[tuple[records.Text, bytes | None]]:
        """Entries as they are kept, in order, each with the digest that was kept of it, where one was."""

    @abstractmethod
    def value(self, name: str) -> Any:
        """A small JSON value by name, None where unset."""

    @abstractmethod
    def check_end(self) -> None:
        """Raises CorruptLedger where the journal does not end with what was acknowledged."""

    def header(self) -> dict[str, Any]:
        return dict(self.value("header") or {})

    def forgotten(self) -> dict[str, int]:
        return dict(self.value("forgotten") or {})

    def skips(self) -> dict[int, Skip]:
        """Entries that every fold leaves out, by their number."""
        return {skip[0]: Skip(*skip) for skip in self.value(SKIPS) or ()}

    def entries(self, after: int = 0, skips: Mapping[int, Skip] | None = None) -> Iterator[LedgerEntry]:
        """`skips`: what to leave out, instead of what the ledger says of it."""
        left_out = self.skips() if skips is None else skips
        for text in self.texts(after):
            if text.seq in left_out:
                yield LedgerEntry(text.seq, text.at, {}, [], left_out[text.seq].reason)
                continue
            with taking_in(text.seq, hint=way_on(text.seq)):
                entry = records.entry_of(text)
            yield entry

    def texts(self, after: int = 0) -> Iterator[records.Text]:
        """The entries with seq > `after` as they are kept; raises CorruptJournal where one is missing or was changed.

        Where some are missing at the beginning it does so before it gives any.
        """
        if after >= self.head():
            return
        chain, last = self.chain_at(after), after
        for text, kept in self.in_order(after):
            if text.seq != last + 1:
                raise missing(last + 1, text.seq - 1)
            chain, last = link(chain, records.text_of(text)), text.seq
            if kept is not None and kept != chain:
                raise CorruptJournal(f"entry {last} is not what was written, or one before it", line=last)
            yield text
