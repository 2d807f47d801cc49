"""Days through the heap and through HTTP: the same brain, so the same life, event by event."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.ledger.upkeep.lived import opened
from benchmarks.inputs.live_city import BEGIN_AT, SETTINGS, lunch_peak
from benchmarks.live.replay_vs_http import COMPARED, chance_of, compared
from dispatch.codec import decode_event, decode_input
from dispatch.events import Event, ReadyKnown
from dispatch.inputs import (
    Input,
    PositionsSeen,
    RiderListed,
    ShiftPlanned,
    StoreClosed,
    StoreListed,
    TravelChanged,
)
from dispatch.model import Engagement
from dispatch.policies.policy import HalfhourPolicy
from dispatch.settings.presets import PRESETS
from dispatch.settings.settings import Settings
from halfhour.live.live_kpis import kpis_of
from halfhour.robots import Tally, moved_to
from sim.replay.replay import replay
from sim.replay.result import Run
from sim.scenario import Reality, Scenario
from tests.kit.service.running import running
from tests.kit.service.serving import serving
from tests.kit.service.stepped import SteppedClock, SteppedRobots

pytestmark = pytest.mark.anyio
ORDERS, BEFORE_S = 24, 2
"""Robots begin a day so many seconds after they have met the service."""
TRAVEL = {"kind": "straight", "detour": 1.3, "metres_per_minute": {"default": 250.0}}
KNOWN_BEFORE = (TravelChanged, StoreListed, RiderListed, ShiftPlanned)
DIFFERENT = {"place", "drop_place", "pick_place", "reasons", "tenant"}
"""Each book of places has handles of its own; a live journal leaves out the reasons that the board holds already;
behind HTTP a tenant hands the orders over, in a scenario nobody is named."""
Life = list[tuple[Input, tuple[Event, ...]]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _through_http(folder: Path, day: Scenario, engine: dict[str, Any]) -> tuple[Life, Tally]:
    """A day lived by robots, from the service's journal, beginning at its own instant."""
    clock = SteppedClock(BEGIN_AT - BEFORE_S)
    async with running(folder, clock=clock, engine=engine, travel=TRAVEL) as run, serving(run.app) as url:
        tally = await SteppedRobots(run, clock, url, run.keys["admin"], day, prefix="t-", whole_day=True).run()
        await run.host.settled()
    reader = opened(folder)
    life = [(decode_input(one.input), tuple(decode_event(event) for event in one.events)) for one in reader.entries()]
    reader.close()
    return life, tally


def _through_the_heap(day: Scenario) -> tuple[Life, Run]:
    life: Life = []
    day = moved_to(day, BEGIN_AT, "t-")
    run = replay(day, HalfhourPolicy(), on_event=lambda item, events: life.append((item, events)))
    return life, run


def _said(life: Life, day: Scenario) -> Iterator[Any]:
    """The day in plain values, an entry for each input that had consequences.

    Left out is what both sides say differently: what is known before the day begins, in which order positions of one
    instant come, and that goods are ready when they were expected (kitchens behind HTTP always say so).
    """
    expected = {f"t-{one.order.order_id}": one.order.expected_ready_at for one in day.demand}

    def is_news(event: Event) -> bool:
        return not (isinstance(event, ReadyKnown) and event.ready_at == expected[_own(event.order_id)])

    for item, events in life:
        told = [_plain(event) for event in events if is_news(event)]
        if isinstance(item, PositionsSeen):
            yield item.at, [_plain(position) for position in sorted(item.positions)]
        elif told and not isinstance(item, KNOWN_BEFORE):
            yield _plain(item), told


def _plain(value: Any) -> Any:
    """A value without handles of places and without the tenant in front of orders."""
    names = [field.name for field in dataclasses.fields(value)] if dataclasses.is_dataclass(value) else None
    names = names or getattr(value, "_fields", None)
    if names is not None:
        fields = {name: _plain(getattr(value, name)) for name in names if name not in DIFFERENT}
        return {"kind": type(value).__name__} | fields
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return _own(value) if isinstance(value, str) else value


