"""The service's clock under a machine whose clock is set, and what the service says of it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from api.common.clock import LASTS_S, MOST_OFF_S, PULL, Clock
from api.http.readiness import MOST_DOUBT_S
from api.live.alarm import JournalAhead
from tests.kit.service.running import PatientClock, order, running, with_city

NOON = 1_800_000_000.0


class Machine:
    """Ticks that always go on, and a clock beside them that somebody sets."""

    def __init__(self) -> None:
        self.ticks = 0.0
        self.shows = NOON

    def clock(self) -> Clock:
        return Clock(machine=lambda: self.shows, tick=lambda: self.ticks)

    def go(self, clock: Clock, seconds: float) -> None:
        """Time passes, with a look at the clock every second."""
        for _ in range(round(seconds)):
            self.ticks += 1.0
            self.shows += 1.0
            clock.exact()


@pytest.mark.parametrize("back_s", [5, 90, 800, 72_000])
def test_a_clock_that_is_set_back_goes_on_and_is_brought_back_slowly(back_s: int) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.go(clock, 10)
    machine.shows -= back_s
    for _ in range(5):
        before = clock.now()
        assert clock.wait_s(before + 100.0) <= 1.0, "no timer is set by a clock that may be wrong"
        machine.go(clock, 20)
        assert 20 * (1 - PULL) - 1 <= clock.now() - before <= 20, "time passes all the while"
    assert clock.steps == 1
    machine.go(clock, min(back_s, MOST_OFF_S) / PULL)
    assert (clock.off_s == 0.0) == (back_s <= MOST_OFF_S), "a small step is worked off, a large one left to people"
    assert (clock.doubt_s > MOST_DOUBT_S) == (back_s > MOST_OFF_S)


def test_a_step_that_is_taken_back_at_once_never_happened() -> None:
    for step_s in (-90, 90, 72_000):
        machine = Machine()
        clock = machine.clock()
        machine.shows += step_s
        machine.go(clock, LASTS_S / 2)
        machine.shows -= step_s
        machine.go(clock, 20)
        assert abs(clock.exact() - machine.shows) < 1.0, step_s
        assert clock.steps == 2


def test_a_step_forward_that_lasts_is_followed() -> None:
    """A virtual machine that stood still and is right again."""
    machine = Machine()
    clock = machine.clock()
    machine.shows += 600
    machine.go(clock, LASTS_S + 2)
    assert clock.exact() == machine.shows and clock.doubt_s < 0.001


def test_a_day_ahead_is_not_followed() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.shows += 72_000
    machine.go(clock, 60)
    assert clock.now() == NOON + 60
    assert clock.doubt_s > MOST_DOUBT_S


def test_a_pause_is_no_step() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.go(clock, 3)
    machine.ticks, machine.shows = machine.ticks + 5000, machine.shows + 5000
    assert clock.now() == NOON + 5003 and clock.steps == 0


def test_what_the_journal_has_seen_has_happened_and_is_no_doubt() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.not_before(int(NOON) + 600)
    assert clock.now() == NOON + 600
    machine.go(clock, 10)
    assert clock.now() >= NOON + 609 and clock.steps == 0 and clock.doubt_s < 0.001
    machine.shows -= 100
    machine.go(clock, 1)
    assert clock.doubt_s > MOST_DOUBT_S


# --- the service ----------------------------------------------------------------------------------------------------


def test_rounds_go_on_when_the_machine_is_set_back_and_everybody_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def go() -> None:
        machine = Machine()
        clock = machine.clock()

        async def time_passes() -> None:
            while True:
                machine.go(clock, 1)
                await asyncio.sleep(0.01)

        clock.go = time_passes  # type: ignore[attr-defined]
        async with running(tmp_path, clock=clock) as run:  # type: ignore[arg-type]
            await with_city(run)
            assert (await run.anyone.get("/readyz")).json()["clock_off_s"] == 0.0
            machine.shows -= 5000
            with caplog.at_level(logging.WARNING):
                await run.orders.post("/v1/deliveries", json=order())
                await run.until(lambda: run.host.board.orders["acme.o1"].planned_rider_id)
            assert "the machine's clock was set" in caplog.text
            metrics = (await run.ops.get("/metrics")).text
            assert "halfhour_clock_steps 1.0" in metrics and "halfhour_clock_off_seconds -5000.0" in metrics
            refused = await run.anyone.get("/readyz")
            assert refused.status_code == 503 and refused.json()["code"] == "clock_off"
            machine.shows += 5000
            await run.until(lambda: clock.doubt_s == 0.0)
            assert (await run.anyone.get("/readyz")).json()["warnings"] == []

    asyncio.run(go())


def test_a_start_with_a_journal_in_the_future_is_refused_or_asked_for(tmp_path: Path) -> None:
    async def go() -> None:
        ahead = PatientClock()
        ahead._at += 72_000
        async with running(tmp_path, clock=ahead) as run:
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order("o1"))
        with pytest.raises(JournalAhead, match="ahead of this machine's clock") as refused:
            async with running(tmp_path):
                pass
        assert "--trust-journal" in refused.value.hint
        async with running(tmp_path, trusts_journal=True) as run:
            assert run.clock.now() >= run.host.board.now
            began = run.clock.now()
            await run.orders.post("/v1/deliveries", json=order("o2"))
            await run.until(lambda: run.host.board.orders["acme.o2"].planned_rider_id)
            assert 0 <= run.host.board.now - began < 60, "time goes on from the last entry"
            assert (await run.anyone.get("/readyz")).status_code == 200

    asyncio.run(go())


# --- pauses ---------------------------------------------------------------------------------------------------------


def said(run: object) -> list[str]:
    """Every input of the journal, by name."""
    return [entry.input["kind"] for entry in run.ledger.entries()]  # type: ignore[attr-defined]


SOON_LOST = {"rules.lost_after_s": 60, "rules.route_ack_timeout_s": 0, "rules.stale_s": 0}


def test_after_a_pause_what_was_sent_meanwhile_comes_before_any_judgement(tmp_path: Path) -> None:
    """A stopped process goes on: its timers ring first, what waits in the sockets is read after them."""

    async def go() -> None:
        async with running(tmp_path, engine=SOON_LOST) as run:
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order())
            await run.orders.post("/v1/deliveries/o1/ready")
            await run.until(lambda: run.host.board.riders["r1"].route.told)
            before = run.host.clock.now()
            run.clock._at += 75
            run.host.alarm.ring()
            assert not run.host.board.riders["r1"].lost
            await run.host.settled()
            assert "ServiceResumed" in said(run)
            reply = await run.riders.post("/v1/riders/r1/position", json={"location": {"lat": 48.138, "lng": 11.576}})
            assert reply.status_code == 200
            await run.until(lambda: run.host.board.riders["r1"].heard_at >= before + 75)
            assert "RiderLost" not in [event["kind"] for entry in run.ledger.entries() for event in entry.events]
            assert "halfhour_pauses_total" in (await run.ops.get("/metrics")).text

    asyncio.run(go())


def test_a_request_that_is_read_before_the_timer_rings_finds_the_pause_said(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, engine=SOON_LOST) as run:
            await with_city(run)
            run.clock._at += 75
            await run.orders.post("/v1/deliveries", json=order())
            kinds = said(run)
            assert kinds.index("ServiceResumed") < kinds.index("OrderPlaced")
            assert not run.host.board.riders["r1"].lost

    asyncio.run(go())


def test_a_restart_is_a_pause(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path, engine=SOON_LOST) as run:
            await with_city(run)
            await run.host.settled()
            kinds = len(said(run))
        later = PatientClock()
        later._at += 200
        async with running(tmp_path, engine=SOON_LOST, clock=later) as run:
            await run.host.settled()
            assert "ServiceResumed" in said(run)[kinds:], "said before anything is judged"
            assert not run.host.board.riders["r1"].lost
            run.clock._at += 61  # heard again, and silent
            run.host.alarm._looked_at = run.host.clock.now()
            run.host.alarm.ring()
            assert run.host.board.riders["r1"].lost

    asyncio.run(go())
