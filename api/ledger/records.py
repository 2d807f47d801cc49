"""How what a ledger holds becomes rows of a database and back, the same in every store."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any, NamedTuple

from api.common.api_keys import Key, Scope
from api.ledger.chain import seal, unsealed
from api.ledger.outbox import Due, Notice, Webhook
from api.ledger.protocol import Ended, LedgerEntry, StoredReply, Tenant, VaultRow


class Text(NamedTuple):
    """An entry as it is kept: `line` is a JSON object of its input and its events."""

    seq: int
    at: int
    line: str


_TEXT = re.compile(r'\{"seq":(\d+),"at":(-?\d+),(.*)', re.DOTALL)


def packed(value: Any) -> str:
    """A JSON value as compact text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unpacked(text: str) -> dict[str, Any]:
    """The inverse of `packed`, of an object."""
    found: dict[str, Any] = json.loads(text)
    return found


def text_of_entry(entry: LedgerEntry) -> Text:
    return Text(entry.seq, entry.at, packed({"input": entry.input, "events": entry.events}))


def text_of(text: Text) -> str:
    """An entry as one JSON object: a line of a segment, and what the chain is over."""
    return f'{{"seq":{text.seq},"at":{text.at},{text.line[1:]}'


def text_from(line: str) -> Text:
    """The inverse of `text_of`; raises ValueError."""
    found = _TEXT.fullmatch(line)
    if found is None:
        raise ValueError("a line is no entry")
    return Text(int(found[1]), int(found[2]), "{" + found[3])


def entry_of(text: Text) -> LedgerEntry:
    line = json.loads(text.line)
    return LedgerEntry(text.seq, text.at, line["input"], line["events"])


def sealed(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row with its seal."""
    return (*values, seal(values))


def answer_row(answer: StoredReply) -> tuple[Any, ...]:
    return sealed(tuple(answer))


def answer_of(row: tuple[Any, ...]) -> StoredReply:
    return StoredReply(*unsealed("answers", row))


def notice_row(notice: Notice) -> tuple[Any, ...]:
    return sealed((*notice[:7], packed(notice.data)))


def notice_of(row: tuple[Any, ...]) -> Notice:
    values = unsealed("notices", row)
    return Notice._make((*values[:7], json.loads(values[7])))


def due_of(row: tuple[Any, ...]) -> Due:
    """A due from (webhook id, attempts, due at) and the row of its notice."""
    return Due(row[0], notice_of(row[3:]), row[1], row[2])


def vault_values(row: VaultRow) -> tuple[Any, ...]:
    # As the database gives them back: a whole number as a float, and no zero below zero.
    first, second = float(row.first) + 0.0, float(row.second) + 0.0
    return sealed((*row[:4], first, second, *row[6:8], packed(row.personal), packed(row.body), row.erased_at))


def vault_of(row: tuple[Any, ...]) -> VaultRow:
    values = unsealed("vault", row)
    return VaultRow._make((*values[:8], json.loads(values[8]), json.loads(values[9]), values[10]))


def ended_row(ended: Ended) -> tuple[Any, ...]:
    return sealed((*ended[:5], packed(ended.record)))


def ended_of(row: tuple[Any, ...]) -> Ended:
    values = unsealed("ended", row)
    return Ended._make((*values[:5], json.loads(values[5])))


def webhook_row(hook: Webhook) -> tuple[Any, ...]:
    return (
        hook.webhook_id, hook.tenant, hook.url, packed(hook.secrets), packed(hook.kinds), int(hook.enabled),
        hook.failures, hook.created_at, hook.disabled_reason,
    )  # fmt: skip


def webhook_of(row: tuple[Any, ...]) -> Webhook:
    secrets, kinds = tuple(json.loads(row[3])), tuple(json.loads(row[4]))
    return Webhook(row[0], row[1], row[2], secrets, kinds, bool(row[5]), row[6], row[7], row[8])


def key_text(key: Key) -> str:
    return packed(
        [key.tenant, sorted(key.scopes), key.digest, key.created_at, key.expires_at, key.label],
    )


def key_of(row: tuple[Any, ...]) -> Key:
    tenant, scopes, digest, created_at, expires_at, label = json.loads(row[1])
    return Key(row[0], tenant, frozenset(Scope(scope) for scope in scopes), digest, created_at, expires_at, label)


def tenant_of(row: tuple[Any, ...]) -> Tenant:
    return Tenant(*row)


def new_identity() -> str:
    """A name that no other ledger has."""
    return secrets.token_hex(16)


def new_epoch() -> str:
    """A word that no earlier epoch has."""
    return secrets.token_hex(4)
