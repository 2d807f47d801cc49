"""One owner of a market at a time: whoever was taken over from writes nothing, and what was acknowledged is there."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.ledger.protocol import LedgerFailed, Write
from tests.kit.service.postgres import TTL_S, Server, fresh, holding, server
from tests.kit.service.stores import entry

psycopg = pytest.importorskip("psycopg", reason="needs psycopg: pip install 'halfhour[postgres]'")


def test_a_market_is_taken_once_its_holder_is_silent_and_the_holder_writes_nothing_more(market: str) -> None:
    first = holding(market)
    first.append(Write(entry(1))).result()
    with pytest.raises(LedgerFailed) as held:
        holding(market)
    assert held.value.code == "ledger_in_use"
    second = holding(market, wait_s=5 * TTL_S)
    assert second.tenure.epoch == first.tenure.epoch + 1
    with pytest.raises(LedgerFailed) as gone:
        first.append(Write(entry(2))).result()
    assert gone.value.code == "ledger_superseded" and gone.value.details["fatal"]
    with pytest.raises(LedgerFailed):
        first.resume()
    second.append(Write(entry(2))).result()
    assert [found.seq for found in second.entries()] == [1, 2]
    first.close()
    second.append(Write(entry(3))).result()  # a holder of the past gives back nothing that is not theirs
    second.close()


def test_a_market_given_back_is_free_at_once(market: str) -> None:
    holding(market, ttl_s=60.0).close()
    begun = time.monotonic()
    holding(market, ttl_s=60.0).close()
    assert time.monotonic() - begun < 30


def test_every_write_renews(market: str) -> None:
    ledger = holding(market)
    for _ in range(8):
        time.sleep(TTL_S / 4)
        ledger.append(Write()).result()
        with pytest.raises(LedgerFailed):
            holding(market)
    ledger.close()


def test_without_the_fence_the_same_loses_entries(market: str) -> None:
    """The comparison is what protects: taken away, two owners both write, and the checks of this file would see it."""
    from api.ledger.postgres.schema import APPEND

    first = holding(market)
    unfenced = APPEND.replace(" AND k.epoch = e AND k.owner = o AND k.writes = was", "")
    assert unfenced != APPEND
    with psycopg.connect(market.partition("#")[0], autocommit=True) as database:
        database.execute(unfenced)
        try:
            second = holding(market, wait_s=5 * TTL_S)
            first.append(Write(extra=(("owner", "first"),))).result()
            assert second.value("owner") == "first", "a zombie's write was accepted"
        finally:
            database.execute(APPEND)
    second.close()
    first.close()


@pytest.mark.parametrize("done", [True, False])
def test_a_group_in_doubt_is_proved_or_sent_again(market: str, monkeypatch: pytest.MonkeyPatch, done: bool) -> None:
    """The line breaks with a group under way: after its commit, or before it."""
    ledger = holding(market, ttl_s=30.0)
    ledger.append(Write(entry(1))).result()
    writer, broken = ledger._writer, []
    call = writer._call

    def breaks(values: tuple[object, ...]) -> None:
        if not broken:
            broken.append(True)
            if done:
                call(values)
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        call(values)

    monkeypatch.setattr(writer, "_call", breaks)
    ledger.append(Write(entry(2))).result()
    ledger.append(Write(entry(3))).result()
    assert [found.seq for found in ledger.entries()] == [1, 2, 3]
    assert ledger.counters()["resent"] == (0 if done else 1)
    ledger.close()


def test_a_database_that_has_lost_acknowledged_writes_is_never_silently_gone_on_with(market: str) -> None:
    """As when a standby that was behind is promoted: the count of writes lies below what was acknowledged."""
    ledger = holding(market, ttl_s=30.0)
    for seq in range(1, 6):
        ledger.append(Write(entry(seq))).result()
    with psycopg.connect(market.partition("#")[0], autocommit=True) as database:
        database.execute("DELETE FROM halfhour.journal WHERE market = %s AND seq > 2", (ledger.market,))
        database.execute(
            "UPDATE halfhour.markets SET head = 2, writes = writes - 3 WHERE market = %s", (ledger.market,)
        )
    with pytest.raises(LedgerFailed):
        ledger.append(Write(entry(6))).result()
    with pytest.raises(LedgerFailed) as lost:
        ledger.resume()
    assert lost.value.code == "ledger_went_back" and "3 acknowledged writes" in lost.value.message
    ledger.close()


def test_a_commit_that_gave_up_waiting_for_its_standby_is_no_commit(market: str) -> None:
    ledger = holding(market, ttl_s=30.0)
    ledger.append(Write(entry(1))).result()
    with psycopg.connect(market.partition("#")[0], autocommit=True) as database:
        database.execute(
            "CREATE OR REPLACE FUNCTION halfhour.warns() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE WARNING 'canceling wait for synchronous replication' USING ERRCODE = '01000'; RETURN NEW; END $$"
        )
        database.execute("CREATE TRIGGER warns AFTER INSERT ON halfhour.journal EXECUTE FUNCTION halfhour.warns()")
        try:
            with pytest.raises(LedgerFailed, match="standby"):
                ledger.append(Write(entry(2))).result()
        finally:
            database.execute("DROP FUNCTION halfhour.warns CASCADE")
    ledger.resume()  # it stands here after all: the fold will have it
    assert ledger.head() == 2
    ledger.append(Write(entry(3))).result()
    assert [found.seq for found in ledger.entries()] == [1, 2, 3]
    ledger.close()


def test_a_clock_far_from_the_databases_takes_no_market(market: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.ledger.postgres import taking

    real = time.time
    monkeypatch.setattr(taking.time, "time", lambda: real() + 3600)
    with pytest.raises(LedgerFailed, match=r"\+3600\.0 s") as off:
        holding(market)
    assert off.value.code == "clock_off"


@pytest.fixture(scope="module")
def mortal() -> Iterator[Server]:
    """A server of its own, for tests that end it."""
    with server() as running:
        yield running


def test_a_server_that_crashes_loses_nothing_that_was_acknowledged(mortal: Server) -> None:
    ledger = holding(fresh(mortal, "market"), ttl_s=30.0)
    acknowledged = 0
    for crash in range(3):
        futures = [ledger.append(Write(entry(acknowledged + k))) for k in range(1, 200)]
        if crash:
            mortal.stop()
            mortal.start()
        for future in futures:
            future.result(timeout=60)
        acknowledged += len(futures)
    assert [found.seq for found in ledger.entries()] == list(range(1, acknowledged + 1))
    ledger.close()


OWNER = textwrap.dedent("""
    import sys, time
    from api.ledger.postgres.store import PostgresLedger
    from api.ledger.protocol import LedgerFailed, Write
    from tests.kit.service.stores import entry
    ledger = PostgresLedger(sys.argv[1], {"schema": 1}, ttl_s=0.6, wait_s=None)
    seq = ledger.head()
    try:
        while True:
            seq += 1
            ledger.append(Write(entry(seq))).result()
            print(ledger.tenure.epoch, seq, flush=True)
            time.sleep(0.003)
    except LedgerFailed as problem:
        print(problem.code, flush=True)
