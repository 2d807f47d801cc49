"""The ledger: what a live service must never lose, behind one protocol.

A `Write` is one transaction: a journal entry, the places it names, the answers kept for idempotency keys and the
notices that go out because of it.  Writes are committed in the order of `append`, many in one commit; its future is
done when the write is durable, and only then may an answer, a route or a notice leave.  Once a write fails all later
ones fail too, until `resume`: the host drops its engine and folds anew from what is really there.

`seq` of entries and of notices are given by the caller, each counts up by one.  Reads see committed rows only and may
come from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from api.common.api_keys import Key
from api.ledger.outbox import Notice, OutboxStore, Webhook
from routing.errors import HalfhourError, InvalidInput

OPERATOR = ""
"""The tenant of notices that concern riders, rounds and stores: for the operator's keys alone."""


SKIPS = "skipped_entries"
"""The value that names the entries left out of every fold."""


class LedgerFailed(HalfhourError):
    """A write could not be made durable; nothing of it happened."""

    code = "ledger_unavailable"


class CorruptLedger(InvalidInput):
    """Something in a ledger is not what was written, or does not belong to it; details name file, table or entry."""

    code = "corrupt_ledger"


class LedgerFull(LedgerFailed):
    """No space left, or the disk takes no writes."""

    code = "storage_full"


class NewerLedger(InvalidInput):
    """A ledger that a later version has written in."""

    code = "newer_ledger"


class Following(LedgerFailed):
    """A write at a host that only follows; details hold `host` and `address`: who has the market, as far as known."""

    code = "follower_read_only"


class Holder(NamedTuple):
    """Who has a market, and where it is served; empty where nobody has it, or nobody says."""

    host: str
    address: str


class Skip(NamedTuple):
    """An entry that somebody has left out of every fold, and why; `head`: the journal's last entry at that time."""

    seq: int
    at: int
    head: int
    reason: str
    problem: str


class Identity(NamedTuple):
    """Who a ledger is.  `epoch` changes when it is put back from a copy: cursors of the time after that copy end."""

    ledger: str
    epoch: str
    first: int = 0
    """The entry with which the chain begins to be handed on; later than 0 in a ledger that was older than chains."""
    upgraded_at: int = 0
    """The last entry that was written before there were chains: snapshots up to it carry no stamp of their own."""


class LedgerEntry(NamedTuple):
    """One line of the journal: an input and the events it led to, as `dispatch.codec` encodes them."""

    seq: int
    at: int
    input: dict[str, Any]
    events: list[dict[str, Any]]
    skipped: str = ""
    """Why it is left out of every fold (`halfhour journal repair`); input and events are empty then."""


class StoredReply(NamedTuple):
    """The first answer given under an idempotency key, replayed to whoever asks again with the same fingerprint."""

    tenant: str
    route: str
    key: str
    fingerprint: str
    status: int
    body: str
    made_at: int


class VaultRow(NamedTuple):
    """A place, and the only home of what is personal about it.

    `kind`: drop, store, rider or handover. `subject`: id of the order, store or rider. `first`, `second`: as in the
    PlaceBook. `personal`: names, phones, addresses, notes (empty once erased). `body`: the rest of what was handed
    over. `erased_at`: when the position was coarsened to its cell and `personal` emptied.
    """

    handle: int
    tenant: str
    kind: str
    subject: str
    first: float
    second: float
    enter_s: int = 0
    exit_s: int = 0
    personal: dict[str, Any] = {}  # noqa: RUF012  never changed: rows are replaced
    body: dict[str, Any] = {}  # noqa: RUF012
    erased_at: int | None = None


class Tenant(NamedTuple):
    """An order system.  `webhooks_allowed` and limits may follow; `name` is for people."""

    tenant: str
    name: str
    created_at: int


class Ended(NamedTuple):
    """An order that has left the board: `seq` as the board counted it, `record` as `dispatch.codec` encodes it."""

    order_id: str
    seq: int
    tenant: str
    store_id: str
    state: str
    record: dict[str, Any]


class Snapshot(NamedTuple):
    """The folded board after the entry `seq`: a restart folds what comes after it."""

    seq: int
    at: int
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """One transaction; all of it happens, or none."""

    entry: LedgerEntry | None = None
    answers: Sequence[StoredReply] = ()
    notices: Sequence[Notice] = ()
    vault: Sequence[VaultRow] = ()
    """Places that are new or replace the row of their handle."""
    extra: Sequence[tuple[str, Any]] = field(default=())
    """Values of `values()` to be set."""
    webhooks: Sequence[Webhook] = ()
    """Webhooks that are new or replace the one of their id."""
    ended: Sequence[Ended] = ()
    """Orders that leave the board with the entry."""


