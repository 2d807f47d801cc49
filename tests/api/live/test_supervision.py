"""A service as a process: how it begins, how it ends, and what ends with it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from api.config import ServiceConfig
from api.http.readiness import MOST_COMMIT_S
from api.http.transport.server import CannotListen, bound
from api.ledger.sqlite.store import SqliteLedger
from api.observe.disk_times import LATELY_S, Commits
from api.observe.watchdog import OUT_OF_MEMORY_EXIT, Watchdog
from dispatch.inputs import StoreOpened
from tests.kit.service.running import PatientClock, running, with_city

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def children_of(pid: int) -> list[int]:
    """Processes that this one has started and that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if int(parent) == pid and state != "Z":
                found.append(int(entry.name))
    return found


def is_gone(pid: int) -> bool:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


@LINUX
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_service_ends_its_solver_and_its_robots(tmp_path: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-m", "halfhour", "serve", "--robots", "--json", "--port", "0", "--data"]
    process = subprocess.Popen([*command, str(tmp_path / "city")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        key = json.loads(process.stdout.readline())["keys"]["admin"]
        while len(children := children_of(process.pid)) < 2:
            time.sleep(0.02)
        for pid in children:
            assert key.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes(), "everybody may read this"
        process.send_signal(how)
        assert process.wait(60) == (0 if how is signal.SIGTERM else -how)
        assert all(is_gone(pid) for pid in children)
    finally:
        process.kill()
    if how is signal.SIGTERM:
        assert list((tmp_path / "city").glob("snapshot-*")), "closed in order"
    SqliteLedger(tmp_path / "city").close()  # nobody holds it any more


def test_an_address_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match="in use"):
            bound(ServiceConfig(port=port))
        words = [sys.executable, "-m", "halfhour", "serve", "--port", str(port), "--data", str(tmp_path / "city")]
        ended = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2 and not (tmp_path / "city").exists(), "nothing was begun"
    assert ended.stderr.count("\n") == 1 and "cannot_listen" in ended.stderr


def test_a_start_that_is_refused_says_why_without_a_traceback(tmp_path: Path) -> None:
    async def go() -> None:
        ahead = PatientClock()
        ahead._at += 72_000
        async with running(tmp_path / "city", clock=ahead) as run:
            await with_city(run)

    asyncio.run(go())
    words = [sys.executable, "-m", "halfhour", "serve", "--port", "0", "--data", str(tmp_path / "city")]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1].endswith("[journal_ahead]")


# --- who watches the loop -------------------------------------------------------------------------------------------


def _child(code: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def test_a_loop_that_spins_for_good_is_ended_by_the_kernel() -> None:
    ended = _child("""
import asyncio
from api.observe.watchdog import Watchdog
async def go():
    Watchdog("", spin_s=0.2).start()
    await asyncio.sleep(0.01)
    while True: pass
asyncio.run(go())
""")
    assert ended.returncode == -signal.SIGVTALRM and "in go" in ended.stderr


def test_a_loop_that_is_only_stopped_is_not() -> None:
    ended = _child("""
import asyncio, time
from api.observe.watchdog import Watchdog
async def go():
    watchdog = Watchdog("", spin_s=0.2)
    watchdog.start()
    await asyncio.sleep(0.01)
    time.sleep(0.5)
    await watchdog.stop()
asyncio.run(go())
""")
    assert ended.returncode == 0, ended.stderr


def test_systemd_hears_that_we_are_ready_beat_and_end(tmp_path: Path) -> None:
    async def go() -> list[bytes]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(str(tmp_path / "notify"))
            watchdog = Watchdog(str(tmp_path / "notify"))
            watchdog.start()
            await asyncio.sleep(0)
            watchdog.say("READY=1")
            await watchdog.stop()
            systemd.setblocking(False)
            return [systemd.recv(100) for _ in range(3)]

    assert asyncio.run(go()) == [b"WATCHDOG=1", b"READY=1", b"STOPPING=1"]
    Watchdog(str(tmp_path / "nobody")).say("READY=1")


def test_a_service_out_of_memory_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended(BaseException):
        pass

    def end(status: int) -> None:
        raise Ended(status)

    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=0)
            monkeypatch.setattr(os, "_exit", end)

            def full(*words: Any) -> None:
                raise MemoryError

            monkeypatch.setattr(run.host.engine, "apply", full)
            with pytest.raises(Ended) as ended:
                await run.host.tell(lambda at: StoreOpened(at=at, store_id="s1"))
            assert ended.value.args == (OUT_OF_MEMORY_EXIT,)
            monkeypatch.undo()

    asyncio.run(go())


# --- how long the disk takes ----------------------------------------------------------------------------------------


def test_the_age_of_a_write_is_that_of_the_oldest_or_of_a_slow_one_lately() -> None:
    now = [100.0]
    commits = Commits(lambda: now[0])
    assert commits.age_s == 0.0
    first, second = commits.begin(), commits.begin()
    now[0] += 5
    assert commits.age_s == 5.0
    assert commits.end(second) == 5.0
    assert commits.end(first) == 5.0
    now[0] += LATELY_S
    assert commits.age_s == 5.0
    now[0] += 1
    assert commits.age_s == 0.0
    quick = commits.begin()
    now[0] += 0.1
    assert commits.end(quick) == pytest.approx(0.1)
    assert commits.age_s == pytest.approx(0.1)


def test_a_disk_that_is_slow_is_not_ready(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            await run.host.settled()
            assert (await run.anyone.get("/readyz")).status_code == 200
            host = run.host
            now = time.monotonic()
            host.commits._clock = lambda: now
            number = host.commits.begin()
            now += MOST_COMMIT_S + 1
            slow = await run.anyone.get("/readyz")
            assert slow.status_code == 503 and slow.json()["code"] == "storage_slow"
            assert "halfhour_commit_age_seconds 3.0" in (await run.ops.get("/metrics")).text
            host.commits.end(number)
            now += LATELY_S + 1
            assert (await run.anyone.get("/readyz")).status_code == 200

    asyncio.run(go())


def test_a_loop_that_stands_still_is_no_slow_disk(tmp_path: Path) -> None:
    """A write is on the disk when the ledger's thread says so, however long the loop takes to hear of it."""

    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run)
            commits, now, ended = run.host.commits, [time.monotonic()], threading.Event()
            commits._clock = lambda: now[0]
            end = commits.end

            def end_and_tell(number: int) -> float:
                lasted_s: float = end(number)
                ended.set()
                return lasted_s

            commits.end = end_and_tell
            run.host.report(lambda at: StoreOpened(at=at, store_id="s1"))
            assert ended.wait(60), "the loop stands still here, and the write ends all the same"
            now[0] += MOST_COMMIT_S + 1
            assert (await run.anyone.get("/readyz")).status_code == 200
            assert commits.age_s < MOST_COMMIT_S

    asyncio.run(go())
