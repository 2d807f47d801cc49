"""One thread that writes: whatever waits is committed together, in order, and each caller hears when it is durable.

A disk that takes 4 ms to flush gives 250 commits a second; with many writes in one commit it gives thousands of them.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Protocol

from api.ledger.protocol import LedgerFailed, LedgerFull

log = logging.getLogger(__name__)

Job = Callable[[sqlite3.Connection], None]
MOST_IN_ONE_COMMIT = 512

_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY}
_FLUSH_FAILED = {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}


def failure_of(problem: BaseException, file: str = "") -> LedgerFailed:
    """What a failed commit means for whoever waits for it.

    details `fatal`: nobody knows what reached the disk after a failed flush; the process must end and fold anew.
    """
    if isinstance(problem, LedgerFailed):
        return problem
    number = getattr(problem, "sqlite_errorcode", 0)
    where = {"file": file} if file else {}
    if number & 0xFF in _FULL:
        hint = "Free some space; the service resumes by itself."
        return LedgerFull("the ledger's disk takes no more", hint=hint, retry_after_s=5, **where)
    return LedgerFailed("the ledger could not be written", fatal=number in _FLUSH_FAILED, retry_after_s=1, **where)


class Watch(Protocol):
    """Who keeps the count of transactions."""

    def before_commit(self, connection: sqlite3.Connection) -> None:
        """As the last part of a transaction."""

    def after_commit(self) -> None:
        """Before anybody hears of it; whatever this raises is what they hear instead."""

    def undone(self) -> None:
        """It failed."""


class Writer:
    """Runs jobs on one connection, grouped; after a failure all are refused until `resume`."""

    def __init__(self, connection: sqlite3.Connection, watch: Watch) -> None:
        self._connection = connection
        self._watch = watch
        self._queue: SimpleQueue[tuple[Job, Future[None]] | None] = SimpleQueue()
        self._failed: LedgerFailed | None = None
        self.commits = 0
        self.jobs = 0
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    @property
    def failed(self) -> LedgerFailed | None:
        """Why nothing is taken now, None while all is well."""
        return self._failed

    @property
    def waiting(self) -> int:
        """Jobs not yet begun."""
        return self._queue.qsize()

    def put(self, job: Job) -> Future[None]:
        """Queues a job; its future is done after the commit, or fails with LedgerFailed."""
        future: Future[None] = Future()
        # Whoever stops waiting must not take back what is queued: nothing can be said to a cancelled future.
        future.set_running_or_notify_cancel()
        if self._failed is not None:
            future.set_exception(self._failed)
        else:
            self._queue.put((job, future))
        return future

    def refuse(self, failure: LedgerFailed) -> None:
        """Takes nothing more until `resume`: what lies under the connection is not what it was."""
        if self._failed is None:
            log.error("the ledger refuses writes: %s", failure)
            self._failed = failure

    def resume(self, probe: Job) -> None:
        """Takes jobs again if `probe` can be committed; raises LedgerFailed otherwise."""
        future: Future[None] = Future()
        self._queue.put((_Probe(probe), future))
        future.result()

    def close(self) -> None:
        """Commits what is queued and ends the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        open_ = True
        while open_:
            group = [self._queue.get()]
            while len(group) < MOST_IN_ONE_COMMIT:
                try:
                    group.append(self._queue.get_nowait())
                except Empty:
                    break
            jobs = [item for item in group if item is not None]
            open_ = len(jobs) == len(group)
            self._commit(jobs)

    def _commit(self, jobs: list[tuple[Job, Future[None]]]) -> None:
        if self._failed is not None and any(isinstance(job, _Probe) for job, _ in jobs):
            # What was queued before the failure was heard of must not slip in behind it.
            for _, future in [item for item in jobs if not isinstance(item[0], _Probe)]:
                future.set_exception(self._failed)
            jobs = [item for item in jobs if isinstance(item[0], _Probe)]
            self._failed = None
        if not jobs:
            return
        if self._failed is not None:
            for _, future in jobs:
                future.set_exception(self._failed)
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job, _ in jobs:
                job(self._connection)
            self._watch.before_commit(self._connection)
            self._connection.execute("COMMIT")
            self._watch.after_commit()
        except Exception as problem:
            self._fail(jobs, problem)
            return
        self.commits += 1
        self.jobs += len(jobs)
        for _, future in jobs:
            future.set_result(None)

    def _fail(self, jobs: list[tuple[Job, Future[None]]], problem: Exception) -> None:
        self._failed = failure_of(problem)
        self._watch.undone()
        log.error("the ledger refuses writes: %s", problem)
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            log.error("the failed transaction could not be rolled back")
        for _, future in jobs:
            future.set_exception(self._failed)


class _Probe:
    """Marks the one job that may end a failure."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, connection: sqlite3.Connection) -> None:
        self._job(connection)
