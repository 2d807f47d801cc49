"""Long answers: in slices, in turn, and paid for by their length."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from api.access.rate_limits import Limits, Meter, Rate
from api.access.rules import Caller, Scope
from api.common.errors import RateLimited
from api.http.pages import ROWS_A_TOKEN, SLICE, Pages
from tests.kit.service.running import Running, order, running, with_city

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


def _caller(tenant: str) -> Caller:
    return Caller(tenant, frozenset({Scope.ORDERS}), "k")


def _request(limits: Limits) -> Any:
    gate = SimpleNamespace(limits=limits, clock=lambda: 0.0)
    return SimpleNamespace(
        app=SimpleNamespace(state=SimpleNamespace(application=SimpleNamespace(gate=gate))), state=SimpleNamespace()
    )


async def test_long_answers_of_one_caller_are_made_one_after_the_other_and_others_pass_between() -> None:
    pages, limits, made = Pages(), Limits({Meter.READ: Rate(1e6, 1_000_000)}), list[str]()

    async def page(tenant: str, name: str) -> None:
        def make(item: int) -> str:
            made.append(name)
            return str(item)

        assert (await pages.rows(_request(limits), _caller(tenant), range(3 * SLICE), make)).count(",") == 3 * SLICE - 1

    await asyncio.gather(page("acme", "a1"), page("acme", "a2"), page("bee", "b1"))
    assert made.index("a2") > len(made) - 1 - made[::-1].index("a1")  # the second begins when the first is done
    assert made.index("b1") < SLICE * 2  # another caller's does not wait for that
    assert len(pages._turns) == 0


async def test_a_read_costs_what_it_takes() -> None:
    limits = Limits({Meter.READ: Rate(10, 100)})
    request, caller, pages = _request(limits), _caller("acme"), Pages()
    await pages.rows(request, caller, range(ROWS_A_TOKEN), str)
    assert not hasattr(request.state, "quota")  # the token of the request itself
    await pages.rows(request, caller, range(200), str)
    assert request.state.quota.remaining == 100 - (200 - 1) // ROWS_A_TOKEN
    await pages.rows(request, caller, range(400), str)
    with pytest.raises(RateLimited) as refused:
        limits.take(caller.purse, Meter.READ, 0.0)
    assert refused.value.details["retry_after_s"] == 5  # 48 below nothing and one more, at ten a second
    limits.take(_caller("bee").purse, Meter.READ, 0.0)


@pytest.fixture(scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(tmp_path_factory.mktemp("ledger")) as found:
        await with_city(found, riders=12)
        for k in range(60):
            assert (await found.orders.post("/v1/deliveries", json=order(f"o{k}"))).status_code == 201
        yield found


@pytest.mark.parametrize(
    "path", ["/v1/deliveries?limit=60", "/v1/events?limit=200", "/v1/riders", "/v1/stores/s1/queue"]
)
async def test_a_short_answer_passes_a_long_one(run: Running, path: str) -> None:
    long = asyncio.create_task(run.admin.get(path))
    await asyncio.sleep(0)
    short = await run.anyone.get("/healthz")
    assert short.status_code == 200 and not long.done()
    answer = await long
    assert answer.status_code == 200 and answer.json()
    assert int(answer.headers["ratelimit-remaining"]) < 1_000_000 - 1


async def test_pages_hold_what_single_reads_show(run: Running) -> None:
    page = (await run.orders.get("/v1/deliveries?limit=7")).json()
    assert [one["external_delivery_id"] for one in page["deliveries"]] == [f"o{k}" for k in range(59, 52, -1)]
    one = page["deliveries"][3]
    assert (await run.orders.get(f"/v1/deliveries/{one['external_delivery_id']}")).json() == one
    rest = (await run.orders.get("/v1/deliveries", params={"limit": 200, "after": page["next"]})).json()
    assert len(rest["deliveries"]) == 53 and rest["next"] is None
    riders = (await run.riders.get("/v1/riders")).json()
    assert (await run.riders.get("/v1/riders/r3")).json() in riders and len(riders) == 12
    events = (await run.orders.get("/v1/events?limit=5")).json()
    assert [event["kind"] for event in events["events"]] == ["delivery.created"] * 5
    assert events["next"] == events["events"][-1]["cursor"]
    assert (await run.other.get("/v1/events?limit=5")).json()["events"] == []
