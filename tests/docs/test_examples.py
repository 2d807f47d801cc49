"""Every example runs as it stands, and the page beside them names each."""

from __future__ import annotations

import asyncio
import json
import re
import runpy
import threading
import time
from http.server import HTTPServer

import httpx
import pytest

import halfhour
from api.http.routes.stores import list_store
from api.outbox.webhook_signature import new_secret, signed_headers
from halfhour.live.demo_city import stores
from tests.architecture.sources import ROOT
from tests.kit.service.running import running
from tests.kit.service.serving import serving

EXAMPLES = ROOT / "examples"
NEED_A_SERVICE = {"call_the_service.py", "receive_webhooks.py"}


def scripts() -> set[str]:
    """File names of the examples."""
    return {path.name for path in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize("name", sorted(scripts() - NEED_A_SERVICE))
def test_an_example_runs(name, capfd):
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert capfd.readouterr().out


def test_an_order_is_handed_over(tmp_path, monkeypatch, capfd):
    async def go():
        async with running(tmp_path) as run:
            for store_id, store in stores():
                await list_store(run.service, store_id, store)
            async with serving(run.app) as url:
                monkeypatch.setenv("HH", url)
                monkeypatch.setenv("ORDERS", run.keys["orders"])
                script = str(EXAMPLES / "call_the_service.py")
                await asyncio.to_thread(runpy.run_path, script, run_name="__main__")

    asyncio.run(go())
    assert "is created" in capfd.readouterr().out


def test_a_webhook_is_checked(monkeypatch, capfd):
    secret, body = new_secret(), json.dumps({"kind": "delivery.created"}).encode()
    monkeypatch.setenv("SECRET", secret)
    receiver = runpy.run_path(str(EXAMPLES / "receive_webhooks.py"))["Receiver"]
    with HTTPServer(("127.0.0.1", 0), receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        good = signed_headers([secret], "evt_1", int(time.time()), body)
        answers = [httpx.post(url, content=body, headers=headers).status_code for headers in (good, good, {})]
        server.shutdown()
    assert answers == [204, 204, 401]
    assert capfd.readouterr().out.count("delivery.created") == 1


def test_the_page_names_every_example():
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| \[(\w+\.py)\]", page, flags=re.M)) == scripts()


def test_the_reference_names_every_public_name():
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^::: [\w.]+\.(\w+)$", page, flags=re.M)) == set(halfhour.__all__) - {"__version__"}
