"""The tables of the embedded ledger, and its statements."""

from __future__ import annotations

import sqlite3

from api.ledger.protocol import Identity
from api.ledger.records import new_epoch, new_identity, packed

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


def prepare(connection: sqlite3.Connection, identity: Identity | None = None) -> None:
    """Makes the tables of a new ledger with its identity; raises sqlite3.Error where the file is no database."""
    text = packed((identity or Identity(new_identity(), new_epoch()))._asdict())
    connection.executescript(
        f"BEGIN IMMEDIATE; {SCHEMA} INSERT INTO tip VALUES (0);"
        f" INSERT INTO named_values VALUES ('identity', '{text}');"
        f" PRAGMA user_version = {LEDGER_VERSION}; COMMIT;"
    )


def version_of(connection: sqlite3.Connection) -> int:
    """The version of an open database; 0 where nothing is in it yet."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'journal'").fetchone():
        return 1  # what was put back from a dump in SQL has lost its number
    return int(version)
