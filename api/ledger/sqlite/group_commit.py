"""Jobs on one SQLite connection, a group in one transaction: what the disk takes, or why it did not."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from api.ledger.protocol import LedgerFailed, LedgerFull
from api.ledger.writing import GroupWriter

log = logging.getLogger(__name__)

Job = Callable[[sqlite3.Connection], None]

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


class Writer(GroupWriter[Job]):
    """Runs jobs on one connection, a group in one transaction."""

    def __init__(self, connection: sqlite3.Connection, watch: Watch) -> None:
        super().__init__()
        self._connection = connection
        self._watch = watch
        self.begin()

    def refuse(self, failure: LedgerFailed) -> None:
        """Takes nothing more until `resume`: what lies under the connection is not what it was."""
        if self.failed is None:
            log.error("the ledger refuses writes: %s", failure)
            self.failed = failure

    def resume(self, probe: Job) -> None:
        """Takes jobs again if `probe` can be committed; raises LedgerFailed otherwise."""
        self.put_though_failed(_Probe(probe))

    def commit(self, group: list[tuple[Job, Future[None]]]) -> None:
        jobs = group
        if self.failed is not None and any(isinstance(job, _Probe) for job, _ in jobs):
            # What was queued before the failure was heard of must not slip in behind it.
            self.refuse_all([item for item in jobs if not isinstance(item[0], _Probe)], self.failed)
            jobs = [item for item in jobs if isinstance(item[0], _Probe)]
            self.failed = None
        if not jobs:
            return
        if self.failed is not None:
            self.refuse_all(jobs, self.failed)
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
        self.done(jobs)

    def _fail(self, jobs: list[tuple[Job, Future[None]]], problem: Exception) -> None:
        self.failed = failure_of(problem)
        self._watch.undone()
        log.error("the ledger refuses writes: %s", problem)
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            log.error("the failed transaction could not be rolled back")
        self.refuse_all(jobs, self.failed)


class _Probe:
    """Marks the one job that may end a failure."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, connection: sqlite3.Connection) -> None:
        self._job(connection)
