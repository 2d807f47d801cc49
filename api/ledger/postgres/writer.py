"""One thread that writes: whatever waits goes to the database in one call, in order, under the market's fence.

A line that breaks with a group under way leaves the group in doubt.  The writer connects anew and looks at the count of
writes: where it has moved by one the group happened, where it has not the same group is sent again.  Anything else is
somebody else's doing, and the process must end.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

import psycopg

from api.common.clock import ticks
from api.ledger import records
from api.ledger.chain import link
from api.ledger.postgres import connection as c
from api.ledger.postgres.connection import Connection, Where
from api.ledger.postgres.schema import CALL
from api.ledger.protocol import LedgerFailed, Write
from api.ledger.writing import GroupWriter

log = logging.getLogger(__name__)

MARGIN_S = 0.25
"""A tenure counts as ours until so long before it ends (a quarter of short ones)."""
IN_DOUBT_S, LOOK_EVERY_S = 30.0, 0.05
"""A group is in doubt for so long at most, and is asked after this often."""

Job = Callable[[Connection], None]
"""A transaction of its own, beside the journal: what it changes belongs to nobody's tenure."""


class Tenure(NamedTuple):
    """Who may write a market: this owner, in this epoch; renewed for `ttl_s` by every write."""

    market: str
    epoch: int
    owner: str
    ttl_s: float


class Tip(NamedTuple):
    """Where a market's ledger ends: its last entry, the chain there, and how many groups were written."""

    head: int
    chain: bytes
    writes: int