def _own(order_id: str) -> str:
    return order_id.removeprefix("operator.")


def _lunch(number: int) -> Scenario:
    return lunch_peak(number, orders=ORDERS, riders=9, stores=3, hours=0.4)


def _mishaps(number: int) -> Scenario:
    """A lunch with riders who are asked and decline, absent customers, late reports, lost positions, a shut kitchen."""
    day = _lunch(number)
    riders = tuple(
        dataclasses.replace(rider, engagement=Engagement.CROWD) if k % 3 == 0 else rider
        for k, rider in enumerate(day.catalogue.riders)
    )
    reality = Reality(
        service_sigma=0.2, travel_sigma=0.1, ready_sigma_s=120, absent_share=0.1, decline_share=0.2, silent_share=0.1,
        early_logoff_share=0.2, position_every_s=20, position_loss=0.2, report_delay_s=15,
    )  # fmt: skip
    shut = StoreClosed(at=BEGIN_AT + 600, store_id="s1", until=BEGIN_AT + 900)
    catalogue = dataclasses.replace(day.catalogue, riders=riders)
    return dataclasses.replace(day, catalogue=catalogue, reality=reality, news=(shut,))


BEAT = SETTINGS
MOVES = {key: Settings.stated({}).flat()[key] for key in PRESETS["balanced"].values}
"""The rules and prices of 0.1.0, under which idle riders are sent ahead."""
# No empty moves: the service knows of shifts before they begin, and its first round without orders comes elsewhen.
PROMPT = {"rules.round_mode": "prompt", "rules.round_s": 30, "rules.stale_s": 60, "rules.empty_moves": False}
MEANS = SETTINGS | {"rules.ready_times": "store_mean"}


@pytest.mark.parametrize(
    ("day", "engine"),
    [(_lunch(7), BEAT | MOVES), (_lunch(2), PROMPT), (_mishaps(1), BEAT), (_mishaps(3), MEANS)],
    ids=["empty moves on the way to a store", "prompt rounds", "mishaps", "mishaps and ready times as means"],
)
async def test_a_day_behind_http_is_lived_as_its_replay(tmp_path: Path, day: Scenario, engine: dict[str, Any]) -> None:
    """The same inputs with the same events, so the same figures: one clock, one luck, nothing in between."""
    day = dataclasses.replace(
        day, catalogue=dataclasses.replace(day.catalogue, settings=Settings().with_values(engine))
    )
    http, tally = await _through_http(tmp_path, day, engine)
    heap, run = _through_the_heap(day)
    assert tally.placed == ORDERS and sum(tally.failures.values()) == run.refusals, tally
    for here, there in itertools.zip_longest(_said(http, day), _said(heap, day)):
        assert here == there
    figures, replayed = kpis_of(tmp_path).summary(), run.summary
    names = set(figures) & set(replayed) - {"decision_digest", "co2_g_per_order", "cost_per_order"}
    assert {name: figures[name] for name in names} == {name: replayed[name] for name in names}


def _figures(values: list[float]) -> list[dict[str, Any]]:
    return [dict.fromkeys(COMPARED, value) for value in values]


def test_a_difference_beyond_chance_is_seen() -> None:
    heap = [1000.0 + 50 * k for k in range(8)]
    luck = [_figures([1000.0, 1100.0])] * 8
    # Eight gaps of one sign have a chance of 2 in 256; with one of the other sign many throws reach the same sum.
    biased = [value + 30 for value in heap]
    mixed = [value + (90 if k else -200) for k, value in enumerate(heap)]
    tiny = [value + 1 for value in heap]
    found = [compared(_figures(heap), _figures(http), luck)["utilisation"] for http in (biased, mixed, tiny)]
    assert [row["agrees"] for row in found] == [False, True, True]
    assert found[0]["chance"] == round(2 / 256, 4) and found[0]["difference"] == 30


def test_chance_counts_the_throws_of_coins() -> None:
    assert chance_of([1.0, 1.0, 1.0]) == 2 / 8
    assert chance_of([3.0, -1.0]) == 1.0
    assert chance_of([0.0, 0.0]) == 1.0
