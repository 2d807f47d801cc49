"""What is due to receivers in a database: senders on many hosts share them, each receiver with one of them at a time.

A claim is a row of `webhooks` that nobody else holds, found with SKIP LOCKED so that senders do not wait for each
other.  It is no tenure: a sender that is stopped beyond its claim may finish the request it is in while another one
begins, and receivers tell doubles by `webhook-id`.  Nothing here waits for the disk: what is lost with a server is sent
again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg

from api.ledger import records
from api.ledger.outbox import Claimed, Due, Tried
from api.ledger.postgres import connection as c
from api.ledger.postgres.connection import Connection, Where
from api.ledger.postgres.reader import NOTICE, WEBHOOK
from api.ledger.protocol import LedgerFailed
from api.ledger.reading import sound

CLAIM_S = 4.0
RECEIVERS_AT_ONCE = 16
"""One sender takes no more at a time: the others are there to share them."""
COUNTS = ("sent", "failed", "given_up", "disabled")

_CLAIM = f"""
WITH free AS (
    SELECT w.market, w.webhook_id FROM halfhour.webhooks w
     WHERE w.enabled = 1 AND (%(market)s::text IS NULL OR w.market = %(market)s)
       AND (w.claimed_until IS NULL OR w.claimed_until < clock_timestamp() OR w.claimed_by = %(me)s)
       AND NOT EXISTS (SELECT FROM unnest(%(skip_m)s::text[], %(skip_w)s::text[]) AS s (m, w_id)
                        WHERE s.m = w.market AND s.w_id = w.webhook_id)
       AND (w.failures = 0 OR w.rests_until IS NULL OR w.rests_until < clock_timestamp() OR w.rests_at <> w.url)
       AND EXISTS (SELECT FROM halfhour.dues d
                    WHERE d.market = w.market AND d.webhook_id = w.webhook_id AND d.due_at <= %(now)s)
     ORDER BY w.claimed_until NULLS FIRST LIMIT {RECEIVERS_AT_ONCE} FOR UPDATE OF w SKIP LOCKED)
UPDATE halfhour.webhooks w
   SET claimed_by = %(me)s, claimed_until = clock_timestamp() + make_interval(secs => %(claim_s)s)
  FROM free JOIN halfhour.markets k ON k.market = free.market
 WHERE w.market = free.market AND w.webhook_id = free.webhook_id
RETURNING w.market, k.cursors, w.seen, {", ".join(f"w.{name}" for name in WEBHOOK.split(", "))}
"""
_DUES = f"""
SELECT d.market, d.webhook_id, d.attempts, d.due_at, {", ".join(f"n.{name}" for name in NOTICE.split(", "))}
  FROM unnest(%s::text[], %s::text[]) AS f (market, webhook_id)
 CROSS JOIN LATERAL (SELECT * FROM halfhour.dues o
                      WHERE o.market = f.market AND o.webhook_id = f.webhook_id AND o.due_at <= %s
                      ORDER BY o.due_at, o.seq LIMIT %s) d
  JOIN halfhour.notices n ON n.market = d.market AND n.seq = d.seq ORDER BY d.due_at, d.seq
"""
_KEEP = """
UPDATE halfhour.webhooks w SET claimed_until = clock_timestamp() + make_interval(secs => %s)
  FROM unnest(%s::text[], %s::text[]) AS k (market, webhook_id)
 WHERE w.market = k.market AND w.webhook_id = k.webhook_id AND w.claimed_by = %s AND w.enabled = 1
RETURNING w.market, w.webhook_id
"""
_LET_GO = f"""
UPDATE halfhour.webhooks SET claimed_by = '', claimed_until = NULL, seen = %(seen)s,
       failures = CASE WHEN failures = %(was)s THEN %(failures)s ELSE failures END,
       enabled = CASE WHEN failures = %(was)s AND %(reason)s <> '' THEN 0 ELSE enabled END,
       disabled_reason = CASE WHEN failures = %(was)s AND %(reason)s <> '' THEN %(reason)s ELSE disabled_reason END,
       rests_until = clock_timestamp() + make_interval(secs => %(rest_s)s), rests_at = %(url)s,
       {", ".join(f"{name} = {name} + %({name})s" for name in COUNTS)}
 WHERE market = %(market)s AND webhook_id = %(webhook_id)s AND claimed_by = %(me)s
