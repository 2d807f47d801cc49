"""The tables of ledgers in PostgreSQL, and the one function that writes: all markets of a deployment in one schema.

A *tenure* is (market, epoch, owner): a row of `markets`, compared and moved in the transaction of every write.  Whoever
is not its owner any more writes nothing: that comparison is the fence, and no clock is part of it.
"""

from __future__ import annotations

from typing import NamedTuple

SCHEMA_VERSION = 3
OLDEST_PROGRAM = 3
"""The oldest program, by the version of tables that it was made for, that may work over these: what is only added to
tables leaves those of the version before at work until they are replaced, host by host."""

SUPERSEDED = "HH001"
"""Error state of a write by somebody who does not hold the market."""
OUT_OF_ORDER = "HH002"
"""Error state of an entry that does not follow the last one."""

SCHEMA = """
CREATE SCHEMA IF NOT EXISTS halfhour;
CREATE TABLE IF NOT EXISTS halfhour.version (version int NOT NULL);
CREATE TABLE IF NOT EXISTS halfhour.markets (
    market text PRIMARY KEY, ledger text NOT NULL, cursors text NOT NULL, epoch bigint NOT NULL DEFAULT 0, owner text,
    address text, expires_at timestamptz, head bigint NOT NULL DEFAULT 0, writes bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS halfhour.tenures (
    market text, epoch bigint, owner text NOT NULL, code_version text NOT NULL, began_at timestamptz NOT NULL,
    first_seq bigint NOT NULL, PRIMARY KEY (market, epoch));
CREATE TABLE IF NOT EXISTS halfhour.journal (
    market text, seq bigint, at bigint NOT NULL, line text NOT NULL, chain bytea NOT NULL,
    PRIMARY KEY (market, seq));
CREATE TABLE IF NOT EXISTS halfhour.snapshots (
    market text, seq bigint, at bigint NOT NULL, chain bytea NOT NULL, state bytea NOT NULL, digest bytea NOT NULL,
    PRIMARY KEY (market, seq));
CREATE TABLE IF NOT EXISTS halfhour.answers (
    market text, tenant text, route text, key text, fingerprint text NOT NULL, status int NOT NULL, body text NOT NULL,
    made_at bigint NOT NULL, seal bytea NOT NULL, PRIMARY KEY (market, tenant, route, key));
CREATE TABLE IF NOT EXISTS halfhour.notices (
    market text, seq bigint, event_id text NOT NULL, tenant text NOT NULL, kind text NOT NULL, subject text NOT NULL,
    sequence bigint NOT NULL, created_at bigint NOT NULL, data text NOT NULL, seal bytea NOT NULL,
    PRIMARY KEY (market, seq));
CREATE INDEX IF NOT EXISTS notices_of_tenant ON halfhour.notices (market, tenant, seq);
CREATE INDEX IF NOT EXISTS notices_of_subject ON halfhour.notices (market, subject, seq);
CREATE TABLE IF NOT EXISTS halfhour.vault (
    market text, handle bigint, tenant text NOT NULL, kind text NOT NULL, subject text NOT NULL,
    first double precision NOT NULL, second double precision NOT NULL, enter_s bigint NOT NULL, exit_s bigint NOT NULL,
    personal text NOT NULL, body text NOT NULL, erased_at bigint, seal bytea NOT NULL, PRIMARY KEY (market, handle));
CREATE INDEX IF NOT EXISTS vault_by_subject ON halfhour.vault (market, subject);
CREATE TABLE IF NOT EXISTS halfhour.ended (
    market text, order_id text, seq bigint NOT NULL, tenant text NOT NULL, store_id text NOT NULL, state text NOT NULL,
    record text NOT NULL, seal bytea NOT NULL, PRIMARY KEY (market, order_id));
CREATE INDEX IF NOT EXISTS ended_by_seq ON halfhour.ended (market, seq);
CREATE TABLE IF NOT EXISTS halfhour.webhooks (
    market text, webhook_id text, tenant text NOT NULL, url text NOT NULL, secrets text NOT NULL, kinds text NOT NULL,
    enabled bigint NOT NULL, failures bigint NOT NULL, created_at bigint NOT NULL, disabled_reason text NOT NULL,
    PRIMARY KEY (market, webhook_id));
CREATE TABLE IF NOT EXISTS halfhour.dues (
    market text, webhook_id text, seq bigint, attempts bigint NOT NULL, due_at bigint NOT NULL,
    PRIMARY KEY (market, webhook_id, seq));
CREATE INDEX IF NOT EXISTS dues_by_time ON halfhour.dues (market, due_at, seq);
CREATE TABLE IF NOT EXISTS halfhour.keys (key_id text PRIMARY KEY, body text NOT NULL);
CREATE TABLE IF NOT EXISTS halfhour.tenants (
    tenant text PRIMARY KEY, name text NOT NULL, created_at bigint NOT NULL);
CREATE TABLE IF NOT EXISTS halfhour.named_values (
    market text, name text, value text NOT NULL, PRIMARY KEY (market, name));
"""

