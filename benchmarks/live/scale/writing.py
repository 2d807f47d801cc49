"""What a write costs in either store at one rate, in turns; and what a long past costs at a start."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from api.application import header_of
from api.config import Config
from api.ledger.outbox import Notice
from api.ledger.protocol import Ledger, LedgerEntry, StoredReply, VaultRow, Write
from api.ledger.recovery import recover, snapshot_of
from dispatch.settings.settings import Settings
from dispatch.version import __version__
from tests.kit.service.postgres import Server, fresh

BLOCKS = 3
BODY = {"text": "x" * 240}
BATCH = 2000


def order_write(k: int) -> Write:
    """What one order leaves: an entry with its events, a place, a kept answer, a notice."""
    event = {"kind": "OrderAccepted", "at": 1000 + k, "order": {"order_id": f"load.{k}", **BODY}}
    entry = LedgerEntry(k, 1000 + k, {"kind": "OrderPlaced", "at": 1000 + k, **BODY}, [event, event])
    row = VaultRow(k, "load", "drop", f"load.{k}", 48.1, 11.5, 60, 30, {"phone_number": "+4915112345678"}, BODY)
    notice = Notice(k, f"evt_{k}", "load", "delivery.created", f"load.{k}", 1, 1000 + k, BODY)
    answer = StoredReply("load", "POST /v1/deliveries", f"k{k}", "f" * 64, 201, "y" * 600, 1000 + k)
    return Write(entry, (answer,), (notice,), (row,))


def append(server: Server, folder: Path, seconds: float, per_s: float) -> dict[str, Any]:
    """p50 and p99 of a write at a Poisson rate, blocks of the two stores in turns, and the ratio of the p99s."""
    found: dict[str, list[list[float]]] = {"sqlite": [], "postgres": []}
    stores = {"sqlite": str(folder / "ledger"), "postgres": fresh(server, "append")}
    done = dict.fromkeys(stores, 0)
    for block in range(BLOCKS):
        for name in sorted(stores, reverse=bool(block % 2)):
            with _opened(stores[name]) as ledger:
                waited, done[name] = _open_loop(ledger, done[name], seconds, per_s, random.Random(block))
                found[name].append(waited)
    said: dict[str, Any] = {}
    for name, blocks in found.items():
        said[f"{name}_p50_ms"] = _ms(statistics.median(_quantile(block, 0.5) for block in blocks))
        said[f"{name}_p99_ms"] = _ms(statistics.median(_quantile(block, 0.99) for block in blocks))
    return said | {"p99_ratio": round(said["postgres_p99_ms"] / said["sqlite_p99_ms"], 2), "orders": sum(done.values())}


def _open_loop(
    ledger: Ledger, begin: int, seconds: float, per_s: float, chance: random.Random
) -> tuple[list[float], int]:
    waited: list[float] = []
    left = threading.Semaphore(0)
    began, due_s, k = time.perf_counter(), 0.0, begin
    while True:
        due_s += chance.expovariate(per_s)
        if due_s > seconds:
            break
        pause = began + due_s - time.perf_counter()
        if pause > 0:
            time.sleep(pause)
        k += 1
        due = began + due_s

        def durable(future: Any, due: float = due) -> None:
            future.result()
            waited.append(time.perf_counter() - due)
            left.release()

        ledger.append(order_write(k)).add_done_callback(durable)
    for _ in range(k - begin):
        left.acquire()
    return waited, k


def start(server: Server, folder: Path, past: int) -> dict[str, Any]:
    """Seconds from the start of a service to its readiness, with `past` ended orders and with none."""
    stores: dict[str, Callable[[int], str]] = {
        "sqlite": lambda n: str(folder / f"ledger-{n}"),
        "postgres": lambda n: fresh(server, f"s{n}"),
    }
    said: dict[str, Any] = {}
    for name, make in stores.items():
        addresses = {orders: make(orders) for orders in (0, past)}
        for orders, address in addresses.items():
            with _opened(address) as ledger:
                _with_past(ledger, orders)
        lasted: dict[int, list[float]] = {orders: [] for orders in addresses}
        for _ in range(BLOCKS):
            for orders, address in addresses.items():
                lasted[orders].append(_started_s(address))
        none_s, past_s = (statistics.median(lasted[orders]) for orders in (0, past))
        said |= {f"{name}_none_s": round(none_s, 2), f"{name}_past_s": round(past_s, 2)}
        said[f"{name}_ratio"] = round(past_s / none_s, 2)
    return said | {"past": past}


def _started_s(address: str) -> float:
    url, _, market = address.partition("#")
    where = ["--ledger", url, "--market", market] if market else ["--data", address]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "halfhour", "serve", *where, "--port", "0", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | {"HALFHOUR_SECRET": "5e" * 32},
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline(), "it ended before it was ready"
    lasted_s = time.perf_counter() - began
    process.terminate()
    process.wait()
    return lasted_s


def _with_past(ledger: Ledger, orders: int) -> None:
    """Places of orders that have all left, and a snapshot behind them."""
    for begin in range(0, orders, BATCH):
        rows = tuple(order_write(k).vault[0] for k in range(begin, min(begin + BATCH, orders)))
        ledger.append(Write(vault=rows)).result()
    found = recover(ledger, Settings())
    ledger.save_snapshot(snapshot_of(found.board, found.seq)).result()


@contextmanager
def _opened(address: str) -> Iterator[Any]:
    from api.ledger.opening import opened

    ledger = opened(address, header_of(Config(), __version__), version=__version__)
    try:
        yield ledger
    finally:
        ledger.close()


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
