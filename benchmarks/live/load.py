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
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.published import publish

CONNECTIONS = 64
RIDERS = 100
STORES = 6
CENTRE = (48.1374, 11.5755)

CONFIG = """
[service]
most_open_orders = 200000
longest_wait_s = 1000000000
[engine]
"rules.round_s" = 5
"rules.stale_s" = 0
"rules.lost_after_s" = 0
"rules.unseen_s" = 0
"""


@dataclass
class Row:
    """What one row of the table found."""

    name: str
    asked_per_s: float
    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    latency_s: list[float] = field(default_factory=list)
    accepted_s: list[float] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """The row as JSON values; milliseconds."""
        found = {"row": self.name, "asked_per_s": self.asked_per_s, "seconds": self.seconds}
        found |= {"answers": {str(status): count for status, count in sorted(self.statuses.items())}}
        found |= {"p50_ms": _ms(self.accepted_s, 0.5), "p99_ms": _ms(self.accepted_s, 0.99)}
        return found | self.facts


def _ms(values: list[float], share: float) -> float | None:
    if not values:
        return None
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))] * 1000, 1)


# --- a small HTTP client: what httpx spends on a request would be the generator's limit -------------------------------


class Connections:
    """Keep-alive connections to one address; requests wait for a free one."""

    def __init__(self, port: int, count: int = CONNECTIONS) -> None:
        self._port = port
        self._free: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter] | None] = asyncio.LifoQueue()
        for _ in range(count):
            self._free.put_nowait(None)

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of one request; 0 where the connection broke."""
        pair = await self._free.get()
        try:
            if pair is None or pair[0].at_eof():  # the service closes what has been idle for long
                pair = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = pair
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.split(b"\r\n")[1:]:
                if line.lower().startswith(b"content-length:"):
                    length = int(line[15:])
            return int(head[9:12]), await reader.readexactly(length) if length else b""
        except (OSError, EOFError, asyncio.IncompleteReadError):
            pair = None
            return 0, b""
        finally:
            self._free.put_nowait(pair)


def request(method: str, path: str, key: str, body: Any = None) -> bytes:
    """One HTTP/1.1 request as bytes."""
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: halfhour\r\nAuthorization: Bearer {key}\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    return head.encode() + b"\r\n" + data


async def open_loop(
    row: Row, http: Connections, make: Callable[[int], bytes], seed: int, good: tuple[int, ...] = (200, 201)
) -> list[int]:
    """Sends `make(k)` at Poisson instants; the numbers of those that were accepted."""
    rng, tasks, accepted = random.Random(seed), [], []
    loop = asyncio.get_running_loop()

    async def one(k: int, meant_at: float) -> None:
        status, _ = await http.ask(make(k))
        row.statuses[status] += 1
        lasted = loop.time() - meant_at
        row.latency_s.append(lasted)
        if status in good:
            accepted.append(k)
            row.accepted_s.append(lasted)

    began = at = loop.time()
    k = 0
    while True:
        at += rng.expovariate(row.asked_per_s)
        if at - began > row.seconds:
            break
        wait = at - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(k, at)))
        k += 1
    await asyncio.gather(*tasks)
    return accepted


# --- the service ------------------------------------------------------------------------------------------------------


@dataclass
class Service:
    """A running service with a city in it."""

    port: int
    keys: dict[str, str]
    process: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        """Processor seconds of the service's main process so far: a figure that other load does not change."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Resident memory of the service's main process."""
        return _rss_mb(self.process.pid)

    def solver_rss_mb(self) -> float:
        """Resident memory of its solver's process."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return sum(_rss_mb(int(child)) for child in children)


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