SECOND = """
ALTER TABLE halfhour.markets ADD COLUMN IF NOT EXISTS configuration text NOT NULL DEFAULT '{}';
ALTER TABLE halfhour.markets ADD COLUMN IF NOT EXISTS state text NOT NULL DEFAULT 'open';
ALTER TABLE halfhour.markets ADD COLUMN IF NOT EXISTS wanted text NOT NULL DEFAULT '';
ALTER TABLE halfhour.markets ADD COLUMN IF NOT EXISTS pinned boolean NOT NULL DEFAULT false;
ALTER TABLE halfhour.markets ADD COLUMN IF NOT EXISTS standby text NOT NULL DEFAULT '';
ALTER TABLE halfhour.markets ADD COLUMN IF NOT EXISTS standby_at timestamptz;
CREATE TABLE IF NOT EXISTS halfhour.homes (
    tenant text, external_id text, market text NOT NULL, PRIMARY KEY (tenant, external_id));
ALTER TABLE halfhour.webhooks ADD COLUMN IF NOT EXISTS claimed_by text NOT NULL DEFAULT '';
ALTER TABLE halfhour.webhooks ADD COLUMN IF NOT EXISTS claimed_until timestamptz;
CREATE TABLE IF NOT EXISTS halfhour.hosts (
    host text PRIMARY KEY, address text NOT NULL, serves text NOT NULL, markets int NOT NULL, load double precision
    NOT NULL, draining boolean NOT NULL, began_at timestamptz NOT NULL, seen_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS halfhour.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, market text NOT NULL, at bigint NOT NULL, line text NOT NULL);
"""
"""What the second version added: who should have a market, the hosts, who sends to a webhook, the audit."""

THIRD = """
ALTER TABLE halfhour.version ADD COLUMN IF NOT EXISTS oldest_program int NOT NULL DEFAULT 0;
ALTER TABLE halfhour.webhooks ADD COLUMN IF NOT EXISTS rests_until timestamptz;
ALTER TABLE halfhour.webhooks ADD COLUMN IF NOT EXISTS rests_at text NOT NULL DEFAULT '';
ALTER TABLE halfhour.webhooks ADD COLUMN IF NOT EXISTS seen text NOT NULL DEFAULT '{}';
ALTER TABLE halfhour.webhooks ADD COLUMN IF NOT EXISTS sent bigint NOT NULL DEFAULT 0;
ALTER TABLE halfhour.webhooks ADD COLUMN IF NOT EXISTS failed bigint NOT NULL DEFAULT 0;
ALTER TABLE halfhour.webhooks ADD COLUMN IF NOT EXISTS given_up bigint NOT NULL DEFAULT 0;
ALTER TABLE halfhour.webhooks ADD COLUMN IF NOT EXISTS disabled bigint NOT NULL DEFAULT 0;
ALTER TABLE halfhour.markets ADD COLUMN IF NOT EXISTS follower text NOT NULL DEFAULT '';
ALTER TABLE halfhour.markets ADD COLUMN IF NOT EXISTS follower_at timestamptz;
"""
"""What the third version added: how a receiver was found by whoever sent to it last, whichever host that was; who
follows a market."""

MIGRATIONS = (SCHEMA, SECOND, THIRD)
"""Run in order by every `init` and `migrate`; each may be repeated."""


class Table(NamedTuple):
    """A table that a group of writes fills: its columns with their types, and what happens to a row that is there."""

    name: str
    columns: tuple[tuple[str, str], ...]
    conflict: str

    def inserted(self) -> str:
        """The statement that inserts the arrays named after the table's columns."""
        names = ", ".join(name for name, _ in self.columns)
        arrays = ", ".join(f"{self.name}_{name}" for name, _ in self.columns)
        return f"INSERT INTO halfhour.{self.name} (market, {names}) SELECT m, * FROM unnest({arrays}) {self.conflict};"


