"""Load on a live service: `python -m benchmarks.live.load [--only ROW] [--seconds N] [--out FOLDER]`.

The service runs in a process of its own and the generator in this one, with open-loop (Poisson) arrivals: a latency
counts from the instant at which a request was meant to be sent, whether or not the service was ready for it.  Beside
each row stand an fsync probe of the same disk and an empty endpoint at the same rate, measured in the same run; counts
(nothing lost, nothing double) are exact and judged, times are published.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.live.load_service import (
    RIDERS,
    ClientConnections,
    LoadRow,
    ServiceProcess,
    milliseconds,
    near,
    open_loop,
    order,
    request,
    service,
)
from benchmarks.published import publish

# --- probes -----------------------------------------------------------------------------------------------------------


def fsync_ms(folder: Path, seconds: float = 2.0) -> dict[str, float]:
    """What one flush of 512 bytes costs on this disk now: median and 99th percentile, milliseconds."""
    found = []
    with (folder / "probe").open("wb", buffering=0) as file:
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            began = time.perf_counter()
            file.write(b"x" * 512)
            os.fsync(file.fileno())
            found.append(time.perf_counter() - began)
    (folder / "probe").unlink()
    return {"fsync_p50_ms": round(statistics.median(found) * 1000, 2), "fsync_p99_ms": milliseconds(found, 0.99) or 0.0}


async def empty_endpoint(found: ServiceProcess, per_s: float, seconds: float = 3.0) -> dict[str, float | None]:
    """The same generator at the same rate against an endpoint that does nothing."""
    row = LoadRow("empty", per_s, seconds)
    asked = request("GET", "/healthz", "none")
    await open_loop(row, ClientConnections(found.port), lambda k: asked, 9)
    return {"empty_p50_ms": milliseconds(row.accepted_s, 0.5), "empty_p99_ms": milliseconds(row.accepted_s, 0.99)}


# --- rows -------------------------------------------------------------------------------------------------------------


async def creation(found: ServiceProcess, folder: Path, seconds: float) -> LoadRow:
    """Durable orders, placed two hours ahead, 500 a second."""
    row, rng = LoadRow("durable order creation", 500, seconds), random.Random(2)
    http = ClientConnections(found.port)

    def make(k: int) -> bytes:
        return request("POST", "/v1/deliveries", found.keys["orders"], order(f"c{k}", rng, 7200))

    accepted = await open_loop(row, http, make, 3)
    row.facts |= await _lost(found, [f"c{k}" for k in accepted])
    return row


async def _lost(found: ServiceProcess, names: list[str]) -> dict[str, int]:
    """How many acknowledged deliveries cannot be read back (a sample of at most 2,000)."""
    http = ClientConnections(found.port, 16)
    sample = random.Random(4).sample(names, min(2000, len(names)))

    async def is_there(name: str) -> bool:
        while True:
            status, _ = await http.ask(request("GET", f"/v1/deliveries/{name}", found.keys["orders"]))
            if status not in (0, 429, 503):
                return status == 200
            await asyncio.sleep(1)

    there = await asyncio.gather(*map(is_there, sample))
    return {"acknowledged": len(names), "lost": there.count(False)}


async def positions(found: ServiceProcess, folder: Path, seconds: float) -> LoadRow:
    """Single positions of 100 riders, 1,000 a second."""
    row, rng = LoadRow("single positions", 1000, seconds), random.Random(5)

    def make(k: int) -> bytes:
        path = f"/v1/riders/r{rng.randrange(RIDERS)}/position"
        return request("POST", path, found.keys["riders"], {"location": near(rng, 0.001)})

    await open_loop(row, ClientConnections(found.port), make, 6)
    return row


async def batches(found: ServiceProcess, folder: Path, seconds: float) -> LoadRow:
    """Batches of 500 positions, 100 a second: 50,000 positions a second."""
    row, rng = LoadRow("batched positions (500 each)", 100, seconds), random.Random(7)
    bodies = [
        request(
            "POST",
            "/v1/positions",
            found.keys["riders"],
            {"positions": [{"rider_id": f"r{k % RIDERS}", "location": near(rng, 0.001)} for k in range(500)]},
        )
        for _ in range(8)
    ]
    await open_loop(row, ClientConnections(found.port), lambda k: bodies[k % 8], 8)
    row.facts["positions_per_s"] = round(500 * row.statuses[200] / seconds)
    return row


async def decisions(found: ServiceProcess, folder: Path, seconds: float) -> LoadRow:
    """From acceptance to the first word about a rider: planned, told, or kept until a time; 5 orders a second."""
    row, rng = LoadRow("accepted to first decision", 5, seconds), random.Random(10)
    http = ClientConnections(found.port)
    waits: list[float] = []
    loop = asyncio.get_running_loop()

    async def follow(k: int) -> None:
        at = loop.time()
        asked = request("GET", f"/v1/decisions/d{k}", found.keys["orders"])
        while loop.time() - at < 30:
            status, text = await http.ask(asked)
            said = json.loads(text) if status == 200 else {}
            if said.get("rider_id") or said.get("waiting_because") or said.get("kept_until"):
                waits.append(loop.time() - at)
                return
            await asyncio.sleep(0.05)
        waits.append(30.0)

    following: list[asyncio.Task[None]] = []

    def make(k: int) -> bytes:
        body = request("POST", "/v1/deliveries", found.keys["orders"], order(f"d{k}", rng, 300))
        loop.call_later(0.02, lambda: following.append(asyncio.create_task(follow(k))))
        return body

    await open_loop(row, http, make, 11)
    await asyncio.sleep(0.1)
    await asyncio.gather(*following)
    row.facts |= {"decision_p50_ms": milliseconds(waits, 0.5), "decision_p99_ms": milliseconds(waits, 0.99)}
    return row


async def quotes(found: ServiceProcess, folder: Path, seconds: float) -> LoadRow:
    """Quotes, 100 a second, each tried against the plans of now, while rounds plan 2 new orders a second."""
    row, rng = LoadRow("quotes while rounds run", 100, seconds), random.Random(17)
    orders, key = LoadRow("orders", 2, seconds), found.keys["orders"]
    asked, http = ClientConnections(found.port), ClientConnections(found.port)
    await asked.ask(request("POST", "/v1/quotes", key, order("first", rng, 300)))  # it reads what trials need
    await asyncio.gather(
        open_loop(row, asked, lambda k: request("POST", "/v1/quotes", key, order(f"q{k}", rng, 300)), 18),
        open_loop(orders, http, lambda k: request("POST", "/v1/deliveries", key, order(f"w{k}", rng, 300)), 19),
    )
    row.facts |= {"orders": orders.statuses.total(), "order_p99_ms": milliseconds(orders.accepted_s, 0.99)}
    return row


async def flood(found: ServiceProcess, folder: Path, seconds: float) -> LoadRow:
    """Thirty times the plan of 50 orders a second; then the plan again, five seconds later."""
    row, rng = LoadRow("flood: 1,500 orders a second", 1500, seconds), random.Random(12)
    key = found.keys["orders"]
    http = ClientConnections(found.port, 512)
    accepted = await open_loop(
        row, http, lambda k: request("POST", "/v1/deliveries", key, order(f"f{k}", rng, 7200)), 13
    )
    await asyncio.sleep(5)
    after = LoadRow("after", 50, 3)
    await open_loop(after, http, lambda k: request("POST", "/v1/deliveries", key, order(f"g{k}", rng, 7200)), 14)
    row.facts |= await _lost(found, [f"f{k}" for k in accepted])
    row.facts |= {"after_p99_ms": milliseconds(after.accepted_s, 0.99), "after_answers": dict(after.statuses)}
    return row


async def streams(found: ServiceProcess, folder: Path, seconds: float) -> LoadRow:
    """200 viewers of the event stream while five things a second happen; from the creation to each viewer."""
    row, rng = LoadRow("event streams: 200 viewers", 5, seconds), random.Random(15)
    sent_at: dict[str, float] = {}
    delays: list[float] = []
    loop = asyncio.get_running_loop()

    async def view() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", found.port)
        writer.write(request("GET", "/v1/stream", found.keys["orders"]))
        try:
            while True:
                line = await reader.readline()
                if line.startswith(b"data: ") and b"delivery.created" in line:
                    name = json.loads(line[6:])["data"]["external_delivery_id"]
                    if name in sent_at:
                        delays.append(loop.time() - sent_at[name])
        finally:
            writer.close()

    viewers = [asyncio.create_task(view()) for _ in range(200)]
    await asyncio.sleep(2)
    http = ClientConnections(found.port)

    def make(k: int) -> bytes:
        sent_at[f"v{k}"] = loop.time()
        return request("POST", "/v1/deliveries", found.keys["orders"], order(f"v{k}", rng, 7200))

    accepted = await open_loop(row, http, make, 16)
    await asyncio.sleep(1)
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    row.facts |= {"seen": len(delays), "expected": 200 * len(accepted)}
    row.facts |= {"stream_p50_ms": milliseconds(delays, 0.5), "stream_p99_ms": milliseconds(delays, 0.99)}
    return row


ROWS = {
    "create": creation,
    "positions": positions,
    "batches": batches,
    "decisions": decisions,
    "quotes": quotes,
    "streams": streams,
    "flood": flood,
}


def measure(name: str, seconds: float) -> dict[str, Any]:
    """One row, on a service and a ledger of its own, with its probes."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with service(folder) as found:
            probe = fsync_ms(folder)
            before = found.cpu_s()
            row = asyncio.run(ROWS[name](found, folder, seconds))
            row.facts["service_cpu_ms_per_answer"] = round((found.cpu_s() - before) * 1000 / row.statuses.total(), 3)
            empty = asyncio.run(empty_endpoint(found, row.asked_per_s))
            asked = request("GET", "/v1/status", found.keys["riders"])
            status, answer = asyncio.run(ClientConnections(found.port, 1).ask(asked))
            said = json.loads(answer) if status == 200 else {}
            rounds = {key: said.get(key) for key in ("rounds_solved", "fallbacks", "ladder", "last_round_s")}
            return row.summary() | probe | empty | rounds | {"rss_mb": found.rss_mb()}