@contextmanager
def service(
    folder: Path, *, settings: str = CONFIG, speed: float = 1.0, populated: bool = True, log: str = "log"
) -> Iterator[Service]:
    """Starts `halfhour serve`; `populated`: with 100 riders on duty, and rounds every five seconds or sooner."""
    config = folder / "service.toml"
    config.write_text(settings)
    data = folder / "ledger"
    keys = {}
    command = [sys.executable, "-m", "halfhour"]
    for tenant, scopes in (("load", ("orders",)), ("operator", ("riders", "ops")), ("operator", ("admin",))):
        words = [*command, "admin", "tenant", tenant, "--data", str(data)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        words = [*command, "admin", "key", tenant, "--json", "--data", str(data)]
        for scope in scopes:
            words += ["--scope", scope]
        made = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
        keys[scopes[0]] = made["key"]
    words = [*command, "serve", "--config", str(config), "--data", str(data), "--port", "0", "--json"]
    words += ["--clock-speed", str(speed)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=(folder / log).open("wb"))
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        found = Service(int(url.rpartition(":")[2]), keys, process)
        if populated:
            asyncio.run(_populate(found))
        yield found
    finally:
        process.terminate()
        process.wait(30)


def near(rng: random.Random, degrees: float = 0.02) -> dict[str, float]:
    """A point in the city."""
    return {
        "lat": round(CENTRE[0] + rng.uniform(-degrees, degrees), 6),
        "lng": round(CENTRE[1] + rng.uniform(-degrees, degrees), 6),
    }


async def _populate(found: Service) -> None:
    http, rng = Connections(found.port, 8), random.Random(1)
    for k in range(STORES):
        body = {"location": near(rng), "mean_ready_s": 600}
        status, text = await http.ask(request("PUT", f"/v1/stores/s{k}", found.keys["riders"], body))
        assert status == 200, text
    for k in range(RIDERS):
        body = {"location": near(rng)}
        status, text = await http.ask(request("PUT", f"/v1/riders/r{k}", found.keys["riders"], body))
        assert status == 200, text
        await http.ask(request("POST", f"/v1/riders/r{k}/shift", found.keys["riders"]))


def order(name: str, rng: random.Random, ahead_s: int) -> dict[str, Any]:
    """An order ready in `ahead_s` seconds; far ahead it is kept, and no round plans it."""
    ready = datetime.now(UTC) + timedelta(seconds=ahead_s)
    return {
        "external_delivery_id": name,
        "pickup_store_id": f"s{rng.randrange(STORES)}",
        "pickup_ready_at": ready.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "dropoff": {"location": near(rng), "phone_number": "+4915112345678", "address": "Load Street 1"},
    }


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
    return {"fsync_p50_ms": round(statistics.median(found) * 1000, 2), "fsync_p99_ms": _ms(found, 0.99) or 0.0}


async def empty_endpoint(found: Service, per_s: float, seconds: float = 3.0) -> dict[str, float | None]:
    """The same generator at the same rate against an endpoint that does nothing."""
    row = Row("empty", per_s, seconds)
    asked = request("GET", "/healthz", "none")
    await open_loop(row, Connections(found.port), lambda k: asked, 9)
    return {"empty_p50_ms": _ms(row.accepted_s, 0.5), "empty_p99_ms": _ms(row.accepted_s, 0.99)}


# --- rows -------------------------------------------------------------------------------------------------------------


async def creation(found: Service, folder: Path, seconds: float) -> Row:
    """Durable orders, placed two hours ahead, 500 a second."""
    row, rng = Row("durable order creation", 500, seconds), random.Random(2)
    http = Connections(found.port)

    def make(k: int) -> bytes:
        return request("POST", "/v1/deliveries", found.keys["orders"], order(f"c{k}", rng, 7200))

    accepted = await open_loop(row, http, make, 3)
    row.facts |= await _lost(found, [f"c{k}" for k in accepted])
    return row


async def _lost(found: Service, names: list[str]) -> dict[str, int]:
    """How many acknowledged deliveries cannot be read back (a sample of at most 2,000)."""
    http = Connections(found.port, 16)
    sample = random.Random(4).sample(names, min(2000, len(names)))

    async def is_there(name: str) -> bool:
        while True:
            status, _ = await http.ask(request("GET", f"/v1/deliveries/{name}", found.keys["orders"]))
            if status not in (0, 429, 503):
                return status == 200
            await asyncio.sleep(1)

    there = await asyncio.gather(*map(is_there, sample))
    return {"acknowledged": len(names), "lost": there.count(False)}


async def positions(found: Service, folder: Path, seconds: float) -> Row:
    """Single positions of 100 riders, 1,000 a second."""
    row, rng = Row("single positions", 1000, seconds), random.Random(5)

    def make(k: int) -> bytes:
        path = f"/v1/riders/r{rng.randrange(RIDERS)}/position"
        return request("POST", path, found.keys["riders"], {"location": near(rng, 0.001)})

    await open_loop(row, Connections(found.port), make, 6)
    return row


async def batches(found: Service, folder: Path, seconds: float) -> Row:
    """Batches of 500 positions, 100 a second: 50,000 positions a second."""
    row, rng = Row("batched positions (500 each)", 100, seconds), random.Random(7)
    bodies = [
        request(
            "POST",
            "/v1/positions",
            found.keys["riders"],
            {"positions": [{"rider_id": f"r{k % RIDERS}", "location": near(rng, 0.001)} for k in range(500)]},
        )
        for _ in range(8)
    ]
    await open_loop(row, Connections(found.port), lambda k: bodies[k % 8], 8)
    row.facts["positions_per_s"] = round(500 * row.statuses[200] / seconds)
    return row


async def decisions(found: Service, folder: Path, seconds: float) -> Row:
    """From acceptance to the first word about a rider: planned, told, or kept until a time; 5 orders a second."""
    row, rng = Row("accepted to first decision", 5, seconds), random.Random(10)
    http = Connections(found.port)
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
    row.facts |= {"decision_p50_ms": _ms(waits, 0.5), "decision_p99_ms": _ms(waits, 0.99)}
    return row


async def flood(found: Service, folder: Path, seconds: float) -> Row:
    """Thirty times the plan of 50 orders a second; then the plan again, five seconds later."""
    row, rng = Row("flood: 1,500 orders a second", 1500, seconds), random.Random(12)
    key = found.keys["orders"]
    http = Connections(found.port, 512)
    accepted = await open_loop(
        row, http, lambda k: request("POST", "/v1/deliveries", key, order(f"f{k}", rng, 7200)), 13
    )
    await asyncio.sleep(5)
    after = Row("after", 50, 3)
    await open_loop(after, http, lambda k: request("POST", "/v1/deliveries", key, order(f"g{k}", rng, 7200)), 14)
    row.facts |= await _lost(found, [f"f{k}" for k in accepted])
    row.facts |= {"after_p99_ms": _ms(after.accepted_s, 0.99), "after_answers": dict(after.statuses)}
    return row


async def streams(found: Service, folder: Path, seconds: float) -> Row:
    """200 viewers of the event stream while five things a second happen; from the creation to each viewer."""
    row, rng = Row("event streams: 200 viewers", 5, seconds), random.Random(15)
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
    http = Connections(found.port)

    def make(k: int) -> bytes:
        sent_at[f"v{k}"] = loop.time()
        return request("POST", "/v1/deliveries", found.keys["orders"], order(f"v{k}", rng, 7200))

    accepted = await open_loop(row, http, make, 16)
    await asyncio.sleep(1)
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    row.facts |= {"seen": len(delays), "expected": 200 * len(accepted)}
    row.facts |= {"stream_p50_ms": _ms(delays, 0.5), "stream_p99_ms": _ms(delays, 0.99)}
    return row


ROWS = {
    "create": creation,
    "positions": positions,
    "batches": batches,
    "decisions": decisions,
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
            status, answer = asyncio.run(Connections(found.port, 1).ask(asked))
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