def _columns(text: str) -> tuple[tuple[str, str], ...]:
    short = {"i": "bigint", "t": "text", "f": "double precision", "b": "bytea"}
    return tuple((name, short[kind]) for name, kind in (pair.split(":") for pair in text.split()))


def _replaced(key: str, columns: tuple[tuple[str, str], ...]) -> str:
    new = ", ".join(f"{name} = excluded.{name}" for name, _ in columns if name != key)
    return f"ON CONFLICT (market, {key}) DO UPDATE SET {new}"


_ENTRY = _columns("seq:i at:i line:t chain:b")
_ANSWER = _columns("tenant:t route:t key:t fingerprint:t status:i body:t made_at:i seal:b")
_NOTICE = _columns("seq:i event_id:t tenant:t kind:t subject:t sequence:i created_at:i data:t seal:b")
_VAULT = _columns(
    "handle:i tenant:t kind:t subject:t first:f second:f enter_s:i exit_s:i personal:t body:t erased_at:i seal:b"
)
_ENDED = _columns("order_id:t seq:i tenant:t store_id:t state:t record:t seal:b")
_WEBHOOK = _columns("webhook_id:t tenant:t url:t secrets:t kinds:t enabled:i failures:i created_at:i disabled_reason:t")
_VALUE = _columns("name:t value:t")

TABLES = (
    Table("journal", _ENTRY, ""),
    Table("vault", _VAULT, _replaced("handle", _VAULT)),
    Table("ended", _ENDED, _replaced("order_id", _ENDED)),
    Table("answers", _ANSWER, "ON CONFLICT DO NOTHING"),  # the first answer wins
    Table("notices", _NOTICE, ""),
    Table("webhooks", _WEBHOOK, _replaced("webhook_id", _WEBHOOK)),
    Table("named_values", _VALUE, _replaced("name", _VALUE)),
)
"""In the order in which a write fills them: a notice is due for the webhooks that were there before it."""

_DUES = """
    INSERT INTO halfhour.dues SELECT m, w.webhook_id, n.seq, 0, n.created_at
      FROM unnest(notices_seq, notices_tenant, notices_kind, notices_created_at) AS n (seq, tenant, kind, created_at)
      JOIN halfhour.webhooks w ON w.market = m AND w.tenant = n.tenant AND w.enabled = 1
       AND (w.kinds = '[]' OR position('"' || n.kind || '"' IN w.kinds) > 0) ON CONFLICT DO NOTHING;
"""


def _append() -> str:
    arrays = ", ".join(f"{table.name}_{name} {kind}[]" for table in TABLES for name, kind in table.columns)
    filled = "\n    ".join(
        f"IF cardinality({table.name}_{table.columns[0][0]}) > 0 THEN {table.inserted()}"
        + (_DUES if table.name == "notices" else "")
        + " END IF;"
        for table in TABLES
    )
    return f"""
CREATE OR REPLACE FUNCTION halfhour.append(
    m text, e bigint, o text, was bigint, ttl double precision, {arrays}
) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE last bigint;
BEGIN
    UPDATE halfhour.markets AS k SET writes = k.writes + 1, head = k.head + cardinality(journal_seq),
           expires_at = clock_timestamp() + make_interval(secs => ttl)
     WHERE k.market = m AND k.epoch = e AND k.owner = o AND k.writes = was RETURNING k.head INTO last;
    IF NOT FOUND THEN RAISE EXCEPTION 'the market is held by somebody else' USING ERRCODE = '{SUPERSEDED}'; END IF;
    IF cardinality(journal_seq) > 0 AND journal_seq[cardinality(journal_seq)] <> last THEN
        RAISE EXCEPTION 'entry % does not follow entry %', journal_seq[1], last - cardinality(journal_seq)
              USING ERRCODE = '{OUT_OF_ORDER}';
    END IF;
    {filled}
END $$;
"""


APPEND = _append()
CALL = "SELECT halfhour.append(%s, %s, %s, %s, %s, {})".format(
    ", ".join(f"%b::{kind}[]" for table in TABLES for _, kind in table.columns)
)
