"""The two "Integrate in 15 minutes" pages are run as they stand, and their tables are those of the code."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from api.deliveries import CHANGEABLE
from api.kitchens import list_store
from api.riders import list_rider
from dispatch.model import OrderState
from halfhour.demo_city import riders, stores
from tests.api.running import running
from tests.api.serving import serving

DOCS = Path(__file__).parents[2] / "docs"
QUICK: dict[str, Any] = {"store_enter_s": 0, "store_exit_s": 0, "drop_enter_s": 0, "drop_exit_s": 0}


def code_of(page: str) -> str:
    """All Python of a page, as one program."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("page", ["integrate-orders.md", "integrate-riders.md"])
def test_the_page_runs_as_it_stands(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        async with running(tmp_path, speed=20, **QUICK) as run:
            for store_id, store in stores():
                await list_store(run.service, store_id, store)
            for rider_id, rider in riders():
                await list_rider(run.service, rider_id, rider)
            async with serving(run.app) as url:
                monkeypatch.setenv("HH", url)
                monkeypatch.setenv("ORDERS", run.keys["orders"])
                monkeypatch.setenv("RIDERS", run.keys["riders"])
                await asyncio.to_thread(exec, compile(code_of(page), page, "exec"), {})

    asyncio.run(go())


def test_the_table_of_changes_is_that_of_the_code() -> None:
    text = (DOCS / "integrate-orders.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| (yes|-) \| (yes|-) \| (yes|-) \| (yes|-) \|$", text, flags=re.MULTILINE)
    said = {name: cells[1:] for cells in rows for name in re.findall(r"`([a-z_]+)`", cells[0])}
    columns = (OrderState.CREATED, OrderState.CONFIRMED, OrderState.PICKED_UP, OrderState.DELIVERED)
    assert said == {
        name: tuple("yes" if state in allowed else "-" for state in columns) for name, allowed in CHANGEABLE.items()
    }
