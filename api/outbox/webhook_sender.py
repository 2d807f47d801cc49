"""Events out: what the ledger's outbox holds, sent to each webhook without one waiting for another.

The outbox row of a notice is written in the transaction that made it, and goes when the receiver has said 2xx.  In
between, a failed notice waits longer and longer, for a day in all; a receiver that fails again and again *rests*: it is
probed with one notice at a time, and after 300 failures in a row it is disabled.  What a receiver missed it can read at
/v1/events.  A crash sends again what was in hand; receivers tell doubles by `webhook-id`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Protocol

from api.common.clock import ticks
from api.ledger.outbox import Claimed, Due, Notice, Tried, Webhook
from api.outbox.webhook_receivers import LONGEST_WAIT_S, Attempt, ReceiverLine, words_of
from api.outbox.webhook_request import Post, ReceiverAnswer

__all__ = ["MOST_FAILURES", "MOST_TRIES", "Outbox", "Sender", "retry_wait_s"]

MOST_FAILURES = 300
"""After so many failures in a row a webhook is disabled, and its owner must enable it again."""
MOST_TRIES = 18
"""A notice is tried this often: with the waits below, for 24 hours."""
_WAITS_S = (5, 30, 120, 600, 1800, 3600)
_POLL_S = 1.0

_log = logging.getLogger(__name__)


class Outbox(Protocol):
    """The part of the ledger that sending needs: see `OutboxStore`."""

    @property
    def claim_s(self) -> float | None: ...

    def claim(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Claimed]: ...

    def keep(self, webhook_ids: Sequence[str]) -> set[str]: ...

    def let_go(self, visit: Tried) -> Future[None]: ...

    def settle(self, done: Sequence[Due], later: Sequence[Due]) -> Future[None]: ...


class Sender:
    """Sends what is due, one task for each receiver at work.

    `notify()` says that notices have been committed; without it they are found within a second.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        post: Callable[[Webhook], Post],
        render: Callable[[str, Notice], bytes],
        clock: Callable[[], float],
        jitter: Callable[[], float] = random.random,
        at_once: int = 8,
    ) -> None:
        """`render(epoch, notice)`: the body of a message."""
        self._outbox, self._post, self._render, self._clock = outbox, post, render, clock
        self._jitter, self._at_once = jitter, at_once
        self._lines: dict[str, ReceiverLine] = {}
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runners: list[asyncio.Task[None]] = []
        self.counts: dict[str, int] = dict.fromkeys(("sent", "failed", "given_up", "disabled"), 0)

    def start(self) -> None:
        """Begins to send."""
        self._runners.append(asyncio.create_task(self._run()))
        if self._outbox.claim_s is not None:
            self._runners.append(asyncio.create_task(self._keep_claims(self._outbox.claim_s)))

    async def close(self) -> None:
        """Stops; what was in hand stays due."""
        tasks = [*self._tasks, *self._runners]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for line in self._lines.values():
            await line.post.close()
        self._lines.clear()

    def notify(self) -> None:
        """Notices were committed, or webhooks have changed."""
        self._wake.set()

    async def _run(self) -> None:
        """Hands what is due to a task for each receiver; an outbox that cannot be read now can be read later."""
        is_readable = True
        while True:
            self._wake.clear()
            try:
                started = await self._start_tasks()
                is_readable = True
            except Exception:
                if is_readable:  # say it once, not every second
                    _log.exception("the outbox cannot be read")
                is_readable = started = False
            if not started:
                await _woken(self._wake, _POLL_S)

    async def _keep_claims(self, claim_s: float) -> None:
        """Renews what receivers at work are claimed for; one that is somebody else's by now is left to them."""
        while True:
            await asyncio.sleep(claim_s / 4)
            busy = [name for name, line in self._lines.items() if line.busy]
            asked_at = ticks()
            try:
                kept = await asyncio.to_thread(self._outbox.keep, busy) if busy else set()
            except Exception:
                _log.warning("claims cannot be renewed now: receivers are left once they have run out")
                continue
            for name in busy:
                self._lines[name].ours_until = _until(asked_at, claim_s) if name in kept else 0.0

    async def _start_tasks(self) -> bool:
        now, asked_at = self._clock(), ticks()
        skip = [name for name, line in self._lines.items() if line.busy or line.rests_until > now]
        claimed = await asyncio.to_thread(self._outbox.claim, int(now), limit=200, skip=skip)
        for one in claimed:
            line = await self._line(one.webhook)
            line.ours_until, line.busy = _until(asked_at, self._outbox.claim_s), True
            if one.seen is not None:  # others have sent to it since
                line.failures, line.rests_until = one.webhook.failures, 0.0
                line.learn(one.seen)
            task = asyncio.create_task(self._serve(one, line))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return bool(claimed)

    async def _line(self, webhook: Webhook) -> ReceiverLine:
        line = self._lines.get(webhook.webhook_id)
        if line is not None and line.post.url != webhook.url:
            await line.post.close()
            line.post, line.rests_until = self._post(webhook), 0.0
        if line is None:
            line = ReceiverLine(webhook.failures, post=self._post(webhook))
            self._lines[webhook.webhook_id] = line
        return line

    async def _serve(self, claimed: Claimed, line: ReceiverLine) -> None:
        """Sends a batch, a few notices at once, after a failure one; leaves the rest due once the receiver rests."""
        webhook, batch = claimed.webhook, claimed.dues
        failures, disabled, counts = line.failures, "", dict.fromkeys(self.counts, 0)
        try:
            while batch and not disabled and line.rests_until <= self._clock() and ticks() < line.ours_until:
                step = 1 if line.failures else self._at_once
                tried, batch = batch[:step], batch[step:]
                answers = await asyncio.gather(*(self._send(claimed, line, due) for due in tried))
                disabled = await self._book(line, list(zip(tried, answers, strict=True)), counts)
            if claimed.seen is not None or disabled or line.failures // 10 != failures // 10:
                rest_s = max(0.0, line.rests_until - self._clock())
                visit = Tried(webhook, line.failures, disabled, rest_s, counts, line.shared())
                async with self._lock:
                    await asyncio.wrap_future(self._outbox.let_go(visit))
        except Exception:
            _log.exception("sending stopped", extra={"webhook_id": webhook.webhook_id})
            line.rests_until = self._clock() + _POLL_S
        finally:
            line.busy = False
            self.notify()

    async def _send(self, claimed: Claimed, line: ReceiverLine, due: Due) -> ReceiverAnswer:
        body = self._render(claimed.epoch, due.notice)
        answer, attempt = await self._tried(claimed.webhook, line, due.notice, body, due.attempts + 1)
        line.note(attempt)
        return answer

    async def _tried(
        self, webhook: Webhook, line: ReceiverLine, notice: Notice, body: bytes, number: int
    ) -> tuple[ReceiverAnswer, Attempt]:
        began, at = time.monotonic(), int(self._clock())
        answer = await line.post.send(webhook.secrets, notice.event_id, body)
        lasted_s, error = time.monotonic() - began, words_of(answer)
        return answer, Attempt(at, notice.event_id, notice.kind, number, answer.status, error, lasted_s)

    async def _book(
        self, line: ReceiverLine, answers: Sequence[tuple[Due, ReceiverAnswer]], counts: dict[str, int]
    ) -> str:
        """Writes how tries ended; the reason to disable the webhook, or an empty one."""
        now, done, later, disabled = self._clock(), list[Due](), list[Due](), ""
        for due, answer in answers:
            if answer.is_taken:
                self._count("sent", counts)
                line.failures = 0
                done.append(due)
                continue
            self._count("failed", counts)
            line.failures += 1
            if answer.status == 410 or line.failures >= MOST_FAILURES:
                disabled = "gone" if answer.status == 410 else "failing"
            if due.attempts + 1 >= MOST_TRIES:
                self._count("given_up", counts)
                done.append(due)
            else:
                wait_s = max(retry_wait_s(due.attempts, self._jitter()), min(answer.retry_after_s, LONGEST_WAIT_S))
                later.append(due._replace(attempts=due.attempts + 1, due_at=int(now + wait_s)))
        asked_s = max((answer.retry_after_s for _, answer in answers if not answer.is_taken), default=0)
        line.rest(now, asked_s, self._jitter())
        if disabled:
            self._count("disabled", counts)
        await asyncio.wrap_future(self._outbox.settle(done, later))
        return disabled

    def _count(self, end: str, counts: dict[str, int]) -> None:
        self.counts[end] += 1
        counts[end] += 1


def _until(asked_at: float, claim_s: float | None) -> float:
    """By `ticks`: until then nobody else can have claimed what was ours when it was asked for."""
    return math.inf if claim_s is None else asked_at + claim_s * 3 / 4


def retry_wait_s(attempts: int, jitter: float) -> int:
    """Seconds to the next try after `attempts` earlier ones; `jitter` in [0, 1) spreads them by a fifth each way."""
    usual_s = _WAITS_S[attempts] if attempts < len(_WAITS_S) else LONGEST_WAIT_S
    return max(1, round(usual_s * (0.8 + 0.4 * jitter)))


async def _woken(wake: asyncio.Event, most_s: float) -> None:
    try:
        async with asyncio.timeout(most_s):
            await wake.wait()
    except TimeoutError:
        pass
