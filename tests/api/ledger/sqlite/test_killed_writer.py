"""A writer that is killed has lost nothing that it acknowledged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from api.ledger.sqlite.store import SqliteLedger

CRASHER = """
import sys, os
from pathlib import Path
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.sqlite.group_commit import failure_of
from api.ledger.protocol import LedgerEntry, Notice, Write
ledger = SqliteLedger(Path(sys.argv[1]))
seq = ledger.head()
while True:
    futures = []
    for _ in range(5):
        seq += 1
        notice = Notice(seq, "e", "t", "k", "s", seq, 1, {})
        futures.append((seq, ledger.append(Write(LedgerEntry(seq, seq, {}, []), notices=[notice]))))
    for number, future in futures:
        future.result()
        os.write(1, f"{number}\\n".encode())
"""


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    acknowledged = 0
    for most in (3, 57, 120):
        child = subprocess.Popen([sys.executable, "-c", CRASHER, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path.cwd())
        assert child.stdout is not None
        for _ in range(most):
            acknowledged = int(child.stdout.readline())
        child.kill()
        rest = child.stdout.read().split()
        acknowledged = int(rest[-1]) if rest else acknowledged
        child.wait()
        ledger = SqliteLedger(tmp_path)
        assert [found.seq for found in ledger.entries()] == list(range(1, ledger.head() + 1))
        assert ledger.head() >= acknowledged
        assert ledger.notice_head() == ledger.head(), "an entry and its notices are one transaction"
        ledger.close()
