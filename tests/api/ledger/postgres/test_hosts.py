"""Two hosts and two markets: any front takes any request, a market moves, and a machine that dies loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from api.access.keys import KeyBook
from api.common.api_keys import Scope
from benchmarks.live.ports import free_port
from tests.kit.service.postgres import Server, fresh

pytest.importorskip("psycopg", reason="needs psycopg: pip install 'halfhour[postgres]'")

LONGEST_S = 240.0
MARKETS = ("munich", "porto")
SECRET = {"HALFHOUR_SECRET": "5e" * 32}


def until(seen: Callable[[], Any], what: str) -> Any:
    """Waits until `seen()` is true, and returns it."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        found = seen()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {LONGEST_S} s: {what}")


class Machine:
    """A host with all its processes, which die together."""

    def __init__(self, url: str, name: str) -> None:
        port = free_port()
        self.name, self.front = name, f"http://127.0.0.1:{port}"
        self._words = ["host", "--ledger", url, "--serve", ",".join(MARKETS), "--node", name, "--port", str(port)]
        self.process = self._begun()

    def _begun(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "halfhour", *self._words, "--development"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=os.environ | SECRET, start_new_session=True,
        )  # fmt: skip

    def comes_back(self) -> None:
        """Ends in order and starts again, as an upgraded one does."""
        self.process.terminate()
        assert self.process.wait(timeout=LONGEST_S) == 0
        self.process = self._begun()

    def dies(self) -> None:
        """All at once, as without power."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def cli(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "halfhour", *words], capture_output=True, text=True, timeout=LONGEST_S, check=False
    )


@pytest.fixture
def url(postgres: Server) -> str:
    """A database without markets."""
    return fresh(postgres, "unused").partition("#")[0]


@pytest.fixture
def machines(url: str) -> Iterator[list[Machine]]:
    """Hosts a and b."""
    made = [Machine(url, "a"), Machine(url, "b")]
    yield made
    for machine in made:
        if machine.process.poll() is None:
            machine.dies()


class Deployment:
    """What a test asks of two hosts, with a key that was made on neither of them."""

    def __init__(self, url: str, machines: list[Machine]) -> None:
        from api.ledger.postgres.registry import Registry
        from api.ledger.postgres.store import PostgresLedger

        self.url, self.machines = url, machines
        self.registry = Registry(url)
        self.elsewhere: Any = PostgresLedger(f"{url}#elsewhere")
        self.book = KeyBook(os.urandom(32), self.elsewhere)
        self.text, self.key = self.book.make("demo", [Scope.ORDERS], int(time.time()))

    def holders(self) -> dict[str, str]:
        return {seen.name: seen.holder for seen in self.registry.markets() if seen.name in MARKETS and seen.address}

    def asked(self, machine: Machine, path: str, market: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.text}"} | ({"X-Market": market} if market else {})
        return httpx.get(f"{machine.front}{path}", headers=headers, timeout=60)

    def placed(self, machine: Machine, name: str, market: str) -> httpx.Response:
        where = {"lat": 48.1435, "lng": 11.5820}
        body = {"external_delivery_id": name, "pickup_store_id": "store-1", "dropoff": {"location": where}}
        headers = {"Authorization": f"Bearer {self.text}", "Idempotency-Key": name, "X-Market": market}
        return httpx.post(f"{machine.front}/v1/deliveries", json=body, headers=headers, timeout=60)

    def taken(self, machine: Machine, name: str, market: str) -> str:
        """The id of an order, once the market has it."""
        answer: httpx.Response = until(lambda: (r := self.placed(machine, name, market)).status_code < 300 and r, name)
        return str(answer.json()["delivery_id"])


@pytest.fixture
def two(url: str, machines: list[Machine]) -> Iterator[Deployment]:
    """Hosts a and b, with a market each."""
    made = Deployment(url, machines)
    until(lambda: sorted(made.holders().values()) == ["a", "b"], "one market each")
    yield made
    made.registry.close()


def test_two_hosts_two_markets(two: Deployment) -> None:
    a, b = two.machines
    made = {f"o{k}": two.taken(two.machines[k // 2 % 2], f"o{k}", MARKETS[k % 2]) for k in range(8)}
    for name, delivery_id in made.items():  # by its external id alone, at either front
        for machine in two.machines:
            found = two.asked(machine, f"/v1/deliveries/{name}")
            assert found.status_code == 200 and found.json()["delivery_id"] == delivery_id
    said = httpx.get(f"{a.front}/metrics", timeout=60).text
    assert 'halfhour_host_markets{host="a"} 1.0' in said and "halfhour_host_load_per_core" in said
    assert two.placed(a, "o0", "porto").json()["code"] == "duplicate_delivery", "an external id lives in one market"
    assert two.asked(a, "/v1/deliveries/nobody").json()["code"] == "unknown_delivery"
    assert two.asked(b, "/v1/stores").json()["code"] == "market_unknown"
    assert two.asked(b, "/v1/stores", "paris").status_code == 404
    had, other = (a, b) if two.holders()["munich"] == "a" else (b, a)
    _upgraded(two, had, other)
    had, other = (a, b) if two.holders()["munich"] == "a" else (b, a)
    _moves(two, had, other, made["o0"])
    _dies(two, had, other, made)
    _revoked(two, had)
    two.elsewhere.close()
    had.process.terminate()
    assert had.process.wait(timeout=LONGEST_S) == 0
    assert {seen.holder for seen in two.registry.markets()} == {""}, "given back by those that ended in order"
    assert [host.name for host in two.registry.hosts()] == [other.name]


def _upgraded(two: Deployment, one: Machine, other: Machine) -> None:
    """A host is drained, ends, starts again and gets its share back, while orders come in at the other one."""
    assert cli("market", "drain", one.name, "--ledger", two.url).returncode == 0
    taken = [two.taken(other, f"u{k}", MARKETS[k % 2]) for k in range(2)]
    until(lambda: two.holders() == dict.fromkeys(MARKETS, other.name), "the other has all")
    one.comes_back()
    taken += [two.taken(other, f"u{k}", MARKETS[k % 2]) for k in range(2, 4)]
    until(lambda: one.name in [host.name for host in two.registry.hosts()], "it is there again")
    cli("market", "drain", one.name, "--back", "--ledger", two.url)
    until(lambda: sorted(two.holders().values()) == ["a", "b"], "it has its share again")
    for k, delivery_id in enumerate(taken):
        assert two.asked(one, f"/v1/deliveries/u{k}").json()["delivery_id"] == delivery_id


def _moves(two: Deployment, had: Machine, other: Machine, delivery_id: str) -> None:
    words = ["market", "move", "munich", "--to", other.name, "--ledger", two.url, "--wait-s", str(LONGEST_S)]
    moving = subprocess.Popen([sys.executable, "-m", "halfhour", *words], stdout=subprocess.DEVNULL)
    while moving.poll() is None:
        assert two.asked(had, "/v1/deliveries/o0").status_code in (200, 503), "a front waits, or says come back"
    until(lambda: two.asked(had, "/v1/deliveries/o0").status_code == 200, "it is served")
    assert moving.returncode == 0 and two.holders()["munich"] == other.name
    assert two.asked(other, "/v1/deliveries/o0").json()["delivery_id"] == delivery_id
    said = {seen["name"]: seen for seen in json.loads(cli("markets", "--ledger", two.url, "--json").stdout)["markets"]}
    assert said["munich"]["is_pinned"] and said["munich"]["holder"] == other.name and said["munich"]["head"] > 0
    assert "munich" in cli("markets", "--ledger", two.url).stdout


def _dies(two: Deployment, had: Machine, other: Machine, made: dict[str, str]) -> None:
    other.dies()
    until(lambda: two.holders() == dict.fromkeys(MARKETS, had.name), "the other takes all")
    for name, delivery_id in made.items():
        assert two.taken(had, name, MARKETS[int(name[1:]) % 2]) == delivery_id, "a key keeps its answer"
        assert two.asked(had, f"/v1/deliveries/{name}").json()["delivery_id"] == delivery_id


def _revoked(two: Deployment, had: Machine) -> None:
    two.book.revoke(two.key.key_id, int(time.time()))
    until(lambda: two.asked(had, "/v1/deliveries/o0").status_code == 401, "a key revoked elsewhere ends here, too")