"""


class PostgresOutbox:
    """The outbox of one market, or of every one (`place.market` empty): then ids are `MARKET/WEBHOOK`.

    One connection, used by one thread at a time; calls come from any thread.
    """

    def __init__(self, place: Where, sender: str, market: str | None, *, claim_s: float = CLAIM_S) -> None:
        self._place, self._sender, self._market, self._claim_s = place, sender, market, claim_s
        self._connection: Connection | None = None
        self._turn = threading.Lock()
        self._later = ThreadPoolExecutor(1, thread_name_prefix="outbox")

    @property
    def claim_s(self) -> float | None:
        """Seconds for which a receiver stays ours once claimed, and once kept."""
        return self._claim_s

    def close(self) -> None:
        """Ends what is under way; claims run out by themselves."""
        self._later.shutdown()
        with self._turn:
            if self._connection is not None:
                self._connection.close()

    # --- ids ----------------------------------------------------------------------------------------------------

    def market_of(self, name: str) -> str:
        """The market of a webhook by its id here."""
        return self._apart(name)[0]

    def _apart(self, name: str) -> tuple[str, str]:
        if self._market is not None:
            return self._market, name
        market, _, webhook_id = name.rpartition("/")
        return market, webhook_id

    def _name(self, market: str, webhook_id: str) -> str:
        return webhook_id if self._market is not None else f"{market}/{webhook_id}"

    def _columns(self, names: Iterable[str]) -> tuple[list[str], list[str]]:
        pairs = [self._apart(name) for name in names]
        return [market for market, _ in pairs], [webhook_id for _, webhook_id in pairs]

    # --- claims -------------------------------------------------------------------------------------------------

    def claim(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Claimed]:
        """Receivers that nobody else sends to, ours for `claim_s`, each with up to `limit` of what is due by `now`."""
        markets, hooks = self._columns(skip)
        given = {
            "market": self._market, "me": self._sender, "claim_s": self._claim_s, "now": now,
            "skip_m": markets, "skip_w": hooks,
        }  # fmt: skip
        rows = self._rows(_CLAIM, given)
        found = {self._name(row[0], row[3]): self._claimed(row) for row in rows}
        if not found:
            return []
        for market, *row in self._rows(_DUES, (*self._columns(found), now, limit)):
            for due in sound([tuple(row)], records.due_of):
                name = self._name(market, due.webhook_id)
                found[name].dues.append(due._replace(webhook_id=name))
        return list(found.values())

    def _claimed(self, row: tuple[Any, ...]) -> Claimed:
        hook = records.webhook_of(row[3:])
        named = replace(hook, webhook_id=self._name(row[0], hook.webhook_id))
        return Claimed(named, [], str(row[1]), records.unpacked(row[2]))

    def keep(self, webhook_ids: Sequence[str]) -> set[str]:
        """Renews what was claimed; those that are still ours."""
        rows = self._rows(_KEEP, (self._claim_s, *self._columns(webhook_ids), self._sender))
        return {self._name(market, webhook_id) for market, webhook_id in rows}

    def let_go(self, visit: Tried) -> Future[None]:
        """Writes how a receiver was found, and leaves it to whoever claims it next."""
        market, webhook_id = self._apart(visit.webhook.webhook_id)
        values = {name: visit.counts.get(name, 0) for name in COUNTS} | {
            "seen": records.packed(visit.seen), "was": visit.webhook.failures, "failures": visit.failures,
            "reason": visit.disabled, "rest_s": visit.rest_s, "url": visit.webhook.url, "market": market,
            "webhook_id": webhook_id, "me": self._sender,
        }  # fmt: skip
        return self._later.submit(self._run, lambda connection: connection.execute(_LET_GO.encode(), values))

    def seen(self, webhook_id: str) -> Mapping[str, Any] | None:
        """How tries have ended lately, as the last sender said."""
        rows = self._rows(
            "SELECT seen FROM halfhour.webhooks WHERE market = %s AND webhook_id = %s", self._apart(webhook_id)
        )
        return records.unpacked(rows[0][0]) if rows else {}

    def tries(self) -> Mapping[str, int]:
        """Tries of all senders since the webhooks were made, by how they ended."""
        sums = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in COUNTS)
        rows = self._rows(
            f"SELECT {sums} FROM halfhour.webhooks WHERE %s::text IS NULL OR market = %s", (self._market,) * 2
        )
        return dict(zip(COUNTS, rows[0], strict=True))

    def settle(self, done: Sequence[Due], later: Sequence[Due]) -> Future[None]:
        """Takes `done` off the list and writes the new `attempts` and `due_at` of `later`."""

        def job(connection: Connection) -> None:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(
                    "DELETE FROM halfhour.dues WHERE market = %s AND webhook_id = %s AND seq = %s",
                    [(*self._apart(due.webhook_id), due.notice.seq) for due in done],
                )
                cursor.executemany(
                    "UPDATE halfhour.dues SET attempts = %s, due_at = %s"
                    " WHERE market = %s AND webhook_id = %s AND seq = %s",
                    [(due.attempts, due.due_at, *self._apart(due.webhook_id), due.notice.seq) for due in later],
                )

        return self._later.submit(self._run, job)

    # --- the connection -----------------------------------------------------------------------------------------

    def _rows(self, statement: str, values: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        self._run(lambda connection: found.extend(connection.execute(statement.encode(), values).fetchall()))
        return found

    def _run(self, job: Callable[[Connection], Any]) -> None:
        """One job; a line that broke since the last one is no reason to fail, for each may be done twice."""
        with self._turn:
            for may_repeat in (True, False):
                if self._connection is None or self._connection.closed:
                    self._connection = c.connect(self._place, writes=True)
                    c.require_schema(self._connection, self._place)
                    self._connection.execute("SET synchronous_commit = off")
                try:
                    job(self._connection)
                except psycopg.Error as problem:
                    self._connection.close()
                    if not (may_repeat and c.lost(problem)):
                        raise c.explained(problem, self._place) from problem
                else:
                    return
        raise LedgerFailed("the outbox cannot be asked")
