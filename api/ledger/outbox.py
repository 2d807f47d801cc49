"""What is due to receivers of webhooks, and how senders share them.

A notice is due, in its own transaction, for each webhook of its tenant that wants it.  A ledger in a folder has one
sender.  In a database several share all receivers: each is *claimed* by one of them at a time, for a few seconds that
are renewed while it is at work, so that none is sent to twice at once and none is lost with its sender.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


class Notice(NamedTuple):
    """A fact for the outside: `event_id` for receivers to tell doubles, `sequence` counts per `subject`."""

    seq: int
    event_id: str
    tenant: str
    kind: str
    subject: str
    sequence: int
    created_at: int
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a tenant wants notices sent.  `kinds` empty: all.  `secrets`: newest first, two during a rotation."""

    webhook_id: str
    tenant: str
    url: str
    secrets: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    enabled: bool = True
    failures: int = 0
    """Failures in a row."""
    created_at: int = 0
    disabled_reason: str = ""


class Due(NamedTuple):
    """A notice that a webhook has not had yet: `attempts` were made, the next is due at `due_at`."""

    webhook_id: str
    notice: Notice
    attempts: int
    due_at: int


class Claimed(NamedTuple):
    """A receiver that is ours to send to, and what is due to it now.

    `seen`: how tries have ended lately, as `let_go` was told it last; None where only this process knows.
    """

    webhook: Webhook
    dues: list[Due]
    epoch: str
    """Of the ledger that the notices are of."""
    seen: Mapping[str, Any] | None = None


class Tried(NamedTuple):
    """How a receiver was found by whoever sent to it."""

    webhook: Webhook
    """As it was claimed: what somebody has changed of it since is left alone."""
    failures: int
    disabled: str
    """Why it is to be disabled; empty where it is not."""
    rest_s: float
    """Nobody sends to it for so long, unless it is enabled anew or given another address."""
    counts: Mapping[str, int]
    """Tries of this visit, by how they ended."""
    seen: Mapping[str, Any]


class OutboxStore(Protocol):
    """What is due to receivers."""

    @property
    def claim_s(self) -> float | None:
        """Seconds for which a receiver stays ours once claimed, and once kept; None: nobody else sends."""

    def webhooks(self, tenant: str | None = None) -> list[Webhook]: ...

    def save_webhook(self, webhook: Webhook) -> Future[None]: ...

    def delete_webhook(self, webhook_id: str) -> Future[None]:
        """Removes a webhook with all that is due to it."""

    def claim_due(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Due]:
        """Up to `limit` due notices of enabled webhooks other than `skip`, the longest waiting first.

        A read, whoever sends: what a sender had in hand at a crash is simply due again.
        """

    def claim(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Claimed]:
        """Receivers other than `skip` to whom something is due, ours from now on; of no one more than `limit` dues."""

    def keep(self, webhook_ids: Sequence[str]) -> set[str]:
        """Renews what was claimed; those that are still ours."""

    def let_go(self, visit: Tried) -> Future[None]:
        """Writes how a receiver was found, and leaves it to whoever claims it next."""

    def seen(self, webhook_id: str) -> Mapping[str, Any] | None:
        """How tries have ended lately, as the last sender said; None where only this process knows."""

    def tries(self) -> Mapping[str, int] | None:
        """Tries of all senders since there is this ledger, by how they ended; None where only this process knows."""

    def settle(self, done: Sequence[Due], later: Sequence[Due]) -> Future[None]:
        """Takes `done` off the list and writes the new `attempts` and `due_at` of `later`."""

    def owe(self, dues: Sequence[Due]) -> Future[None]:
        """Puts notices on the list as they are, as a copy of a ledger does."""

    def redeliver(self, webhook_id: str, after: int, now: int) -> Future[None]:
        """Makes every kept notice with seq > `after` due again for a webhook."""
