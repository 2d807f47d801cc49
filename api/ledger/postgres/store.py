"""The ledger of one market in PostgreSQL, held by this process: a tenure, and the writer that works under it."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from api.common.api_keys import Key
from api.common.clock import ticks
from api.ledger import records
from api.ledger.chain import genesis
from api.ledger.outbox import Claimed, Due, Tried, Webhook
from api.ledger.postgres import connection as c
from api.ledger.postgres.connection import Connection, where
from api.ledger.postgres.outbox import PostgresOutbox
from api.ledger.postgres.reader import PostgresReader
from api.ledger.postgres.schema import APPEND, MIGRATIONS, OLDEST_PROGRAM, SCHEMA_VERSION
from api.ledger.postgres.taking import TAKE_EVERY_S, Wish, taken
from api.ledger.postgres.writer import PostgresWriter, Tenure, Tip
from api.ledger.protocol import Following, Holder, Identity, LedgerFailed, Tenant, Write

log = logging.getLogger(__name__)

TTL_S = 5.0

_SAVE_KEY = "INSERT INTO halfhour.keys VALUES (%s, %s) ON CONFLICT (key_id) DO UPDATE SET body = excluded.body"
_SAVE_TENANT = (
    "INSERT INTO halfhour.tenants VALUES (%s, %s, %s) ON CONFLICT (tenant) DO UPDATE SET name = excluded.name,"
    " created_at = excluded.created_at"
)
_OLD = (
    "halfhour.notices n WHERE n.market = %s AND n.created_at < %s AND n.seq < (SELECT max(seq) FROM halfhour.notices"
    " WHERE market = n.market) AND NOT EXISTS (SELECT FROM halfhour.dues d WHERE d.market = n.market AND d.seq = n.seq)"
)


def prepare(address: str) -> None:
    """Makes the tables of a database, or brings the function up to date; nothing happens where all is there."""
    place = where(address)
    with c.connect(place, writes=True) as connection, connection.transaction():
        for statements in MIGRATIONS:
            connection.execute(statements)
        if connection.execute("SELECT 1 FROM halfhour.version").fetchone() is None:
            connection.execute("INSERT INTO halfhour.version VALUES (%s)", (SCHEMA_VERSION,))
        made = connection.execute(
            "UPDATE halfhour.version SET version = %s, oldest_program = %s WHERE version <= %s RETURNING 1",
            (SCHEMA_VERSION, OLDEST_PROGRAM, SCHEMA_VERSION),
        )
        c.require_schema(connection, place)
        if made.fetchone() is not None:  # a later version's function stays
            connection.execute(APPEND)


def note(address: str, line: dict[str, Any]) -> None:
    """Keeps a line of a market's audit."""
    place = where(address)
    with c.connect(place, writes=True) as connection:
        c.require_schema(connection, place)
        connection.execute(
            "INSERT INTO halfhour.audit (market, at, line) VALUES (%s, %s, %s)",
            (place.market, line["at"], records.packed(line)),
        )


