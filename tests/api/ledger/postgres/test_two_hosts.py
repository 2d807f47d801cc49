"""Two services and one market in PostgreSQL: one serves, the other waits, and takes over when the first is silent."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest

from api.live.host import EXITS
from benchmarks.live.ports import free_port
from tests.kit.service.postgres import Server, fresh

pytest.importorskip("psycopg", reason="needs psycopg: pip install 'halfhour[postgres]'")

LONGEST_S = 120.0


class Host:
    """A service in a process of its own, over a market in a database."""

    def __init__(self, address: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        url, _, market = address.partition("#")
        command = ["serve", "--ledger", url, "--market", market, "--port", str(port), "--json"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "halfhour", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"HALFHOUR_SECRET": "5e" * 32},
        )

    def keys(self) -> dict[str, str]:
        """The demo's keys; waits until the service is ready."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "it ended before it was ready"
        found: dict[str, str] = json.loads(line)["keys"]
        return found

    def answers(self) -> bool:
        """Whether anybody listens."""
        try:
            return httpx.get(f"{self.url}/healthz", timeout=1).status_code == 200
        except httpx.TransportError:
            return False

    def order(self, keys: dict[str, str], name: str) -> dict[str, Any]:
        """Creates a delivery."""
        where = {"lat": 48.1435, "lng": 11.5820}
        body = {"external_delivery_id": name, "pickup_store_id": "store-1", "dropoff": {"location": where}}
        headers = {"Authorization": f"Bearer {keys['orders']}", "Idempotency-Key": name}
        answer = httpx.post(f"{self.url}/v1/deliveries", json=body, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found


def _follows(host: Host, keys: dict[str, str], made: dict[str, dict[str, Any]]) -> None:
    """It shows what the owner has written, says how late, and refuses to write."""
    headers = {"Authorization": f"Bearer {keys['orders']}"}
    while not host.answers():
        time.sleep(0.1)
    for name, order in made.items():
        while (found := httpx.get(f"{host.url}/v1/deliveries/{name}", headers=headers, timeout=30)).status_code != 200:
            time.sleep(0.1)
        assert found.json()["delivery_id"] == order["delivery_id"] and float(found.headers["halfhour-lag-seconds"]) >= 0
    refused = httpx.post(f"{host.url}/v1/deliveries", json={}, headers=headers, timeout=30)
    assert (refused.status_code, refused.json()["code"]) == (421, "follower_read_only") and refused.json()["host"]
    assert httpx.get(f"{host.url}/readyz", timeout=30).status_code == 503, "no work for it"


def test_a_stand_by_takes_over_and_the_old_owner_ends(postgres: Server) -> None:
    from api.ledger.postgres.reader import PostgresReader

    address = fresh(postgres, "munich")
    first = second = None
    try:
        first = Host(address)
        keys = first.keys()
        second = Host(address)
        made = {name: first.order(keys, name) for name in ("a", "b", "c")}
        _follows(second, keys, made)
        os.kill(first.process.pid, signal.SIGSTOP)
        second.keys()
        for name, order in made.items():
            headers = {"Authorization": f"Bearer {keys['orders']}"}
            found = httpx.get(f"{second.url}/v1/deliveries/{name}", headers=headers, timeout=30)
            assert found.status_code == 200 and found.json()["delivery_id"] == order["delivery_id"]
        assert second.order(keys, "a")["delivery_id"] == made["a"]["delivery_id"], "a key keeps its answer"
        os.kill(first.process.pid, signal.SIGCONT)
        assert first.process.wait(timeout=LONGEST_S) == EXITS["ledger_superseded"]
        second.order(keys, "d")
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(timeout=LONGEST_S) == 0
    finally:
        for host in (first, second):
            if host is not None:
                host.process.kill()
                host.process.wait()
    reader = PostgresReader(address)
    seqs = [entry.seq for entry in reader.entries()]
    (held,) = reader.rows("SELECT owner, head FROM halfhour.markets WHERE market = %s", (reader.market,))
    reader.check_rows()
    reader.close()
    assert seqs == list(range(1, len(seqs) + 1))
    assert held == (None, len(seqs)), "given back by the one that ended in order"


def test_the_fold_is_the_same_from_either_store(postgres: Server, tmp_path: Any) -> None:
    """Entries of a live city in a folder, written again into a database: the same board, the same chain of texts."""
    from api.ledger.opening import opened
    from api.ledger.protocol import Write
    from api.ledger.recovery import recover, snapshot_of
    from dispatch.settings.settings import Settings
    from tests.kit.service.running import order, running, with_city

    async def live() -> None:
        async with running(tmp_path / "city") as run:
            await with_city(run)
            for name in ("one", "two"):
                answer = await run.http["orders"].post("/v1/deliveries", json=order(name))
                assert answer.status_code == 201, answer.text

    asyncio.run(live())
    source = opened(str(tmp_path / "city"))
    target: Any = opened(fresh(postgres, "copy"), source.header())
    target.append(Write(vault=tuple(source.vault()))).result()
    for entry in source.entries():
        target.append(Write(entry)).result()
    here, there = recover(source, Settings()), recover(target, Settings())
    assert here.seq == there.seq > 0 and here.board.dump() == there.board.dump()
    target.save_snapshot(snapshot_of(there.board, there.seq)).result()
    again = recover(target, Settings())
    assert again.folded == 0 and again.board.dump() == here.board.dump()
    source.close()
    target.close()
