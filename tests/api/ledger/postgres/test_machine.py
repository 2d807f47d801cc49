"""N hosts and one database, at random: takes, crashes, pauses, commits in doubt, a promotion that loses, a way back.

The real ledger against a real server.  A pause is that a host does nothing while others do, and writes when it wakes.
After every step all that was acknowledged is there, in one line of entries, under one owner for each epoch.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from api.ledger.postgres.schema import APPEND
from api.ledger.protocol import LedgerEntry, LedgerFailed, Write
from tests.kit.service.postgres import Server, fresh, holding

psycopg = pytest.importorskip("psycopg", reason="needs psycopg: pip install 'halfhour[postgres]'")

HOSTS = st.sampled_from(["a", "b", "c"])
NAMES = st.sampled_from(["o1", "o2"])
OVER = ("ledger_superseded", "ledger_went_back")
_markets = itertools.count()


class Hosts(RuleBasedStateMachine):
    """What hosts do, and what may never happen."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        from api.ledger.postgres.registry import Registry

        self.address = f"{self.url}#m{next(_markets)}"
        self.market = self.address.rpartition("#")[2]
        self.database = psycopg.connect(self.url, autocommit=True)
        self.registry = Registry(self.url)
        self.held: dict[str, Any] = {}
        self.heads: dict[str, int] = {}
        self.acknowledged: dict[int, int] = {}
        """What was written as which entry."""
        self.behind: set[str] = set()
        """Hosts that were told of more than the database has by now."""
        self.homes: dict[str, str] = {}
        self.numbers = itertools.count(1)

    @initialize()
    def begins(self) -> None:
        self.takes("a")

    # --- what hosts do ------------------------------------------------------------------------------------------

    @rule(host=HOSTS)
    def takes(self, host: str) -> None:
        if host in self.held:
            return
        try:
            ledger = holding(self.address, node=host, ttl_s=600.0)
        except LedgerFailed as problem:
            assert problem.code == "ledger_in_use"
            return
        self.held[host], self.heads[host] = ledger, ledger.head()

    @rule(host=HOSTS, how=st.sampled_from(["well", "well", "proved", "sent again", "dies before", "dies after"]))
    def writes(self, host: str, how: str) -> None:
        ledger = self.held.get(host)
        if ledger is None:
            return
        seq, number = self.heads[host] + 1, next(self.numbers)
        self._breaks(ledger, how)
        is_owner = self._owner() == ledger.tenure.owner
        try:
            ledger.append(Write(LedgerEntry(seq, 1000 + seq, {"kind": "Wake"}, [{"n": number}]))).result(timeout=60)
        except LedgerFailed as problem:
            if how.startswith("dies"):
                self._gone(host)
                return
            assert problem.code in OVER and problem.details["fatal"], problem
            assert not is_owner or host in self.behind, "an owner that has missed nothing is not turned away"
            self._gone(host)
            return
        assert is_owner and host not in self.behind, "a zombie's write was accepted"
        self.heads[host], self.acknowledged[seq] = seq, number

    @rule(host=HOSTS)
    def gives_back(self, host: str) -> None:
        ledger = self.held.pop(host, None)
        if ledger is not None:
            ledger.close()
            self.behind.discard(host)

    @rule()
    def time_passes(self) -> None:
        """More than any tenure lasts."""
        self.database.execute(
            "UPDATE halfhour.markets SET expires_at = clock_timestamp() WHERE market = %s", (self.market,)
        )

    @rule(entries=st.integers(1, 3))
    @precondition(lambda self: self.acknowledged)
    def a_standby_that_was_behind_is_promoted(self, entries: int) -> None:
        """Acknowledged entries go: who has written them may never go on as if nothing had been."""
        head = max(0, self._head() - entries)
        gone = self._head() - head
        self.database.execute("DELETE FROM halfhour.journal WHERE market = %s AND seq > %s", (self.market, head))
        self.database.execute(
            "UPDATE halfhour.markets SET head = %s, writes = writes - %s WHERE market = %s", (head, gone, self.market)
        )
        owner = self._owner()
        self.behind |= {host for host, ledger in self.held.items() if ledger.tenure.owner == owner and gone}
        self.acknowledged = {seq: number for seq, number in self.acknowledged.items() if seq <= head}

    @rule(name=NAMES, market=st.sampled_from(["munich", "porto"]))
    def an_order_settles(self, name: str, market: str) -> None:
        home, is_new = self.registry.settle(self.market, name, market)
        assert is_new == (name not in self.homes) and home == self.homes.setdefault(name, market)
        assert self.registry.home(self.market, name) == home

    # --- what may never be otherwise ----------------------------------------------------------------------------

    @invariant()
    def what_was_acknowledged_is_there_in_one_line(self) -> None:
        rows = self.database.execute(
            "SELECT seq, (line::json -> 'events' -> 0 ->> 'n')::int FROM halfhour.journal WHERE market = %s"
            " ORDER BY seq", (self.market,),
        ).fetchall()  # fmt: skip
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1)) and len(rows) == self._head()
        found = dict(rows)
        assert {seq: found.get(seq) for seq in self.acknowledged} == self.acknowledged

    @invariant()
    def epochs_only_grow_and_have_one_owner_each(self) -> None:
        rows = self.database.execute(
            "SELECT epoch, owner FROM halfhour.tenures WHERE market = %s ORDER BY began_at, epoch", (self.market,)
        ).fetchall()
        epochs = [row[0] for row in rows]
        assert epochs == sorted(set(epochs)) and len({row[1] for row in rows}) == len(rows)
        row = self.database.execute(
            "SELECT epoch, owner FROM halfhour.markets WHERE market = %s", (self.market,)
        ).fetchone()
        if row is not None and rows:
            assert row[0] == epochs[-1] and row[1] in (None, rows[-1][1])

    def teardown(self) -> None:
        for ledger in self.held.values():
            ledger.close()
        self.registry.close()
        self.database.close()

    # --- helpers ------------------------------------------------------------------------------------------------

    def _breaks(self, ledger: Any, how: str) -> None:
        """The next call of the database goes like that; the ones after it as usual."""
        writer, times = ledger._writer, itertools.count()
        usual = type(writer)._call

        def call(values: tuple[object, ...]) -> None:
            if next(times) or how == "well":
                usual(writer, values)
                return
            if how in ("proved", "dies after"):
                usual(writer, values)
            if how.startswith("dies"):
                raise LedgerFailed("the process is gone", code="crashed")
            raise psycopg.OperationalError("server closed the connection unexpectedly")

        writer._call = call

    def _gone(self, host: str) -> None:
        """The process has ended, and gives nothing back."""
        ledger = self.held.pop(host)
        ledger._give_back = lambda connection: None
        ledger.close()
        self.behind.discard(host)

    def _owner(self) -> str:
        return str(self._row("owner"))

    def _head(self) -> int:
        return int(self._row("head") or 0)

    def _row(self, column: str) -> Any:
        statement = f"SELECT {column} FROM halfhour.markets WHERE market = %s"
        row = self.database.execute(statement.encode(), (self.market,)).fetchone()
        return row[0] if row else None


HOW = settings(max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def machine(postgres: Server) -> type[Hosts]:
    """The machine over a database of its own."""
    return type("HostsHere", (Hosts,), {"url": fresh(postgres, "unused").partition("#")[0]})


def test_hosts_and_a_database_at_random(machine: type[Hosts]) -> None:
    run_state_machine_as_test(machine, settings=HOW)


def test_the_machine_sees_a_fence_that_is_taken_away(machine: type[Hosts]) -> None:
    unfenced = APPEND.replace(" AND k.epoch = e AND k.owner = o AND k.writes = was", "")
    with psycopg.connect(machine.url, autocommit=True) as database:
        database.execute(unfenced)
    made = machine()
    try:
        made.takes("a")
        made.writes("a", "well")
        made.time_passes()
        made.takes("b")
        with pytest.raises(AssertionError):
            made.writes("a", "well")
            made.what_was_acknowledged_is_there_in_one_line()
    finally:
        made.teardown()
