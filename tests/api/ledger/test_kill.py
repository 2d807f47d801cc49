"""The service killed at random: nothing acknowledged is lost, nothing is assigned twice, a key keeps its answer."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.ledger.recovery import recover
from api.ledger.sqlite.reader import SqliteReader
from benchmarks.live.ports import free_port
from dispatch.codec import decode_event
from dispatch.events import RouteRevised
from dispatch.model import ActKind
from dispatch.settings.settings import Settings

WRITERS = 16
MOST_OPEN = 2
"""Of each writer: a city with more open orders than its riders could ever carry would refuse new ones."""


class Victim:
    """A service in a process of its own, over a ledger that outlives it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.keys: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, until_ready: bool = False) -> float:
        """Starts it and returns the seconds until it answered."""
        began = time.perf_counter()
        command = [sys.executable, "-m", "halfhour", "serve", "--data", str(self.folder), "--port", str(self.port)]
        self._process = subprocess.Popen(
            [*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        if until_ready:
            assert self._process.stdout is not None
            self.keys = self.keys or json.loads(self._process.stdout.readline())["keys"]
        while True:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=5).status_code == 200:
                    return time.perf_counter() - began
            except httpx.TransportError:
                time.sleep(0.02)

    def kill(self) -> None:
        """Ends it and its solver without a word."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Writer:
    """Creates deliveries one after the other; what is not answered is asked again with the same key."""

    def __init__(self, name: int, victim: Victim, acknowledged: dict[str, tuple[int, dict[str, Any]]]) -> None:
        self.name, self.victim, self.acknowledged = name, victim, acknowledged
        self.stop = False

    async def run(self) -> None:
        async with httpx.AsyncClient(base_url=self.victim.url, timeout=10) as http:
            count, open_ = 0, list[str]()
            while not self.stop:
                key = f"w{self.name}-{count}"
                answer = await self.post(http, key)
                if (answer is None or len(open_) > MOST_OPEN) and open_ and await self.cancel(http, open_[0]):
                    open_.pop(0)
                if answer is None:
                    await asyncio.sleep(0.05)
                    continue
                assert answer.status_code == 201, answer.text
                self.acknowledged[key] = answer.status_code, answer.json()
                open_.append(key)
                count += 1

    async def cancel(self, http: httpx.AsyncClient, key: str) -> bool:
        """One try; True once it is called off, or can no longer be."""
        headers = {"Authorization": f"Bearer {self.victim.keys['orders']}", "Idempotency-Key": f"cancel-{key}"}
        try:
            answer = await http.post(f"/v1/deliveries/{key}/cancel", headers=headers)
        except httpx.TransportError:
            return False
        return answer.status_code in (200, 409)

    async def post(self, http: httpx.AsyncClient, key: str) -> httpx.Response | None:
        """One try; None where nobody answered, or it was too early."""
        rng = random.Random(key)
        # Never at the store's own door: among thousands of orders one would be refused for that.
        north = rng.choice((-1, 1)) * rng.uniform(0.002, 0.01)
        where = {"lat": 48.137 + north, "lng": 11.575 + rng.uniform(-0.01, 0.01)}
        body = {"external_delivery_id": key, "pickup_store_id": "store-1", "dropoff": {"location": where}}
        headers = {"Authorization": f"Bearer {self.victim.keys['orders']}", "Idempotency-Key": key}
        try:
            answer = await http.post("/v1/deliveries", json=body, headers=headers)
        except httpx.TransportError:
            return None
        return None if answer.status_code in (429, 503) else answer


def check_journal(folder: Path) -> set[str]:
    """Orders of the folded board; every route change on the way gave no order to a second rider."""
    reader = SqliteReader(folder)
    owner: dict[str, str] = {}
    routes: dict[str, set[str]] = {}
    for entry in reader.entries():
        changed = [event for event in map(decode_event, entry.events) if isinstance(event, RouteRevised)]
        for event in changed:
            for order_id in routes.pop(event.route.rider_id, set()):
                del owner[order_id]
        for event in changed:
            rider_id = event.route.rider_id
            routes[rider_id] = {a.order_id for s in event.route.stops for a in s.acts if a.kind is ActKind.PICKUP}
            for order_id in routes[rider_id]:
                assert owner.setdefault(order_id, rider_id) == rider_id, f"{order_id} twice at entry {entry.seq}"
    seqs = [entry.seq for entry in reader.entries()]
    assert seqs == list(range(1, len(seqs) + 1))
    orders = set(recover(reader, Settings()).board.orders)
    reader.close()
    return orders


@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_again_and_again(tmp_path: Path, kills: int) -> None:
    victim = Victim(tmp_path)
    victim.start(until_ready=True)
    acknowledged: dict[str, tuple[int, dict[str, Any]]] = {}
    rng = random.Random(kills)

    async def go() -> None:
        writers = [Writer(name, victim, acknowledged) for name in range(WRITERS)]
        for name in range(1, 4):
            headers = {"Authorization": f"Bearer {victim.keys['riders']}"}
            httpx.post(f"{victim.url}/v1/riders/rider-{name}/shift", headers=headers).raise_for_status()
        tasks = [asyncio.create_task(writer.run()) for writer in writers]
        for _ in range(kills):
            enough = len(acknowledged) + rng.randint(2, 40)  # a slow machine is not killed before it has done anything
            while len(acknowledged) < enough and not any(task.done() for task in tasks):
                await asyncio.sleep(rng.uniform(0.001, 0.02))
            await asyncio.to_thread(victim.kill)
            await asyncio.to_thread(victim.start)
        await asyncio.sleep(0.3)
        for writer in writers:
            writer.stop = True
        await asyncio.gather(*tasks)
        async with httpx.AsyncClient(base_url=victim.url, timeout=10) as http:
            for key in rng.sample(sorted(acknowledged), min(50, len(acknowledged))):
                again = await writers[0].post(http, key)
                while again is None:
                    again = await writers[0].post(http, key)
                status, first = acknowledged[key]
                assert (again.status_code, again.json()) == (status, first), "the same key, the same answer"

    try:
        asyncio.run(go())
    finally:
        victim.kill()
    kept = check_journal(tmp_path)
    assert len(acknowledged) >= kills * 2
    lost = {found["delivery_id"] for _, found in acknowledged.values()} - kept
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged orders are lost"