class RegistryStore(Protocol):
    """What is a deployment's and no market's: who may ask, and for whom."""

    def load_keys(self) -> Iterable[Key]: ...

    def save_key(self, key: Key) -> None:
        """Keeps a key; returns when it is durable."""

    def tenants(self) -> list[Tenant]: ...

    def save_tenant(self, tenant: Tenant) -> Future[None]: ...


class Ledger(OutboxStore, RegistryStore, Protocol):
    """See the module; `SqliteLedger` is the embedded form."""

    def append(self, write: Write) -> Future[None]:
        """Queues one transaction; its future is done once it is durable, or fails with LedgerFailed."""

    @property
    def identity(self) -> Identity:
        """Who this ledger is, and its epoch."""

    @property
    def lease_s(self) -> float | None:
        """Seconds for which it stays ours without a write (None: it is nobody else's): write oftener."""

    @property
    def is_surely_ours(self) -> bool:
        """False where another host may have taken it by now, as far as our own clock can tell: then nothing is read."""

    @property
    def is_following(self) -> bool:
        """True while another host has it: it is read here, and written there."""

    def take(self, on_wait: Callable[[str], None], is_ready: Callable[[], bool]) -> None:
        """Waits until a ledger that was followed is ours; `is_ready()`: whoever should give it to us need not wait."""

    def whereabouts(self) -> Holder:
        """Who has it now."""

    def asked_to_leave(self) -> bool:
        """True where another host should have it and waits for it, or nobody should."""

    def standing(self) -> Mapping[str, float]:
        """What operations watch of a ledger that several hosts share, by name; nothing of a folder's."""

    @property
    def is_far(self) -> bool:
        """True where a look-up crosses a network: never on the event loop."""

    @property
    def address(self) -> str:
        """Where another process finds it: a folder, or `postgresql://host/database#market`."""

    @property
    def failed(self) -> LedgerFailed | None:
        """Why nothing is written now, None while all is well."""

    def resume(self) -> None:
        """After a failure: raises LedgerFailed while the disk refuses, else takes writes again."""

    def close(self) -> None:
        """Commits what is queued and closes."""

    # --- journal
    def header(self) -> dict[str, Any]:
        """Schema version, code version, frame, settings at the start, digests: the journal's first line."""

    def head(self) -> int:
        """`seq` of the last entry (0: none)."""

    def entries(self, after: int = 0) -> Iterator[LedgerEntry]:
        """The entries with seq > `after`, in order, those that were moved into segments among them."""

    def cut(self, most: int) -> Future[None] | None:
        """Takes up to `most` entries that were moved into a segment out of the journal's table; None where none are."""

    def save_snapshot(self, snapshot: Snapshot) -> Future[None]:
        """Keeps a snapshot of a durable entry; older ones than the last two go."""

    def newest_snapshot(self) -> Snapshot | None:
        """The newest one that can be read; raises CorruptLedger where it belongs to another journal."""

    # --- answers and notices
    def answer(self, tenant: str, route: str, key: str) -> StoredReply | None:
        """What was answered under an idempotency key, if it is still kept."""

    def notice_head(self) -> int:
        """`seq` of the last notice (0: none)."""

    def notices(
        self, after: int = 0, *, tenant: str | None = None, subject: str | None = None, limit: int = 200
    ) -> list[Notice]:
        """Notices with seq > `after`, in order; of one tenant, of one subject, or all."""

    def sequence_of(self, subject: str) -> int:
        """The highest `sequence` of a subject (0: nothing is kept of it)."""

    def sequences_of(self, subjects: Sequence[str]) -> dict[str, int]:
        """`sequence_of` of many at once; those of whom nothing is kept are left out."""

    def forget(self, before: int) -> Future[None]:
        """Removes answers and notices made before the instant `before` (notices still due somewhere stay)."""

    def forgotten(self) -> dict[str, int]:
        """`seq` of the last notice of each tenant that was removed."""

    # --- vault
    def vault(self, of: Sequence[int] | None = None, after: int = -1) -> Iterator[VaultRow]:
        """Every place, by handle; with `of` only those of these handles and those of handles > `after`."""

    def vault_row(self, handle: int) -> VaultRow | None: ...

    def vault_of(self, subject: str) -> list[VaultRow]:
        """Every place ever kept for an order, store or rider, the newest last."""

    # --- orders that have left the board
    def ended_order(self, order_id: str) -> Ended | None: ...

    def ended_orders(
        self,
        before: int | None = None,
        *,
        tenant: str | None = None,
        state: str | None = None,
        store_id: str | None = None,
        limit: int = 200,
    ) -> list[Ended]:
        """Those with seq < `before` (None: all), the newest first; of one tenant, in one state, of one store."""

    # --- values
    def value(self, name: str) -> Any:
        """A small JSON value by name (signing secret, travel source ...), None where unset."""