class PostgresWriter(GroupWriter["Write | Job"]):
    """Writes groups over one connection; after a failure all are refused until `resume`."""

    def __init__(self, place: Where, tenure: Tenure, tip: Tip, asked_at: float) -> None:
        """`asked_at`: by `ticks`, before the tenure was taken."""
        super().__init__()
        self.surely_until = asked_at + tenure.ttl_s - min(MARGIN_S, tenure.ttl_s / 4)
        """By `ticks`: until then nobody else can have taken the market."""
        self._place = place
        self._tenure = tenure
        self._tip = tip
        self._connection: Connection | None = None
        self._warned = ""
        self.resent = 0
        self.begin()

    def resume(self) -> None:
        """Takes writes again where the market is still ours and ends where it should; raises LedgerFailed."""
        self.put_though_failed(self._look_again)

    def close(self) -> None:
        """Writes what is queued and ends the thread."""
        super().close()
        if self._connection is not None:
            self._connection.close()

    # --- the thread ---------------------------------------------------------------------------------------------

    def commit(self, group: list[tuple[Write | Job, Future[None]]]) -> None:
        for part in _parts(group):
            self._commit(part)

    def _commit(self, part: list[tuple[Write | Job, Future[None]]]) -> None:
        work = part[0][0]
        if self.failed is not None and work != self._look_again:
            self.refuse_all(part, self.failed)
            return
        try:
            if isinstance(work, Write):
                self._write([item for item, _ in part if isinstance(item, Write)])
            else:
                work(self._ours())
        except Exception as problem:
            self._fail(part, problem)
            return
        self.done(part)

    def _fail(self, part: list[tuple[Write | Job, Future[None]]], problem: Exception) -> None:
        failure = problem if isinstance(problem, LedgerFailed) else None
        if failure is None and isinstance(problem, psycopg.Error):
            failure = c.explained(problem, self._place)
        self.failed = failure or LedgerFailed("the ledger could not be written", retry_after_s=1)
        log.error("the ledger refuses writes: %s", problem)
        self.refuse_all(part, self.failed)

    def _write(self, writes: list[Write]) -> None:
        values, tip = _arrays(writes, self._tip)
        tenure = self._tenure
        call = (tenure.market, tenure.epoch, tenure.owner, self._tip.writes, tenure.ttl_s, *values)
        begun = time.monotonic()
        while True:
            sent_at = ticks()
            try:
                self._call(call)
                break
            except psycopg.Error as problem:
                if c.lost(problem):
                    self._drop()
                    if self._happened(tip, begun):
                        break
                    self.resent += 1
                elif not c.again(problem):
                    raise
        self._tip = tip
        self.surely_until = max(self.surely_until, sent_at + tenure.ttl_s - min(MARGIN_S, tenure.ttl_s / 4))

    def _call(self, values: tuple[object, ...]) -> None:
        self._warned = ""
        self._ours().execute(CALL, values)
        if self._warned:  # the commit stands here and perhaps nowhere else: nobody may rely on it
            raise LedgerFailed(f"the database gave up waiting for its standby: {self._warned}", retry_after_s=1)

    def _happened(self, tip: Tip, begun: float) -> bool:
        """Whether a group in doubt was written; raises LedgerFailed where nobody can say, or it is not ours to say."""
        while True:
            try:
                found = self._standing()
                break
            except (LedgerFailed, psycopg.Error) as problem:
                self._drop()
                if time.monotonic() - begun > IN_DOUBT_S:
                    raise LedgerFailed("the database does not come back", retry_after_s=5) from problem
                time.sleep(LOOK_EVERY_S)
        return self._is_ahead(found, tip.writes)

    def _look_again(self, _: Connection) -> None:
        """After a failure: the market must be ours, and end where we wrote last or one group later."""
        found = self._standing()
        head, writes = found[2], found[3]
        self._is_ahead(found, self._tip.writes + 1)
        row = self._ours().execute(
            "SELECT chain FROM halfhour.journal WHERE market = %s AND seq = %s", (self._place.market, head)
        )
        kept = row.fetchone()
        self._tip = Tip(head, bytes(kept[0]) if kept is not None else self._tip.chain, writes)
        self.failed = None

    def _standing(self) -> tuple[int, str, int, int]:
        row = self._ours().execute(
            "SELECT epoch, owner, head, writes FROM halfhour.markets WHERE market = %s", (self._place.market,)
        )
        found = row.fetchone()
        if found is None:
            raise c.superseded(self._place)
        return int(found[0]), str(found[1]), int(found[2]), int(found[3])

    def _is_ahead(self, found: tuple[int, str, int, int], writes: int) -> bool:
        """True where the count of writes is `writes`, False where it is one less; raises LedgerFailed else."""
        epoch, owner, _, count = found
        if (epoch, owner) != (self._tenure.epoch, self._tenure.owner):
            raise c.superseded(self._place)
        if count < writes - 1:
            raise LedgerFailed(
                f"the database has lost {writes - 1 - count} acknowledged writes of market {self._place.market}",
                code="ledger_went_back", fatal=True,
                hint="A standby that was behind was promoted. Find the old primary before anything goes on.",
            )  # fmt: skip
        if count > writes:
            raise c.superseded(self._place)
        return count == writes

    def _ours(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = c.connect(self._place, writes=True)
            self._connection.add_notice_handler(self._heed)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _heed(self, said: psycopg.errors.Diagnostic) -> None:
        if said.sqlstate == "01000":
            self._warned = said.message_primary or "a warning"


def _parts(group: list[tuple[Write | Job, Future[None]]]) -> list[list[tuple[Write | Job, Future[None]]]]:
    """Runs of writes that go in one call, and jobs, in order.

    A write with webhooks ends its run: notices behind it are due for them, those before it are not.
    """
    parts: list[list[tuple[Write | Job, Future[None]]]] = []
    may_join = False
    for item in group:
        work = item[0]
        if isinstance(work, Write):
            if may_join:
                parts[-1].append(item)
            else:
                parts.append([item])
            may_join = not work.webhooks
        else:
            parts.append([item])
            may_join = False
    return parts


def _arrays(writes: list[Write], tip: Tip) -> tuple[list[list[object]], Tip]:
    """The columns of a group, table by table, and where the ledger ends with it; of equal keys the last counts."""
    entries, chain, head = [], tip.chain, tip.head
    for write in writes:
        if write.entry is not None:
            text = records.text_of_entry(write.entry)
            chain, head = link(chain, records.text_of(text)), text.seq
            entries.append((*text, chain))
    vault = {row.handle: records.vault_values(row) for write in writes for row in write.vault}
    ended = {one.order_id: records.ended_row(one) for write in writes for one in write.ended}
    answers: dict[tuple[str, str, str], tuple[object, ...]] = {}
    for write in writes:
        for answer in write.answers:
            answers.setdefault((answer.tenant, answer.route, answer.key), records.answer_row(answer))
    notices = [records.notice_row(notice) for write in writes for notice in write.notices]
    webhooks = {hook.webhook_id: records.webhook_row(hook) for write in writes for hook in write.webhooks}
    values = {name: (name, records.packed(value)) for write in writes for name, value in write.extra}
    tables = (
        (entries, 4), (list(vault.values()), 12), (list(ended.values()), 7), (list(answers.values()), 8), (notices, 9),
        (list(webhooks.values()), 9), (list(values.values()), 2),
    )  # fmt: skip
    columns: list[list[object]] = []
    for rows, width in tables:
        columns += [[row[k] for row in rows] for k in range(width)]
    return columns, Tip(head, chain, tip.writes + 1)
