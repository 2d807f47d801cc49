"""What a deployment knows beside its markets: hosts, who should serve what, where an order lives, whose a key is."""

from __future__ import annotations

import threading
from typing import Any

import psycopg

from api.common.api_keys import Key
from api.ledger import records
from api.ledger.placing import HostSeen, MarketSeen
from api.ledger.postgres import connection as c
from api.ledger.postgres.connection import Connection, where
from api.ledger.protocol import LedgerFailed

_MARKETS = """
    SELECT k.market, coalesce(k.owner, ''), coalesce(k.expires_at > clock_timestamp(), false), k.wanted, k.pinned,
           k.state, coalesce(k.address, ''), k.epoch, k.head, coalesce(extract(epoch FROM t.began_at)::bigint, 0),
           coalesce(extract(epoch FROM k.expires_at - clock_timestamp())::double precision, 0),
           CASE WHEN k.follower_at > clock_timestamp() - interval '3 s' THEN k.follower ELSE '' END
      FROM halfhour.markets k LEFT JOIN halfhour.tenures t ON t.market = k.market AND t.epoch = k.epoch
     ORDER BY k.market
"""
_HOSTS = """
    SELECT host, address, serves, markets, load, draining, extract(epoch FROM clock_timestamp() - seen_at)::float8
      FROM halfhour.hosts ORDER BY host
"""


class Registry:
    """The registry of one deployment, `postgresql://host/database`; one connection, used by one thread at a time."""

    def __init__(self, url: str) -> None:
        self._place = where(url)
        self._connection: Connection | None = None
        self._turn = threading.Lock()

    def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # --- hosts and markets --------------------------------------------------------------------------------------

    def beat(self, host: str, address: str, serves: str, markets: int, load: float) -> bool:
        """Says that a host is there; True where it is being drained."""
        rows = self._rows(
            "INSERT INTO halfhour.hosts VALUES (%s, %s, %s, %s, %s, false, clock_timestamp(), clock_timestamp())"
            " ON CONFLICT (host) DO UPDATE SET address = excluded.address, serves = excluded.serves,"
            " markets = excluded.markets, load = excluded.load, seen_at = excluded.seen_at RETURNING draining",
            host, address, serves, markets, load,
        )  # fmt: skip
        return bool(rows[0][0])

    def leave(self, host: str) -> None:
        """A host ends in order: what it should have is anybody's."""
        self._rows("DELETE FROM halfhour.hosts WHERE host = %s RETURNING host", host)

    def hosts(self) -> list[HostSeen]:
        """Every host that was ever heard of and has not left, with how long ago."""
        return [HostSeen(*row) for row in self._rows(_HOSTS)]

    def markets(self) -> list[MarketSeen]:
        """Every market, with who has it and who should."""
        return [MarketSeen(*row) for row in self._rows(_MARKETS)]

    def make(self, market: str) -> None:
        """A market that nobody has begun yet."""
        self._rows(
            "INSERT INTO halfhour.markets (market, ledger, cursors) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
            " RETURNING market",
            market, records.new_identity(), records.new_epoch(),
        )  # fmt: skip

    def assign(self, market: str, host: str, before: str, *, pinned: bool = False) -> bool:
        """Says that `host` should have a market, where `before` should so far; False where somebody was faster."""
        statement = "UPDATE halfhour.markets SET wanted = %s, pinned = %s WHERE market = %s AND wanted = %s"
        return bool(self._rows(f"{statement} RETURNING market", host, pinned, market, before))

    def drain(self, host: str, *, draining: bool) -> bool:
        """Lets a host give away what it has and get nothing more, or takes that back; False where it is unknown."""
        return bool(
            self._rows("UPDATE halfhour.hosts SET draining = %s WHERE host = %s RETURNING host", draining, host)
        )

    def set_state(self, market: str, state: str) -> bool:
        """`open`, or `closed`: then nobody serves it; False where it is unknown."""
        return bool(
            self._rows("UPDATE halfhour.markets SET state = %s WHERE market = %s RETURNING market", state, market)
        )

    def serving(self, market: str, host: str, address: str) -> None:
        """Keeps where a market is served, while the host has it."""
        self._rows(
            "UPDATE halfhour.markets SET address = %s WHERE market = %s AND owner LIKE %s || ':%%' RETURNING market",
            address, market, host,
        )  # fmt: skip

    # --- finding ------------------------------------------------------------------------------------------------

    def keys(self) -> list[Key]:
        """Every key of the deployment."""
        return [records.key_of(row) for row in self._rows("SELECT key_id, body FROM halfhour.keys")]

    def markets_of_store(self, store_id: str) -> list[str]:
        """The markets that have a store of this id."""
        rows = self._rows(
            "SELECT DISTINCT market FROM halfhour.vault WHERE kind = 'store' AND subject = %s"
            " AND market = ANY(ARRAY(SELECT market FROM halfhour.markets)) ORDER BY market",
            store_id,
        )
        return [str(row[0]) for row in rows]

    def home(self, tenant: str, external_id: str) -> str:
        """The market in which a tenant's order lives, by its own id; empty where none is known."""
        rows = self._rows(
            "SELECT market FROM halfhour.homes WHERE tenant = %s AND external_id = %s", tenant, external_id
        )
        return str(rows[0][0]) if rows else ""

    def settle(self, tenant: str, external_id: str, market: str) -> tuple[str, bool]:
        """The market in which an order lives from now on, and whether that was decided just now: the first one wins."""
        made = self._rows(
            "INSERT INTO halfhour.homes VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING market",
            tenant, external_id, market,
        )  # fmt: skip
        return (market, True) if made else (self.home(tenant, external_id) or market, False)

    def unsettle(self, tenant: str, external_id: str) -> None:
        """An order that was refused lives nowhere."""
        self._rows(
            "DELETE FROM halfhour.homes WHERE tenant = %s AND external_id = %s RETURNING market", tenant, external_id
        )

    def _rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._turn:
            for may_repeat in (True, False):
                if self._connection is None or self._connection.closed:
                    self._connection = c.connect(self._place, writes=True)
                    c.require_schema(self._connection, self._place)
                try:
                    return self._connection.execute(statement.encode(), values).fetchall()
                except psycopg.Error as problem:
                    self._connection.close()
                    if not (may_repeat and c.lost(problem)):
                        raise c.explained(problem, self._place) from problem
        raise LedgerFailed("the registry cannot be asked")
