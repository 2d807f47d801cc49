"""A service under load, and the connections that load it."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
"rules.route_ack_timeout_s" = 0
"""


@dataclass
class LoadRow:
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
        found |= {"p50_ms": milliseconds(self.accepted_s, 0.5), "p99_ms": milliseconds(self.accepted_s, 0.99)}
        return found | self.facts


def milliseconds(values: list[float], share: float) -> float | None:
    if not values:
        return None
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))] * 1000, 1)


class ClientConnections:
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
    row: LoadRow, http: ClientConnections, make: Callable[[int], bytes], seed: int, good: tuple[int, ...] = (200, 201)
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


@dataclass
class ServiceProcess:
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
) -> Iterator[ServiceProcess]:
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
        found = ServiceProcess(int(url.rpartition(":")[2]), keys, process)
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


@functools.cache
def stores() -> list[dict[str, float]]:
    """Where the stores stand."""
    rng = random.Random(1)
    return [near(rng) for _ in range(STORES)]


def door(rng: random.Random, store: int) -> dict[str, float]:
    """A point in the city some 20 m from a store or more: what is brought to its own counter is refused."""
    at, here = near(rng), stores()[store]
    while all(abs(at[axis] - here[axis]) < 0.0002 for axis in at):
        at = near(rng)
    return at


async def _populate(found: ServiceProcess) -> None:
    http, rng = ClientConnections(found.port, 8), random.Random(2)
    for k, location in enumerate(stores()):
        body = {"location": location, "mean_ready_s": 600}
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
    store = rng.randrange(STORES)
    return {
        "external_delivery_id": name,
        "pickup_store_id": f"s{store}",
        "pickup_ready_at": ready.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "dropoff": {"location": door(rng, store), "phone_number": "+4915112345678", "address": "Load Street 1"},
    }
