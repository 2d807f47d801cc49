"""The tables of the embedded ledger, and how rows become records and back."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from typing import Any, NamedTuple

from api.common.api_keys import Key, Scope
from api.ledger.chain import seal, unsealed
from api.ledger.protocol import Ended, LedgerEntry, Notice, StoredReply, Tenant, VaultRow, Webhook

LEDGER_VERSION = 2
"""1: no identity, no chain, no seals; `upgrade.py` makes 2 of it."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, line TEXT NOT NULL, chain BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    tenant TEXT, route TEXT, key TEXT, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    made_at INTEGER NOT NULL, seal BLOB, PRIMARY KEY (tenant, route, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notices (
    seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL, tenant TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
    sequence INTEGER NOT NULL, created_at INTEGER NOT NULL, data TEXT NOT NULL, seal BLOB);
CREATE INDEX IF NOT EXISTS notices_of_tenant ON notices (tenant, seq);
CREATE INDEX IF NOT EXISTS notices_of_subject ON notices (subject, seq);
CREATE TABLE IF NOT EXISTS vault (
    handle INTEGER PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, first REAL NOT NULL,
    second REAL NOT NULL, enter_s INTEGER NOT NULL, exit_s INTEGER NOT NULL, personal TEXT NOT NULL, body TEXT NOT NULL,
    erased_at INTEGER, seal BLOB);
CREATE INDEX IF NOT EXISTS vault_by_subject ON vault (subject);
CREATE TABLE IF NOT EXISTS ended (
    order_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, tenant TEXT NOT NULL, store_id TEXT NOT NULL, state TEXT NOT NULL,
    record TEXT NOT NULL, seal BLOB);
CREATE INDEX IF NOT EXISTS ended_by_seq ON ended (seq);
CREATE INDEX IF NOT EXISTS ended_of_tenant ON ended (tenant, seq);
CREATE TABLE IF NOT EXISTS webhooks (
    webhook_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, url TEXT NOT NULL, secrets TEXT NOT NULL, kinds TEXT NOT NULL,
    enabled INTEGER NOT NULL, failures INTEGER NOT NULL, created_at INTEGER NOT NULL, disabled_reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dues (
    webhook_id TEXT, seq INTEGER, attempts INTEGER NOT NULL, due_at INTEGER NOT NULL,
    PRIMARY KEY (webhook_id, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS dues_by_time ON dues (due_at, seq);
CREATE TABLE IF NOT EXISTS keys (key_id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tenants (tenant TEXT PRIMARY KEY, name TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS named_values (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tip (writes INTEGER NOT NULL);
"""
SEALED = ("answers", "notices", "vault", "ended")
"""Tables whose rows end in a digest of their own values."""

INSERT_ENTRY = "INSERT INTO journal VALUES (?, ?, ?, ?)"
INSERT_ANSWER = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_NOTICE = "INSERT INTO notices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_VAULT = "INSERT OR REPLACE INTO vault VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_ENDED = "INSERT OR REPLACE INTO ended VALUES (?, ?, ?, ?, ?, ?, ?)"
INSERT_WEBHOOK = "INSERT OR REPLACE INTO webhooks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
# A webhook without kinds wants all; kinds are kept as JSON text, in which a kind stands between quotes.
INSERT_DUES = """
INSERT OR IGNORE INTO dues SELECT webhook_id, :seq, 0, :created_at FROM webhooks
WHERE tenant = :tenant AND enabled AND (kinds = '[]' OR instr(kinds, '"' || :kind || '"'))
"""
SELECT_DUE = """
SELECT d.webhook_id, d.attempts, d.due_at, n.* FROM dues d JOIN webhooks w ON w.webhook_id = d.webhook_id AND w.enabled
JOIN notices n ON n.seq = d.seq WHERE d.due_at <= ? AND d.webhook_id NOT IN (SELECT value FROM json_each(?))
ORDER BY d.due_at, d.seq LIMIT ?
"""
SET_VALUE = "INSERT OR REPLACE INTO named_values VALUES (?, ?)"
COUNT_WRITES = "UPDATE tip SET writes = ?"


class Text(NamedTuple):
    """An entry as it is kept: `line` is a JSON object of its input and its events."""

    seq: int
    at: int
    line: str


_TEXT = re.compile(r'\{"seq":(\d+),"at":(-?\d+),(.*)', re.DOTALL)


def packed(value: Any) -> str:
    """A JSON value as compact text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


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


def prepare(connection: sqlite3.Connection) -> None:
    """Makes the tables of a new ledger with its identity; raises sqlite3.Error where the file is no database."""
    identity = packed({"ledger": new_identity(), "epoch": new_epoch(), "first": 0, "upgraded_at": 0})
    connection.executescript(
        f"BEGIN IMMEDIATE; {SCHEMA} INSERT INTO tip VALUES (0);"
        f" INSERT INTO named_values VALUES ('identity', '{identity}');"
        f" PRAGMA user_version = {LEDGER_VERSION}; COMMIT;"
    )


def new_identity() -> str:
    """A name that no other ledger has."""
    return secrets.token_hex(16)


def new_epoch() -> str:
    """A word that no earlier epoch has."""
    return secrets.token_hex(4)


def version_of(connection: sqlite3.Connection) -> int:
    """The version of an open database; 0 where nothing is in it yet."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'journal'").fetchone():
        return 1  # what was put back from a dump in SQL has lost its number
    return int(version)
