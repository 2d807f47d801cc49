"""A ledger moved between stores, whole and checked: from a folder into a database, or back.

The copy has the identity of its source, so the chain of its entries must end with the same digest, and cursors that
were given out stay good.  Snapshots are not copied: the first start folds, and keeps one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from api.ledger.opening import Copied, in_database, opened, reader_of, shown
from api.ledger.outbox import Notice
from api.ledger.protocol import CorruptLedger, Ended, Ledger, Write
from routing.errors import InvalidInput

AT_ONCE = 500

T = TypeVar("T")


class Copy(NamedTuple):
    """What was copied."""

    entries: int
    places: int
    notices: int
    ended_orders: int
    chain: str
    """The digest after the last entry, equal in both."""


def copy(source: str, target: str, on_progress: Callable[[int, int], None] | None = None) -> Copy:
    """Copies the ledger at one address to another, which must hold nothing yet; `on_progress(entries, of)`.

    Nobody may write the source meanwhile.  Raises InvalidInput where the target is not empty or the source is older
    than chains, CorruptLedger where the copy is not what its source is.
    """
    reader = reader_of(source)
    try:
        if reader.identity.first:
            raise InvalidInput(
                "this ledger is older than the chain of its entries", field="source",
                hint="Copy it as a folder: halfhour journal backup.",
            )  # fmt: skip
        ledger = opened(target, identity=reader.identity)
        try:
            if ledger.head() or ledger.identity.ledger != reader.identity.ledger:
                raise InvalidInput(
                    f"there is a ledger at {shown(target)} already", field="target",
                    hint="Name another market." if in_database(target) else "Name a folder that does not exist.",
                )  # fmt: skip
            _fill(ledger, reader, on_progress)
        finally:
            ledger.close()
        return _checked(reader, target)
    finally:
        reader.close()


def _fill(ledger: Ledger, reader: Copied, on_progress: Callable[[int, int], None] | None) -> None:
    for tenant in reader.tenants():
        ledger.save_tenant(tenant).result()
    for key in reader.load_keys():
        ledger.save_key(key)
    # Notices before webhooks: else each would be due once more.
    _write(ledger, reader.vault(), lambda rows: Write(vault=rows))
    _write(ledger, _all_ended(reader), lambda rows: Write(ended=rows))
    _write(ledger, reader.answers(), lambda rows: Write(answers=rows))
    _write(ledger, _all_notices(reader), lambda rows: Write(notices=rows))
    ledger.append(Write(webhooks=tuple(reader.webhooks()))).result()
    ledger.owe(list(reader.dues())).result()
    head, done = reader.head(), 0
    skips = reader.skips()
    if skips:
        raise InvalidInput("entries of this ledger are left out of its fold", field="source", seq=min(skips))
    for entries in _slices(reader.entries()):
        for future in [ledger.append(Write(entry)) for entry in entries]:
            future.result()
        done += len(entries)
        if on_progress is not None:
            on_progress(done, head)
    _write(ledger, (item for item in reader.values() if item[0] != "identity"), lambda rows: Write(extra=rows))


def _checked(reader: Copied, target: str) -> Copy:
    copied = reader_of(target)
    try:
        copied.check_rows()
        head = reader.head()
        chain = reader.chain_at(head)
        entries = sum(1 for _ in copied.entries())  # reads and checks each
        mine, theirs = _counts(reader), _counts(copied)
        if entries != head or copied.chain_at(head) != chain or mine != theirs:
            raise CorruptLedger(f"the copy at {shown(target)} is not what its source is: {theirs} for {mine}")
        return Copy(head, mine["places"], mine["notices"], mine["ended"], chain.hex())
    finally:
        copied.close()


def _counts(reader: Copied) -> dict[str, int]:
    parts: dict[str, Iterable[Any]] = {
        "places": reader.vault(), "ended": _all_ended(reader), "answers": reader.answers(),
        "notices": _all_notices(reader), "dues": reader.dues(), "webhooks": reader.webhooks(),
    }  # fmt: skip
    return {name: sum(1 for _ in rows) for name, rows in parts.items()}


def _all_notices(reader: Copied) -> Iterator[Notice]:
    after = 0
    while page := reader.notices(after, limit=AT_ONCE):
        yield from page
        after = page[-1].seq


def _all_ended(reader: Copied) -> Iterator[Ended]:
    before = None
    while page := reader.ended_orders(before, limit=AT_ONCE):
        yield from page
        before = page[-1].seq


def _slices(rows: Iterable[T]) -> Iterator[tuple[T, ...]]:
    left = iter(rows)
    while part := tuple(islice(left, AT_ONCE)):
        yield part


def _write(ledger: Ledger, rows: Iterable[T], make: Callable[[tuple[T, ...]], Write]) -> None:
    for part in _slices(rows):
        ledger.append(make(part)).result()