""")


def test_owners_that_are_killed_and_stopped_lose_nothing_and_a_stopped_one_writes_nothing(
    market: str, tmp_path: Path
) -> None:
    """Three processes want one market; its owner is killed or stopped, and a stopped one goes on before it looks."""
    said = [tmp_path / f"owner-{k}" for k in range(9)]
    alive: list[tuple[subprocess.Popen[bytes], Path]] = []

    def begin() -> None:
        path = said[len(started)]
        started.append(path)
        with path.open("wb") as out:
            process = subprocess.Popen([sys.executable, "-c", OWNER, market], stdout=out, cwd=Path(__file__).parents[4])
        alive.append((process, path))

    started: list[Path] = []
    for _ in range(3):
        begin()
    stopped = []
    for fault in range(6):
        owner = _owner(alive)
        alive.remove(owner)
        if fault % 2:
            os.kill(owner[0].pid, signal.SIGSTOP)
            stopped.append(owner[0])
        else:
            owner[0].kill()
            owner[0].wait()
        begin()
        _owner(alive)  # somebody else goes on
        if stopped:
            os.kill(stopped[-1].pid, signal.SIGCONT)
    for process in [*stopped, *(process for process, _ in alive)]:
        process.terminate()
        process.wait(timeout=20)
    lines = [tuple(map(int, line.split())) for path in started for line in path.read_text().splitlines() if " " in line]
    acknowledged = {(epoch, seq) for epoch, seq in lines}
    from api.ledger.postgres.reader import PostgresReader

    reader = PostgresReader(market)
    kept = [found.seq for found in reader.entries()]
    tenures = reader.rows(
        "SELECT epoch, first_seq FROM halfhour.tenures WHERE market = %s ORDER BY epoch", (reader.market,)
    )
    reader.close()
    assert kept == list(range(1, len(kept) + 1)), "no gap"
    assert {seq for _, seq in acknowledged} <= set(kept), "nothing acknowledged is lost"
    assert len({seq for _, seq in acknowledged}) == len(acknowledged), "no entry was acknowledged twice"
    assert len(tenures) >= 7 and [epoch for epoch, _ in tenures] == list(range(1, len(tenures) + 1))
    for (epoch, first), (_, following) in itertools.pairwise(tenures):
        assert all(first <= seq < following for one, seq in acknowledged if one == epoch), "nobody wrote out of turn"
    assert "ledger_superseded" in "".join(path.read_text() for path in started), "a stopped owner heard of it"


def _owner(alive: list[tuple[subprocess.Popen[bytes], Path]]) -> tuple[subprocess.Popen[bytes], Path]:
    """Whoever acknowledges entries now."""
    before = {path: path.stat().st_size for _, path in alive}
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for one in alive:
            if one[1].stat().st_size > before[one[1]] + 20:
                return one
        time.sleep(0.02)
    raise AssertionError("nobody took the market within a minute")
