"""A disk without room: every command that writes says so in one line and leaves nothing half done in its way."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.ledger.sqlite.reader import FILE
from tests.kit.service.running import order, running, with_city

ROOM_KIB = 96
"""Less than a ledger takes, or a run, or a day."""


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, with room for hardly anything; only who may mount has one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM_KIB}k,mode=0700", "none", str(disk)]
    try:
        if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("may not mount")
    except FileNotFoundError:
        pytest.skip("cannot mount")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with two hundred orders."""
    folder = tmp_path_factory.mktemp("lived") / "city"

    async def go() -> None:
        async with running(folder) as run:
            await with_city(run, riders=0)
            for k in range(200):
                assert (await run.orders.post("/v1/deliveries", json=order(f"o{k}"))).status_code == 201

    asyncio.run(go())
    return folder


def halfhour(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "halfhour", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)


def one_line(ended: subprocess.CompletedProcess[str]) -> None:
    said = [line for line in ended.stderr.splitlines() if line and not line.startswith("{")]
    assert ended.returncode not in (0, -9) and "Traceback" not in ended.stderr, ended.stderr
    assert len(said) == 1, ended.stderr
    assert "no space left" in said[0].lower() or "full" in said[0].lower(), said[0]


def test_a_first_start_on_a_full_disk_is_one_line(full_disk: Path) -> None:
    (full_disk / "filler").write_bytes(bytes((ROOM_KIB - 8) * 1024))
    one_line(halfhour("serve", "--port", "0", "--data", full_disk / "city"))


def test_a_copy_that_finds_no_room_leaves_nothing_in_the_way_of_the_next(full_disk: Path, city: Path) -> None:
    one_line(halfhour("journal", "backup", full_disk / "copy", "--data", city))
    assert not (full_disk / "copy" / FILE).exists()
    subprocess.run(["mount", "-o", "remount,size=64m", str(full_disk)], check=True)
    again = halfhour("journal", "backup", full_disk / "copy", "--data", city)
    assert again.returncode == 0 and "entries kept" in again.stdout, again.stderr


def test_a_day_that_finds_no_room_is_no_day(full_disk: Path, city: Path) -> None:
    (full_disk / "filler").write_bytes(bytes((ROOM_KIB - 12) * 1024))
    one_line(halfhour("journal", "export", full_disk / "day", "--data", city))
    subprocess.run(["mount", "-o", "remount,size=64m", str(full_disk)], check=True)
    again = halfhour("journal", "export", full_disk / "day", "--data", city)
    assert again.returncode == 0 and "200 orders" in again.stdout, again.stderr


def test_a_run_that_finds_no_room_is_one_line(full_disk: Path, small_day: Path) -> None:
    (full_disk / "filler").write_bytes(bytes((ROOM_KIB - 12) * 1024))
    one_line(halfhour("replay", small_day, "--policy", "nearest", "--out", full_disk / "run"))
    assert sorted(path.name for path in full_disk.iterdir()) == ["filler"], "nothing half written stays"
