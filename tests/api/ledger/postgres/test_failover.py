"""A primary that dies under a writer: its standby goes on, and what was acknowledged is there, or is missed aloud."""

from __future__ import annotations

import time
from typing import Any

import pytest

from api.ledger.protocol import LedgerFailed, Write
from tests.kit.service.postgres import STREAMING, Server, either, fresh, holding, promote, server, standby_of
from tests.kit.service.stores import entry

psycopg = pytest.importorskip("psycopg", reason="needs psycopg: pip install 'halfhour[postgres]'")


def set_on(server: Server, statement: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as database:
        database.execute(statement.encode())
        database.execute("SELECT pg_reload_conf()")


def streams(primary: Server, state: str) -> bool:
    with psycopg.connect(primary.url, autocommit=True) as database:
        row = database.execute("SELECT count(*) FROM pg_stat_replication WHERE sync_state = %s", (state,)).fetchone()
    return bool(row and row[0])


def until(seen: Any) -> None:
    end = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_synchronous_standby_has_all_that_was_acknowledged() -> None:
    with server(*STREAMING) as primary, standby_of(primary) as standby:
        address = either(primary, standby, fresh(primary, "market"))
        set_on(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        until(lambda: streams(primary, "sync"))
        ledger = holding(address, ttl_s=30.0)
        futures = [ledger.append(Write(entry(seq))) for seq in range(1, 301)]
        futures[50].result(timeout=60)
        primary.stop()  # as a crash does, with writes under way
        promote(standby)
        for future in futures:
            future.result(timeout=60)
        futures = [ledger.append(Write(entry(seq))) for seq in range(301, 321)]
        for future in futures:
            future.result(timeout=60)
        assert [found.seq for found in ledger.entries()] == list(range(1, 321))
        ledger.close()
        primary.start()  # whoever stops it in the end finds it


def test_a_standby_that_was_behind_and_is_promoted_by_mistake_is_never_gone_on_with() -> None:
    with server(*STREAMING) as primary, standby_of(primary) as standby:
        address = either(primary, standby, fresh(primary, "market"))
        ledger = holding(address, ttl_s=30.0)
        for seq in range(1, 11):
            ledger.append(Write(entry(seq))).result(timeout=60)
        until(lambda: streams(primary, "async"))
        until(lambda: _head(standby, address) == 10)
        set_on(standby, "ALTER SYSTEM SET primary_conninfo = ''")
        until(lambda: not streams(primary, "async"))
        for seq in range(11, 21):  # acknowledged, and nowhere else
            ledger.append(Write(entry(seq))).result(timeout=60)
        primary.stop()
        promote(standby)
        with pytest.raises(LedgerFailed) as lost:
            ledger.append(Write(entry(21))).result(timeout=60)
        assert lost.value.code == "ledger_went_back" and lost.value.details["fatal"]
        with pytest.raises(LedgerFailed):
            ledger.append(Write(entry(11))).result(timeout=60)
        ledger.close()
        primary.start()


def _head(standby: Server, address: str) -> int:
    name = address.rpartition("/")[2].partition("#")[0]
    with psycopg.connect(f"{standby.url.rpartition('/')[0]}/{name}", autocommit=True) as database:
        row = database.execute("SELECT max(seq) FROM halfhour.journal").fetchone()
    return int(row[0] or 0) if row else 0
