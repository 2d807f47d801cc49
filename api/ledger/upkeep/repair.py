"""Going on without an entry that cannot be folded: named by somebody, tried first, and written down.

Rows stay as they are, so the chain still holds; a value of the ledger names what every fold leaves out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from typing import Any

from api.ledger.configuration import require_readable
from api.ledger.protocol import SKIPS, LedgerEntry, Skip, Snapshot, VaultRow, Write
from api.ledger.recovery import apply, recover
from api.ledger.sqlite.reader import SqliteReader
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep import audit
from api.ledger.upkeep.lived import beginning, present
from dispatch.errors import CorruptJournal
from dispatch.settings.settings import Settings
from routing.errors import InvalidInput

MOST_SKIPPED = 200
"""With more entries left out at once the rest is not worth much: a copy is better."""


def skip(folder: Path, seq: int, reason: str, *, follow: bool = False) -> list[Skip]:
    """Leaves the first entry that cannot be folded out of every fold of a stopped service's ledger; what is left out.

    `follow`: also entries that cannot be folded without it.  Raises InvalidInput, and writes nothing, where another
    entry is the first, where more would have to go than was said, or where nothing is wrong.
    """
    audit.require(reason)
    with closing(SqliteLedger(present(folder))) as ledger:
        require_readable(ledger.header())
        known = ledger.skips()
        made = _found(ledger, known, seq, reason, follow)
        numbers = [one.seq for one in made]
        audit.write_down(folder, "entries left out of the fold", reason, entries=numbers, problem=made[0].problem)
        ledger.append(Write(extra=((SKIPS, [list(one) for one in (*known.values(), *made)]),))).result()
    return made


def _found(ledger: SqliteLedger, known: Mapping[int, Skip], seq: int, reason: str, follow: bool) -> list[Skip]:
    now, head = int(time.time()), ledger.head()
    wrong = _first_unfoldable(ledger, known)
    if wrong is None:
        raise InvalidInput(f"entry {seq} stays: every entry can be folded", field="skip")
    if wrong.details["seq"] != seq:
        raise InvalidInput(f"entry {seq} is not the first that fails: {wrong.message}", field="skip")
    made: dict[int, Skip] = {}
    while wrong is not None:
        if made and not follow:
            raise InvalidInput(
                f"without entry {seq} another one fails: {wrong.message}", field="skip",
                hint="With --follow all that cannot be folded without it are left out, too.",
            )  # fmt: skip
        if len(made) == MOST_SKIPPED:
            raise InvalidInput(f"more than {MOST_SKIPPED} entries would go", hint="Restore a copy.", field="skip")
        failed: int = wrong.details["seq"]
        made[failed] = Skip(failed, now, head, reason, wrong.message)
        wrong = _first_unfoldable(ledger, {**known, **made})
    return list(made.values())


def _first_unfoldable(ledger: SqliteLedger, skips: Mapping[int, Skip]) -> CorruptJournal | None:
    """What stops a service, or else what stops those who read the journal from its beginning."""
    try:
        recover(_Without(ledger, skips), Settings())
        board, begin, _ = beginning(ledger)
        until = min(skips, default=ledger.head() + 1)
        for entry in takewhile(lambda entry: entry.seq < until, ledger.entries(begin, skips)):
            apply(board, entry)
    except CorruptJournal as problem:
        if "seq" not in problem.details:
            raise
        return problem
    return None


class _Without:
    """A ledger as it would be folded without some entries."""

    def __init__(self, ledger: SqliteReader, skips: Mapping[int, Skip]) -> None:
        self._ledger, self._skips = ledger, skips

    def header(self) -> dict[str, Any]:
        return self._ledger.header()

    def head(self) -> int:
        return self._ledger.head()

    def vault(self, of: Sequence[int] | None = None, after: int = -1) -> Iterator[VaultRow]:
        return self._ledger.vault(of, after)

    def entries(self, after: int = 0) -> Iterator[LedgerEntry]:
        return self._ledger.entries(after, self._skips)

    def newest_snapshot(self) -> Snapshot | None:
        return self._ledger.newest_snapshot()
