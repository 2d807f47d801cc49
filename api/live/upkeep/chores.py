"""What a service does beside serving: snapshots and rotation, forgetting, watching its own loop."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import TYPE_CHECKING

from api.common.parent_process import environment_of_child
from api.ledger.protocol import LedgerFailed
from api.ledger.upkeep.fold_process import VARIABLE
from api.live import store_hours

if TYPE_CHECKING:
    from api.access.keys import KeyBook
    from api.config import ServiceConfig
    from api.ledger.protocol import Ledger
    from api.live.host import LiveHost

log = logging.getLogger(__name__)

BEAT_S = 0.1
LOOK_EVERY_S = 5.0
FORGET_EVERY_S = 3600.0
KEYS_EVERY_S = 2.0
SNAPSHOT_PAUSE_S = 60.0
SEGMENT = 4
"""Snapshots whose entries make a segment of the journal; where so many are due, the next one waits for no pause."""
ROWS_AT_ONCE, ROWS_EVERY_S = 100, 0.05
"""Rows of the journal that go in one transaction once a segment holds them: no write may wait for it."""


async def run(host: LiveHost, ledger: Ledger, usual: ServiceConfig) -> None:
    """Until it is cancelled."""
    watch = asyncio.create_task(_watch_loop(host))
    last_snapshot, forgot_at = host.seq, time.monotonic()
    folded_at = forgot_at - SNAPSHOT_PAUSE_S
    try:
        await _cut(ledger)  # what the last process had begun
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if is_due(host.seq - last_snapshot, usual.snapshot_every, time.monotonic() - folded_at):
                last_snapshot, folded_at = host.seq, time.monotonic()
                await fold_snapshot(ledger.address, SEGMENT * usual.snapshot_every)
                await _cut(ledger)
            if time.monotonic() - forgot_at >= FORGET_EVERY_S:
                forgot_at = time.monotonic()
                await _forget(host, ledger, usual.keep_s)
                await store_hours.renew(host, usual.time_zone)
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


def is_due(entries: int, every: int, since_s: float) -> bool:
    """Whether a snapshot is made: so many entries, and so many seconds, after the last one."""
    return entries >= SEGMENT * every or (entries >= every and since_s >= SNAPSHOT_PAUSE_S)


async def renew(host: LiveHost, lease_s: float | None) -> None:
    """Keeps a ledger ours that others may take once we are silent; from this loop, for one that stands must lose it."""
    while lease_s is not None:
        await asyncio.sleep(lease_s / 4)
        await host.renew()


async def keep_keys(host: LiveHost, ledger: Ledger, book: KeyBook) -> None:
    """Keys that other processes have made or ended hold here within seconds; a folder is nobody else's."""
    while ledger.is_far:
        await asyncio.sleep(KEYS_EVERY_S)
        before = book.changes
        try:
            keys = await host.asked(ledger.load_keys)
        except LedgerFailed:
            continue  # what is known goes on
        if book.changes == before:
            book.take(keys)


async def fold_snapshot(address: str, fewest: int = 1) -> None:
    """Folds the ledger into a snapshot and moves old entries, from `fewest` on, into a segment, by another process.

    Here both would stop the loop.
    """
    environment = environment_of_child() | {VARIABLE: address}
    words = (sys.executable, "-m", "api.ledger.upkeep.fold_process", str(fewest))
    process = await asyncio.create_subprocess_exec(*words, env=environment)
    try:
        if await process.wait() != 0:
            log.error("no snapshot was made; a restart folds more of the journal")
    except asyncio.CancelledError:
        process.kill()
        raise


async def _cut(ledger: Ledger) -> None:
    """Takes rows that a segment holds out of the journal's table, a few at a time."""
    try:
        while (gone := await asyncio.to_thread(ledger.cut, ROWS_AT_ONCE)) is not None:
            await asyncio.wrap_future(gone)
            await asyncio.sleep(ROWS_EVERY_S)
    except LedgerFailed:
        log.warning("moved entries keep their rows for now")


async def _forget(host: LiveHost, ledger: Ledger, keep_s: int) -> None:
    try:
        await asyncio.wrap_future(ledger.forget(host.clock.now() - keep_s))
    except LedgerFailed:
        log.warning("old answers and notices are kept for now")


async def _watch_loop(host: LiveHost) -> None:
    """Measures how late the loop comes back from a short sleep, and how much of that it computed itself."""
    metrics = host.metrics
    longest_s = busiest_s = 0.0
    while not host.is_ready:  # measure only after the service is ready
        await asyncio.sleep(BEAT_S)
    while True:
        began, computed = time.perf_counter(), time.thread_time()
        await asyncio.sleep(BEAT_S)
        stall_s = time.perf_counter() - began - BEAT_S
        busy_s = min(stall_s, time.thread_time() - computed)
        if stall_s > longest_s:
            longest_s = stall_s
            metrics.loop_stall_s.set(longest_s)
        if busy_s > busiest_s:
            busiest_s = busy_s
            metrics.loop_busy_s.set(busiest_s)