def line(row: dict[str, Any]) -> str:
    """A row as people read it."""
    said = f"{row['row']:34s} {row['seconds']:3.0f} s  p50 {row['p50_ms']} ms  p99 {row['p99_ms']} ms  "
    if "lost" in row:
        said += f"lost {row['lost']}  "
    if "after_p99_ms" in row:
        said += f"after it p99 {row['after_p99_ms']} ms  "
    for kind in ("decision", "stream"):
        if f"{kind}_p50_ms" in row:
            said += f"{kind} p50 {row[f'{kind}_p50_ms']} p99 {row[f'{kind}_p99_ms']} ms  "
    return f"{said}empty endpoint p99 {row['empty_p99_ms']} ms, fsync p99 {row['fsync_p99_ms']} ms"


def main() -> int:
    """Measures the rows, prints them, and exits 1 where an acknowledged order is lost."""
    parser = argparse.ArgumentParser(prog="benchmarks.live.load", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=tuple(ROWS), action="append")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path, help="folder for the result as JSON and text")
    chosen = parser.parse_args()
    found = []
    for name in chosen.only or ROWS:
        found.append(measure(name, chosen.seconds))
        print(json.dumps(found[-1]), flush=True)
    if chosen.out is not None:
        publish(chosen.out, "load", {"rows": found}, [line(row) for row in found])
    return int(any(row.get("lost") for row in found))


if __name__ == "__main__":
    sys.exit(main())
