"""The walk-throughs are followed as they stand, alone and one after the other; their tables are those of the code."""

from __future__ import annotations

import asyncio
import re
import runpy
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from api.http.routes.delivery_changes import CHANGEABLE
from api.http.routes.riders import list_rider
from api.http.routes.stores import list_store
from dispatch.model import OrderState
from halfhour.commands.live.serve import _walk_through
from halfhour.live.demo_city import riders, stores
from tests.kit.service.running import Running, running
from tests.kit.service.serving import serving

DOCS = Path(__file__).parents[4] / "docs"
EXAMPLE = DOCS.parent / "examples" / "call_the_service.py"
QUICK: dict[str, Any] = {"store_enter_s": 0, "store_exit_s": 0, "drop_enter_s": 0, "drop_exit_s": 0}


def code_of(page: str) -> str:
    """All Python of a page, as one program."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))


PAGES = ["integrate-orders.md", "integrate-riders.md"]


@asynccontextmanager
async def demo(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Running, str]]:
    """A service over the city that `halfhour serve` shows, with what it prints in the environment; its address."""
    async with running(folder, speed=20, **QUICK) as run:
        for store_id, store in stores():
            await list_store(run.service, store_id, store)
        for rider_id, rider in riders():
            await list_rider(run.service, rider_id, rider)
        async with serving(run.app) as url:
            for name in ("orders", "riders", "ops", "admin"):
                monkeypatch.setenv(name.upper(), run.keys[name])
            monkeypatch.setenv("HH", url)
            yield run, url


async def follow(page: str) -> None:
    await asyncio.to_thread(exec, compile(code_of(page), page, "exec"), {})


@pytest.mark.parametrize("page", PAGES)
def test_the_page_runs_as_it_stands(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        async with demo(tmp_path, monkeypatch):
            await follow(page)

    asyncio.run(go())


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_all_walk_throughs_can_be_followed_one_after_the_other_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one leaves behind (a rider on duty, an open order) is in no other one's way."""

    async def shown(run: Running, url: str) -> None:
        text = _walk_through(url, {name: run.keys[name] for name in ("orders", "riders", "ops", "admin")}, tmp_path)
        text = text.replace("curl -s", "curl -sSf")
        steps = [line for line in text.splitlines() if line.startswith("  ") and not line.startswith("  documentation")]
        script = "\n".join(["set -e", *(line for line in steps if "board   " not in line)])
        done = await asyncio.to_thread(subprocess.run, ["bash", "-c", script], capture_output=True, text=True)
        assert done.returncode == 0 and '"created"' in done.stdout, done.stderr + done.stdout

    async def go() -> None:
        async with demo(tmp_path, monkeypatch) as (run, url):
            client = code_of("python-client.md").replace("http://127.0.0.1:8080", url)
            for _ in range(2):
                await shown(run, url)
                for page in PAGES:
                    await follow(page)
                key = {"key": run.keys["orders"], "cursor": "0"}
                await asyncio.to_thread(exec, compile(client, "python-client.md", "exec"), key)
                await asyncio.to_thread(runpy.run_path, str(EXAMPLE), run_name="__main__")
                await asyncio.sleep(1.1)  # ids are made of seconds

    asyncio.run(go())


def test_the_table_of_changes_is_that_of_the_code() -> None:
    text = (DOCS / "integrate-orders.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| (yes|-) \| (yes|-) \| (yes|-) \| (yes|-) \|$", text, flags=re.MULTILINE)
    said = {name: cells[1:] for cells in rows for name in re.findall(r"`([a-z_]+)`", cells[0])}
    columns = (OrderState.CREATED, OrderState.CONFIRMED, OrderState.PICKED_UP, OrderState.DELIVERED)
    assert said == {
        name: tuple("yes" if state in allowed else "-" for state in columns) for name, allowed in CHANGEABLE.items()
    }