class PostgresLedger(PostgresReader):
    """The Ledger of a market, taken for this process; `header` is kept until there are entries.

    `wait_s`: how long to wait while another host holds the market (None: for ever).  Raises LedgerFailed
    (`ledger_in_use`) after that, and where this machine's clock is more than a second from the database's.
    With `follows` a market that another host holds is followed: it is read here, until `take` has returned.
    """

    def __init__(
        self,
        address: str,
        header: dict[str, Any] | None = None,
        *,
        identity: Identity | None = None,
        ttl_s: float = TTL_S,
        wait_s: float | None = 0.0,
        version: str = "",
        on_wait: Callable[[str], None] | None = None,
        node: str = "",
        configuration: Mapping[str, str] | None = None,
        changes_configuration: bool = False,
        follows: bool = False,
    ) -> None:
        super().__init__(address)
        called = identity or Identity(records.new_identity(), records.new_epoch())
        name = node or socket.gethostname()
        self._wish = Wish(self._place, called, ttl_s, version, name, configuration or {}, changes_configuration)
        self._outbox = PostgresOutbox(self._place, f"{name}:{secrets.token_hex(6)}", self.market)
        self._header = header
        self._own: PostgresWriter | None = None
        self._closed = threading.Event()
        while True:
            try:
                self._hold(*taken(self._wish, wait_s=0.0 if follows else wait_s, on_wait=on_wait))
                return
            except LedgerFailed as problem:
                if not follows or problem.code != "ledger_in_use":
                    raise
            if self.value("header") is not None:
                return  # there is something to follow
            time.sleep(TAKE_EVERY_S)

    def _hold(self, asked_at: float, tenure: Tenure) -> None:
        row = self._one("head, writes", "markets")
        assert row is not None
        head = int(row[0])
        chain = self.chain_at(head) if head else genesis(self.identity.ledger)
        self.tenure = tenure
        self._own = PostgresWriter(self._place, tenure, Tip(head, chain, int(row[1])), asked_at)
        if self._header is not None and (head == 0 or self.value("header") is None):
            self.append(Write(extra=(("header", self._header),))).result()

    @property
    def _writer(self) -> PostgresWriter:
        if self._own is None:
            host, address = self.whereabouts()
            raise Following(
                f"this host only follows market {self.market}", host=host, address=address, retry_after_s=1,
                hint=f"Ask {address or host or 'the host that has it'}.",
            )  # fmt: skip
        return self._own

    @property
    def is_following(self) -> bool:
        """True while another host has the market."""
        return self._own is None

    def take(self, on_wait: Callable[[str], None], is_ready: Callable[[], bool]) -> None:
        """Waits until the market is ours; `is_ready()`: whoever should give it to us need not wait for us."""
        if self._own is None:
            self._hold(
                *taken(self._wish, wait_s=None, on_wait=on_wait, is_ready=is_ready, ends=self._closed, has_looked=True)
            )

    def whereabouts(self) -> Holder:
        """Who has the market, and where its front listens."""
        rows = self.rows(
            "SELECT split_part(k.owner, ':', 1), coalesce(h.address, k.address, '') FROM halfhour.markets k LEFT JOIN"
            " halfhour.hosts h ON h.host = split_part(k.owner, ':', 1) WHERE k.market = %s AND k.owner IS NOT NULL",
            (self.market,),
        )
        return Holder(*rows[0]) if rows else Holder("", "")

    @property
    def lease_s(self) -> float | None:
        """Seconds for which the market stays ours without a write."""
        return self._wish.ttl_s

    @property
    def is_surely_ours(self) -> bool:
        """While our own clock says that nobody else can have taken the market."""
        return self._own is not None and ticks() < self._own.surely_until

    def asked_to_leave(self) -> bool:
        """True where another host should have the market and waits for it, or nobody should."""
        if self._own is None:
            return False
        rows = self.rows(
            "SELECT state <> 'open' OR (wanted NOT IN ('', %s) AND standby = wanted AND"
            " standby_at > clock_timestamp() - interval '2 s') FROM halfhour.markets WHERE market = %s",
            (self._wish.node, self.market),
        )
        return bool(rows and rows[0][0])

    def standing(self) -> dict[str, float]:
        """The tenure that it is held in, how long it is surely ours, and groups that were sent again."""
        if self._own is None:
            return {"epoch": 0.0}
        left_s = self._own.surely_until - ticks()
        return {"epoch": self.tenure.epoch, "surely_ours_s": left_s, "resent": self._own.resent}

    @property
    def is_far(self) -> bool:
        """A look-up crosses a network."""
        return True

    # --- writing ------------------------------------------------------------------------------------------------

    def append(self, write: Write) -> Future[None]:
        return self._writer.put(write)

    def resume(self) -> None:
        self._writer.resume()

    def close(self) -> None:
        """Writes what is queued, gives the market back and closes."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._own is not None:
            if self._own.failed is None:
                self._own.put(self._give_back)
            self._own.close()
        self._outbox.close()
        super().close()

    def _give_back(self, connection: Connection) -> None:
        connection.execute(
            "UPDATE halfhour.markets SET owner = NULL, expires_at = NULL"
            " WHERE market = %s AND epoch = %s AND owner = %s",
            (self.market, self.tenure.epoch, self.tenure.owner),
        )

    @property
    def failed(self) -> LedgerFailed | None:
        """Why nothing is written now, None while all is well."""
        return self._own.failed if self._own is not None else None

    def counters(self) -> dict[str, int]:
        """Commits, writes committed, writes waiting and groups sent again, for metrics."""
        writer = self._writer
        return {
            "commits": writer.commits, "writes": writer.jobs, "waiting": writer.waiting, "resent": writer.resent
        }  # fmt: skip

    def cut(self, most: int) -> Future[None] | None:
        """Nothing has moved out of the database that could be taken out of it."""
        return None

    # --- answers, notices, webhooks -----------------------------------------------------------------------------

    def forget(self, before: int) -> Future[None]:
        def job(connection: Connection) -> None:
            with connection.transaction():
                connection.execute(
                    "DELETE FROM halfhour.answers WHERE market = %s AND made_at < %s", (self.market, before)
                )
                gone = connection.execute(f"DELETE FROM {_OLD} RETURNING tenant, seq".encode(), (self.market, before))
                last: dict[str, int] = {}
                for tenant, seq in gone.fetchall():
                    last[tenant] = max(last.get(tenant, 0), seq)
                if last:
                    text = records.packed(self.forgotten() | last)
                    connection.execute(
                        "INSERT INTO halfhour.named_values VALUES (%s, 'forgotten', %s)"
                        " ON CONFLICT (market, name) DO UPDATE SET value = excluded.value",
                        (self.market, text),
                    )

        return self._writer.put(job)

    def save_webhook(self, webhook: Webhook) -> Future[None]:
        return self.append(Write(webhooks=(webhook,)))

    def delete_webhook(self, webhook_id: str) -> Future[None]:
        def job(connection: Connection) -> None:
            with connection.transaction():
                for table in (b"dues", b"webhooks"):
                    statement = b"DELETE FROM halfhour." + table + b" WHERE market = %s AND webhook_id = %s"
                    connection.execute(statement, (self.market, webhook_id))

        return self._writer.put(job)

    @property
    def claim_s(self) -> float | None:
        """Seconds for which a receiver stays ours once claimed, and once kept."""
        return self._outbox.claim_s

    def claim(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Claimed]:
        return self._outbox.claim(now, limit=limit, skip=skip)

    def keep(self, webhook_ids: Sequence[str]) -> set[str]:
        return self._outbox.keep(webhook_ids)

    def let_go(self, visit: Tried) -> Future[None]:
        return self._outbox.let_go(visit)

    def seen(self, webhook_id: str) -> Mapping[str, Any] | None:
        return self._outbox.seen(webhook_id)

    def tries(self) -> Mapping[str, int] | None:
        return self._outbox.tries()

    def settle(self, done: Sequence[Due], later: Sequence[Due]) -> Future[None]:
        return self._outbox.settle(done, later)

    def owe(self, dues: Sequence[Due]) -> Future[None]:
        def job(connection: Connection) -> None:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO halfhour.dues VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                    [(self.market, due.webhook_id, due.notice.seq, due.attempts, due.due_at) for due in dues],
                )

        return self._writer.put(job)

    def redeliver(self, webhook_id: str, after: int, now: int) -> Future[None]:
        statement = (
            "INSERT INTO halfhour.dues SELECT n.market, w.webhook_id, n.seq, 0, %s FROM halfhour.webhooks w"
            " JOIN halfhour.notices n ON n.market = w.market AND n.tenant = w.tenant AND n.seq > %s"
            " WHERE w.market = %s AND w.webhook_id = %s"
            " AND (w.kinds = '[]' OR position('\"' || n.kind || '\"' IN w.kinds) > 0)"
            " ON CONFLICT (market, webhook_id, seq) DO UPDATE SET attempts = 0, due_at = excluded.due_at"
        )
        return self._writer.put(_job(statement, now, after, self.market, webhook_id))

    # --- keys, tenants ------------------------------------------------------------------------------------------

    def save_key(self, key: Key) -> None:
        self._writer.put(_job(_SAVE_KEY, key.key_id, records.key_text(key))).result()

    def save_tenant(self, tenant: Tenant) -> Future[None]:
        return self._writer.put(_job(_SAVE_TENANT, *tenant))


def _job(statement: str, *values: Any) -> Callable[[Connection], None]:
    def job(connection: Connection) -> None:
        connection.execute(statement.encode(), values)

    return job
