"""How long a service is away that was killed with a long journal: from the start of the process to `/readyz`.

    python -m benchmarks.live.restart [--entries 100000 --repeats 3] [--out benchmarks/results]

A busy day of the simulator's engine is written into a ledger as the service writes it (entries, notices, vault, orders
that have left, snapshots, segments), up to where the next snapshot would be made: the longest tail there is.  Then
`halfhour serve` is started on it, looked at, and killed, again and again; once before that nobody looks at the time,
so that Python's bytecode is kept as an installation keeps it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from api.application import header_of
from api.config import Config, read_config
from api.ledger.protocol import LedgerEntry, VaultRow, Write
from api.ledger.recovery import place_book, snapshot_of
from api.ledger.sqlite.store import SqliteLedger
from api.live import ended_orders
from api.live.upkeep import chores
from api.outbox.notices import Notices
from benchmarks.inputs.live_city import CONFIG, lunch_peak
from benchmarks.live.load import fsync_ms
from benchmarks.live.load_service import ClientConnections, request
from benchmarks.live.ports import free_port
from benchmarks.published import publish
from dispatch.board.board import Board
from dispatch.codec import encode
from dispatch.events import Event, OrderAccepted
from dispatch.inputs import Input
from dispatch.policies.policy import HalfhourPolicy
from dispatch.version import __version__
from sim.replay.replay import replay
from sim.scenario import Scenario

MOST_S = 2.5
ENTRIES_PER_ORDER = 8
TENANT = "load"
PERSONAL = {"phone_number": "+4915112345678", "address": "Load Street 1, third floor"}


class Scribe:
    """Writes what an engine is told and answers into a ledger, as LiveHost does."""

    def __init__(self, ledger: SqliteLedger, scenario: Scenario, entries: int, snapshot_every: int) -> None:
        self._ledger, self._wanted, self._every = ledger, entries, snapshot_every
        self._rows = {row.handle: row for row in _vault(scenario)}
        self._board = Board(place_book("wgs84", self._rows.values()), scenario.catalogue.settings)
        self._notices = Notices()
        self.seq = 0
        kept = [row for row in self._rows.values() if row.kind != "drop"]
        ledger.append(Write(vault=kept)).result()

    def take(self, item: Input, events: tuple[Event, ...]) -> None:
        """One entry with everything that goes with it; KeyboardInterrupt ends the day once there are enough."""
        self.seq += 1
        leaving = ended_orders.leaving(self._board, events)
        for event in events:
            self._board.apply(event)
        self._board.now = max(self._board.now, item.at)
        drops = [event.order.drop_place for event in events if isinstance(event, OrderAccepted)]
        durable = self._ledger.append(
            Write(
                LedgerEntry(self.seq, item.at, encode(item), [encode(event) for event in events]),
                notices=self._notices.of(events, self._board),
                vault=[self._rows[handle] for handle in drops],
                ended=[ended_orders.row(record) for record in leaving],
            )
        )
        if self.seq % self._every == 0 and self.seq < self._wanted:
            durable.result()
            self._ledger.save_snapshot(snapshot_of(self._board, self.seq)).result()
            self._ledger.archive(chores.SEGMENT * self._every)
            while (gone := self._ledger.cut(1000)) is not None:
                gone.result()
        if self.seq == self._wanted:
            raise KeyboardInterrupt


def _vault(scenario: Scenario) -> list[VaultRow]:
    catalogue, book = scenario.catalogue, scenario.catalogue.places
    named = [(store.place, "store", store.store_id) for store in catalogue.stores]
    named += [(rider.place, "rider", rider.rider_id) for rider in catalogue.riders]
    named += [(one.order.drop_place, "drop", one.order.order_id) for one in scenario.demand]
    return [
        VaultRow(
            handle, TENANT if kind == "drop" else "", kind, subject, float(book.first[handle]),
            float(book.second[handle]), int(book.enter_s[handle]), int(book.exit_s[handle]),
            PERSONAL if kind == "drop" else {}, {"proof_of_delivery": "none"} if kind == "drop" else {},
        )
        for handle, kind, subject in sorted(named)
    ]  # fmt: skip


def write_ledger(folder: Path, config: Config, entries: int) -> dict[str, Any]:
    """A ledger with so many entries; what it holds."""
    orders = max(200, entries // ENTRIES_PER_ORDER)
    hours = max(2.0, orders / 900)
    scenario = lunch_peak(1, orders=orders, riders=300, stores=40, hours=hours, tenant=TENANT)
    ledger = SqliteLedger(folder, header_of(config, __version__))
    scribe = Scribe(ledger, scenario, entries, config.service.snapshot_every)
    run = replay(scenario, HalfhourPolicy(), on_event=scribe.take)
    ledger.close()
    board = run.board
    return {
        "entries": scribe.seq,
        "orders_taken": board.orders_taken,
        "orders_on_the_board": len(board.orders),
        "orders_open": len(board.open_orders),
        "ledger_mib": round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20, 1),
    }


def restart(folder: Path, config: Path) -> tuple[float, float]:
    """Seconds from the start of the process until it answers at all, and until it is ready; it is killed afterwards."""
    words = [sys.executable, "-m", "halfhour", "serve", "--config", str(config), "--data", str(folder)]
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [*words, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    )  # fmt: skip
    try:
        alive_s = asyncio.run(_until(port, "/healthz", began, process))
        return alive_s, asyncio.run(_until(port, "/readyz", began, process))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def _until(port: int, path: str, began: float, process: subprocess.Popen[bytes]) -> float:
    while process.poll() is None:
        status, _ = await ClientConnections(port, 1).ask(request("GET", path, "none"))
        if status == 200:
            return time.perf_counter() - began
        await asyncio.sleep(0.01)
    raise RuntimeError(f"the service ended with {process.returncode}")


def measured(entries: int, repeats: int) -> dict[str, Any]:
    """A ledger, and restarts on it: with its snapshots, and on an empty ledger for comparison."""
    with tempfile.TemporaryDirectory(prefix="restart-") as text:
        folder = Path(text)
        file = folder / "service.toml"
        file.write_text(CONFIG)
        found = write_ledger(folder / "ledger", read_config(file), entries)
        restart(folder / "empty", file)  # whatever is compiled once is compiled
        empty = [restart(folder / "empty", file)[1] for _ in range(repeats)]
        full = [restart(folder / "ledger", file) for _ in range(repeats)]
        ready = [ready_s for _, ready_s in full]
        return (
            found
            | fsync_ms(folder)
            | {
                "empty_ready_s": round(statistics.median(empty), 2),
                "answers_s": round(statistics.median(alive_s for alive_s, _ in full), 2),
                "ready_s": round(statistics.median(ready), 2),
                "ready_max_s": round(max(ready), 2),
                "holds": max(ready) <= MOST_S,
            }
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints, publishes; 1 where a restart took too long."""
    parser = argparse.ArgumentParser(prog="benchmarks.live.restart", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="folder for the result as JSON and text")
    chosen = parser.parse_args(arguments)
    found = measured(chosen.entries, chosen.repeats)
    print(json.dumps(found, indent=1))
    if chosen.out:
        publish(chosen.out, "restart", found, [f"{name:22s} {value}" for name, value in found.items()])
    return 0 if found["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
