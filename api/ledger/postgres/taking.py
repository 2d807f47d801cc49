"""Taking a market: one statement on one row, under a clock and a configuration that fit."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import psycopg

from api.common.clock import ticks
from api.ledger import records
from api.ledger.configuration import require_alike
from api.ledger.postgres import connection as c
from api.ledger.postgres.connection import Connection, Where
from api.ledger.postgres.writer import Tenure
from api.ledger.protocol import Identity, LedgerFailed

log = logging.getLogger(__name__)

TAKE_EVERY_S = 0.25
MOST_CLOCK_OFF_S = 1.0
HOST_GONE_S = 5.0
"""A host that has not been heard of for so long is not waited for."""

_FREE = (
    "(owner IS NULL OR expires_at < clock_timestamp()) AND state = 'open' AND (wanted IN ('', %(node)s) OR NOT EXISTS"
    " (SELECT FROM halfhour.hosts h WHERE h.host = wanted AND NOT h.draining"
    " AND h.seen_at > clock_timestamp() - make_interval(secs => %(gone)s)))"
)


class Wish(NamedTuple):
    """Who wants a market, for how long at a time, and under which configuration."""

    place: Where
    called: Identity
    ttl_s: float
    version: str
    node: str
    """The host's name."""
    configuration: Mapping[str, str]
    changes_configuration: bool = False


def taken(
    wish: Wish,
    *,
    wait_s: float | None,
    on_wait: Callable[[str], None] | None = None,
    is_ready: Callable[[], bool] = lambda: True,
    ends: threading.Event | None = None,
    has_looked: bool = False,
) -> tuple[float, Tenure]:
    """The market, ours, and when it was asked for; waits `wait_s` while another has it (None: for ever).

    Raises LedgerFailed (`ledger_in_use`) after that and where this machine's clock is off, Misfit where the market is
    served under another configuration.  Who waits and loses the database goes on waiting, and for two tenures more once
    it is back: every tenure has run out by then, and every owner may yet live.  `is_ready()`: whoever has it may give
    it to us at once.  `ends`: set where nobody waits for it any more.  `has_looked`: the database has been seen before.
    """
    owner = f"{wish.node}:{secrets.token_hex(6)}"
    begun, patient_until, said = time.monotonic(), 0.0, False
    ends = ends or threading.Event()
    while not ends.is_set():
        asked_at = ticks()
        try:
            may_take = time.monotonic() >= patient_until
            epoch, holder = _asked(wish, owner, may_take=may_take, waits=is_ready())
        except (LedgerFailed, psycopg.OperationalError) as problem:
            if not has_looked or wait_s is not None or getattr(problem, "code", "") == "clock_off":
                raise
            log.warning("the database is away: %s", problem)
            patient_until = time.monotonic() + 2 * wish.ttl_s
            ends.wait(TAKE_EVERY_S)
            continue
        has_looked = True
        if epoch is not None:
            return asked_at, Tenure(wish.place.market, epoch, owner, wish.ttl_s)
        if wait_s is not None and time.monotonic() - begun >= wait_s:
            raise LedgerFailed(
                f"another process has the market {wish.place.market} ({holder})", code="ledger_in_use",
                hint="Ask the running service instead, or stop it first.",
            )  # fmt: skip
        if on_wait is not None and not said:
            on_wait(f"market {wish.place.market} is held by {holder or 'nobody yet'}: waiting")
            said = True
        ends.wait(min(TAKE_EVERY_S, wish.ttl_s / 4))
    raise LedgerFailed(f"the market {wish.place.market} is waited for no longer", code="shutting_down")


def _asked(wish: Wish, owner: str, *, may_take: bool, waits: bool) -> tuple[int | None, str]:
    with c.connect(wish.place, writes=True) as connection:
        c.require_schema(connection, wish.place)
        _require_clock(connection)
        return _take(connection, wish, owner, may_take=may_take, waits=waits)


def _require_clock(connection: Connection) -> None:
    """Raises LedgerFailed where this machine's clock is more than a second from the database's."""
    row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::double precision").fetchone()
    assert row is not None
    off_s = time.time() - float(row[0])
    if abs(off_s) > MOST_CLOCK_OFF_S:
        raise LedgerFailed(
            f"this machine's clock is {off_s:+.1f} s from the database's", code="clock_off",
            hint="Set the clock (NTP); entries are dated by it.",
        )  # fmt: skip


def _take(connection: Connection, wish: Wish, owner: str, *, may_take: bool, waits: bool) -> tuple[int | None, str]:
    """(epoch, '') where the market is ours now, else (None, who holds it); `waits`: it may be given to us at once."""
    market, ours = wish.place.market, dict(wish.configuration)
    with connection.transaction():
        connection.execute(
            "INSERT INTO halfhour.markets (market, ledger, cursors) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (market, wish.called.ledger, wish.called.epoch),
        )
        found = connection.execute(
            "SELECT owner, configuration, state FROM halfhour.markets WHERE market = %s", (market,)
        ).fetchone()
        assert found is not None
        _require_open(market, str(found[2]))
        if not wish.changes_configuration:
            require_alike(records.unpacked(found[1]), ours, market)
        values: dict[str, Any] = {
            "owner": owner, "ttl": wish.ttl_s, "market": market, "node": wish.node, "gone": HOST_GONE_S,
        }  # fmt: skip
        taken = None
        if may_take:
            statement = (
                "UPDATE halfhour.markets SET epoch = epoch + 1, owner = %(owner)s, address = NULL,"
                " expires_at = clock_timestamp() + make_interval(secs => %(ttl)s)"
                f" WHERE market = %(market)s AND {_FREE} RETURNING epoch, head"
            )
            taken = connection.execute(statement.encode(), values).fetchone()
        if taken is None:
            connection.execute(
                "UPDATE halfhour.markets SET standby = %(node)s, standby_at = clock_timestamp()"
                " WHERE market = %(market)s AND wanted = %(node)s AND %(waits)s",
                values | {"waits": waits},
            )
            connection.execute(
                "UPDATE halfhour.markets SET follower = %(node)s, follower_at = clock_timestamp()"
                " WHERE market = %(market)s AND %(waits)s"
                " AND (follower_at IS NULL OR follower_at < clock_timestamp() - interval '1 s')",
                values | {"waits": waits},
            )
            return None, str(found[0] or "")
        if ours:
            connection.execute(
                "UPDATE halfhour.markets SET configuration = %s WHERE market = %s", (records.packed(ours), market)
            )
        connection.execute(
            "INSERT INTO halfhour.tenures VALUES (%s, %s, %s, %s, clock_timestamp(), %s)",
            (market, taken[0], owner, wish.version, taken[1] + 1),
        )
    return int(taken[0]), ""


def _require_open(market: str, state: str) -> None:
    if state != "open":
        raise LedgerFailed(
            f"the market {market} is {state}", code="market_closed", hint="halfhour market open " + market,
        )  # fmt: skip
