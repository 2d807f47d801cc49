"""Owners of markets that are killed and stopped, and a primary that dies: what was acknowledged, and what is there."""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from api.ledger.protocol import Write
from tests.kit.service.postgres import STREAMING, Server, either, fresh, promote, server, standby_of
from tests.kit.service.stores import entry

ROOT = Path(__file__).parents[3]
TTL_S = 2.0
OWNER = """
import sys, time
from api.ledger.postgres.store import PostgresLedger
from api.ledger.protocol import LedgerFailed, Write
from tests.kit.service.stores import entry
ledger = PostgresLedger(sys.argv[1], {"schema": 1}, ttl_s=float(sys.argv[2]), wait_s=None)
seq = ledger.head()
try:
    while True:
        seq += 1
        ledger.append(Write(entry(seq))).result()
        print(ledger.tenure.epoch, seq, f"{time.time():.4f}", flush=True)
        time.sleep(0.003)
except LedgerFailed as problem:
    print(problem.code, flush=True)
"""


def faults(made: Server, folder: Path, kills: int, stops: int, *, fence: bool) -> dict[str, Any]:
    """Three processes want one market; its owner is killed or stopped, and wakes when another one has it."""
    import psycopg

    from api.ledger.postgres.schema import APPEND

    address = fresh(made, "market")
    if not fence:
        with psycopg.connect(address.partition("#")[0], autocommit=True) as database:
            database.execute(_without_fence(APPEND))
    crew = _Crew(address, folder)
    chance = random.Random(7)
    todo = ["kill"] * kills + ["stop"] * stops
    chance.shuffle(todo)
    for fault in todo:
        crew.suffer(fault)
    crew.end()
    return crew.verdict(fence=fence) | {"kills": kills, "stops": stops}


def _without_fence(append: str) -> str:
    """The function that writes, without what it compares: of two owners' entries the later one stays."""
    replaced = "ON CONFLICT (market, seq) DO UPDATE SET at = excluded.at, line = excluded.line, chain = excluded.chain"
    last = "journal_seq[cardinality(journal_seq)]"
    for old, new in (
        (" AND k.epoch = e AND k.owner = o AND k.writes = was", ""),
        ("journal_seq[cardinality(journal_seq)] <> last", "false"),
        ("head = k.head + cardinality(journal_seq)", f"head = greatest(k.head, coalesce({last}, 0))"),
        ("journal_line, journal_chain) ;", f"journal_line, journal_chain) {replaced};"),
    ):
        assert old in append, old
        append = append.replace(old, new)
    return append


class _Crew:
    def __init__(self, address: str, folder: Path) -> None:
        self.address, self._folder = address, folder
        self._said: list[Path] = []
        self._alive: list[tuple[subprocess.Popen[bytes], Path]] = []
        self._pauses: list[float] = []
        for _ in range(3):
            self._begin()

    def _begin(self) -> None:
        path = self._folder / f"owner-{len(self._said)}"
        self._said.append(path)
        with path.open("wb") as out:
            words = [sys.executable, "-c", OWNER, self.address, str(TTL_S)]
            self._alive.append((subprocess.Popen(words, stdout=out, cwd=ROOT), path))

    def _owner(self) -> tuple[subprocess.Popen[bytes], Path]:
        before = {path: path.stat().st_size for _, path in self._alive}
        end = time.monotonic() + 120
        while time.monotonic() < end:
            for one in self._alive:
                if one[1].stat().st_size > before[one[1]]:
                    return one
            time.sleep(0.01)
        raise AssertionError("nobody took the market within two minutes")

    def suffer(self, fault: str) -> None:
        owner = self._owner()
        self._alive.remove(owner)
        began = time.monotonic()
        if fault == "stop":
            os.kill(owner[0].pid, signal.SIGSTOP)
        else:
            owner[0].kill()
            owner[0].wait()
        self._begin()
        self._owner()
        self._pauses.append(time.monotonic() - began)
        if fault == "stop":
            os.kill(owner[0].pid, signal.SIGCONT)
            try:
                owner[0].wait(timeout=30)
            except subprocess.TimeoutExpired:
                owner[0].kill()

    def end(self) -> None:
        for process, _ in self._alive:
            process.terminate()
            process.wait()

    def verdict(self, *, fence: bool) -> dict[str, Any]:
        from api.ledger.postgres.reader import PostgresReader

        reader = PostgresReader(self.address)
        lines = [line.split() for path in self._said for line in path.read_text().splitlines()]
        acknowledged = [(int(line[0]), int(line[1])) for line in lines if len(line) == 3]
        rows = reader.rows("SELECT seq FROM halfhour.journal WHERE market = %s ORDER BY seq", (reader.market,))
        tenures = reader.rows(
            "SELECT epoch, first_seq FROM halfhour.tenures WHERE market = %s ORDER BY epoch", (reader.market,)
        )
        reader.close()
        kept, seqs = {row[0] for row in rows}, [seq for _, seq in acknowledged]
        ends = {one[0]: other[1] for one, other in pairwise(tenures)}
        out_of_turn = sum(1 for epoch, seq in acknowledged if seq >= ends.get(epoch, seq + 1))
        return {
            "fence": fence, "acknowledged": len(seqs), "lost": len(set(seqs) - kept) + len(seqs) - len(set(seqs)),
            "gaps": max(kept, default=0) - len(kept), "fenced_writes_accepted": out_of_turn,
            "epochs_back": sum(1 for one, other in pairwise(tenures) if other[0] <= one[0]),
            "superseded": sum(line == ["ledger_superseded"] for line in lines),
            "pause_p50_s": round(statistics.median(self._pauses), 2), "pause_max_s": round(max(self._pauses), 2),
        }  # fmt: skip


def promotion(repeats: int) -> dict[str, Any]:
    """A synchronous standby is promoted under a writer: from the end of `promote` to its next acknowledgement."""
    import psycopg

    from api.ledger.postgres.store import PostgresLedger

    after, lost = [], 0
    for _ in range(repeats):
        with server(*STREAMING, "fsync = on") as primary, standby_of(primary) as standby:
            address = either(primary, standby, fresh(primary, "market"))
            with psycopg.connect(primary.url, autocommit=True) as database:
                database.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                database.execute("SELECT pg_reload_conf()")
            time.sleep(1.0)
            ledger = PostgresLedger(address, {"schema": 1}, ttl_s=30.0)
            futures = [ledger.append(Write(entry(seq))) for seq in range(1, 2001)]
            futures[500].result()
            primary.stop()
            promote(standby)
            promoted = time.monotonic()
            for future in futures:
                future.result()
            ledger.append(Write(entry(2001))).result()
            after.append(time.monotonic() - promoted)
            lost += 2001 - sum(1 for _ in ledger.entries())
            ledger.close()
            primary.start()
    return {
        "promoted_to_acknowledged_p50_s": round(statistics.median(after), 3),
        "max_s": round(max(after), 3),
        "lost": lost,
    }
