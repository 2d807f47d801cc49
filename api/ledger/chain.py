"""What makes the parts of a ledger belong together: its identity, and a digest that each entry hands on to the next.

    chain(0) = H(ledger)        chain(n) = H(chain(n - 1), text of entry n)

Whoever holds one digest of the chain can tell whether everything before it is what it was.  Rows beside the journal
carry a `seal`, the digest of their own values.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from api.ledger.protocol import CorruptLedger
from dispatch.errors import CorruptJournal

CHAIN_BYTES, SEAL_BYTES = 32, 8


def genesis(ledger: str) -> bytes:
    """The digest that the first entry follows."""
    return blake2b(ledger.encode(), digest_size=CHAIN_BYTES).digest()


def link(before: bytes, text: str) -> bytes:
    """The digest after an entry with this text."""
    return blake2b(before + text.encode(), digest_size=CHAIN_BYTES).digest()


def seal(values: tuple[Any, ...]) -> bytes:
    """The digest of a row's own values."""
    return blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=SEAL_BYTES).digest()


def unsealed(table: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values of a row whose last one is their seal; raises CorruptLedger where they are not what was written."""
    values = row[:-1]
    if row[-1] != seal(values):
        raise CorruptLedger(f"row {row[0]} of {table} is not what was written", table=table)
    return values


def missing(first: int, last: int) -> CorruptJournal:
    """Entries that are neither in the database nor in a segment."""
    which = f"entry {first} is" if first == last else f"entries {first} to {last} are"
    hint = "Put the segment that holds them back into archive/." if first < last else ""
    return CorruptJournal(f"{which} not here", line=first, hint=hint)


def way_on(seq: int) -> str:
    """What somebody can do about an entry that cannot be folded."""
    return (
        f"Restore a copy, or go on without the entry: stop the service, then halfhour journal repair --skip {seq}"
        ' --reason "...".'
    )
