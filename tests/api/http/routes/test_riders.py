"""Riders over HTTP: shifts, breaks, positions, reports that are facts, and offers that exactly one rider wins."""

from __future__ import annotations

import asyncio
import itertools
import random
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.common.api_keys import Scope
from api.live.positions import FASTEST_M_PER_S, MOST_JUMPS, STALE_S, Positions, metres_between
from dispatch.board.board import Board
from dispatch.engine.engine import Engine
from dispatch.errors import Refused
from dispatch.events import OfferMade, RoundOpened
from dispatch.inputs import (
    Input,
    OfferAccepted,
    OfferDeclined,
    OrderCancelled,
    OrderPlaced,
    OrderReady,
    Position,
    RiderListed,
    ShiftPlanned,
    StoreListed,
    Wake,
)
from dispatch.model import Engagement, Order, Rider, Shift, Store
from dispatch.settings.settings import Settings
from routing.places import PlaceBook
from routing.travel import StraightTravel
from tests.kit.service.running import order, running, with_city

NOW = 1_700_000_000


# --- positions ------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(-STALE_S - 5, 7200), st.floats(-0.002, 0.002)),
        max_size=40,
    )
)
def test_the_newest_position_of_each_rider_wins(reports: list[tuple[str, int, float]]) -> None:
    """Against a model: of what is neither stale nor older than one taken, the last one is kept; ahead is now."""
    positions, model = Positions(), {}
    for rider, age, north in reports:
        at = NOW + age
        seen = min(at, NOW)
        fits = seen >= NOW - STALE_S
        before = model.get(rider)
        is_new = fits and (before is None or seen > before.seen_at)
        taken = positions.put(Position(rider, 48.0 + north, 11.0, at), NOW) is None
        assert taken <= is_new
        if is_new:
            said = Position(rider, 48.0 + north, 11.0, seen)
            near = before is None or metres_between(before, said) <= FASTEST_M_PER_S * (seen - before.seen_at) + 100
            assert taken >= near
            if taken:
                model[rider] = said
    assert positions.take() == tuple(model[rider] for rider in sorted(model))
    assert positions.take() == ()


def test_a_jump_is_not_believed_until_it_has_proved_itself() -> None:
    positions = Positions()

    def put(lat: float, lng: float, later_s: int) -> str | None:
        return positions.put(Position("r", lat, lng, NOW + later_s), NOW + later_s)

    assert put(48.0, 11.0, 0) is None
    assert put(0.0, 0.0, 1) == "origin", "nobody rides at the origin of the world"
    assert put(49.0, 11.0, 2) == "jump", "111 km in two seconds"
    assert put(48.0002, 11.0, 3) is None, "the next true fix is taken"
    for k in range(MOST_JUMPS):
        far = put(49.0, 11.0 + k * 1e-5, 10 + k)
        assert (far is None) == (k == MOST_JUMPS - 1), "the third in a row shows that the first fix was wrong"
    positions.forget("r")
    assert put(10.0, 10.0, 20) is None, "a new shift may begin anywhere"


def test_honest_rides_are_believed() -> None:
    """Fixes every few seconds with an error of 15 m, some late and some doubled: at most one in a hundred is lost."""
    rng, positions, sent, lost = random.Random(7), Positions(), 0, 0
    lat, at = 48.0, NOW
    for _ in range(3000):
        step_s = rng.choice([1, 2, 5, 10])
        at += step_s
        lat += step_s * rng.uniform(0, 9) / 111_195
        fix = Position("r", lat + rng.gauss(0, 15) / 111_195, 11.0 + rng.gauss(0, 15) / 74_000, at)
        sent, lost = sent + 1, lost + (positions.put(fix, at + rng.randint(0, 8)) is not None)
    assert lost <= sent / 100


# --- over HTTP ------------------------------------------------------------------------------------------------------


def test_shifts_breaks_and_positions(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await run.ops.put("/v1/stores/s1", json={"location": {"lat": 48.137, "lng": 11.575}})
            bad = await run.riders.put("/v1/riders/r1", json={"location": {"lat": 48, "lng": 11}, "profile": "rocket"})
            assert bad.status_code == 422 and bad.json()["field_errors"][0]["field"] == "profile"
            assert (await run.riders.post("/v1/riders/r1/shift")).status_code == 404
            made = await run.riders.put("/v1/riders/r1", json={"location": {"lat": 48.138, "lng": 11.576}})
            assert made.json()["on_duty"] is False
            never = await run.riders.post("/v1/riders/r1/shift", json={"end_at": "2099-01-01T00:00:00Z"})
            assert never.status_code == 422 and never.json()["field_errors"][0]["field"] == "end_at"
            end_at = run.clock.soon(8 * 3600)
            on = await run.riders.post("/v1/riders/r1/shift", json={"end_at": end_at})
            assert on.json()["on_duty"] is True and on.json()["shift_end_at"] == end_at
            twice = await run.riders.post("/v1/riders/r1/shift")
            assert twice.status_code == 409
            assert (await run.riders.post("/v1/riders/r1/break")).json()["on_break"] is True
            assert (await run.riders.post("/v1/riders/r1/break/end")).json()["on_break"] is False
            where = {"location": {"lat": 48.1385, "lng": 11.5765}}
            taken = await run.riders.post("/v1/riders/r1/position", json=where)
            assert taken.json() == {"taken": 1, "left_out": 0, "why": []}
            assert (await run.riders.post("/v1/riders/r9/position", json=where)).status_code == 404
            batch = {"positions": [where | {"rider_id": "r1"}, where | {"rider_id": "r9"}]}
            why = [{"index": 0, "why": "not_newer"}, {"index": 1, "why": "unknown_rider"}]
            left_out = await run.riders.post("/v1/positions", json=batch)
            assert left_out.json() == {"taken": 0, "left_out": 2, "why": why}
            large = {"positions": [where | {"rider_id": "r1"}] * 501}
            assert (await run.riders.post("/v1/positions", json=large)).status_code == 422
            assert (await run.riders.get("/v1/riders/r1")).json()["location"] == where["location"]
            off = await run.riders.post("/v1/riders/r1/shift/end")
            assert off.json()["on_duty"] is False
            assert (await run.riders.post("/v1/riders/r1/shift")).status_code == 200, "and back again"

    asyncio.run(go())


def test_a_rider_sees_himself_alone(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=2)
            token = (await run.riders.post("/v1/riders/r1/token")).json()["token"]
            mine = {"Authorization": f"Bearer {token}"}
            assert (await run.anyone.get("/v1/riders/r1/route", headers=mine)).status_code == 200
            assert (await run.anyone.get("/v1/riders/r2/route", headers=mine)).status_code == 404
            assert (await run.anyone.post("/v1/stops/r2.1/arrive", headers=mine)).status_code == 404
            assert (await run.anyone.post("/v1/offers/r2@1.0/accept", headers=mine)).status_code == 404
            assert (await run.anyone.get("/v1/deliveries", headers=mine)).status_code == 403
            events = (await run.anyone.get("/v1/events", headers=mine)).json()["events"]
            assert {event["data"]["rider_id"] for event in events} == {"r1"}

    asyncio.run(go())


def test_a_phone_renews_its_token_for_a_day(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=2)
            token, renewed = (await run.riders.post("/v1/riders/r1/token")).json()["token"], 0
            for _ in range(100):
                run.clock.not_before(run.clock.now() + 1800)
                mine = {"Authorization": f"Bearer {token}"}
                assert (await run.anyone.post("/v1/riders/r2/token", headers=mine)).status_code in (401, 404)
                answer = await run.anyone.post("/v1/riders/r1/token", headers=mine)
                if answer.status_code == 401:
                    break
                token, renewed = answer.json()["token"], renewed + 1
            assert 46 <= renewed <= 48, "then the operator must vouch for them again"
            assert (await run.riders.post("/v1/riders/r1/token")).status_code == 200

    asyncio.run(go())


def test_a_phone_is_locked_out_with_its_key_by_operations_and_after_its_shift(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as run:
            await with_city(run, riders=2)
            path = "/v1/riders/r1/token"

            async def fresh(client: Any) -> dict[str, Any]:
                token = (await client.post(path)).json()["token"]
                return {"headers": {"Authorization": f"Bearer {token}"}}

            book = run.app.state.application.gate.keys
            text, key = book.make("operator", [Scope.RIDERS], run.clock.now())
            gateway = httpx.AsyncClient(transport=run.riders._transport, base_url="http://halfhour")
            gateway.headers["Authorization"] = f"Bearer {text}"
            theirs, others = await fresh(gateway), await fresh(run.riders)
            book.revoke(key.key_id, run.clock.now())
            assert (await run.anyone.get("/v1/riders/r1/route", **theirs)).status_code == 401
            assert (await run.anyone.post(path, **theirs)).status_code == 401
            assert (await run.anyone.get("/v1/riders/r1/route", **others)).status_code == 200
            assert (await run.anyone.delete(path, **others)).status_code == 403, "a phone ends nobody"
            assert (await run.ops.delete(path)).status_code == 200
            assert (await run.anyone.get("/v1/riders/r1/route", **others)).status_code == 401
            lost, kept = others, await fresh(run.riders)
        async with running(tmp_path) as run:
            assert (await run.anyone.get("/v1/riders/r1/route", **lost)).status_code == 401
            assert (await run.anyone.post("/v1/riders/r1/shift/end", **kept)).status_code == 200
            over = await run.anyone.post(path, **kept)
            assert over.status_code == 401, "the operator vouches for the next shift"

    asyncio.run(go())


def test_reports_are_facts(tmp_path: Path) -> None:
    quick: dict[str, Any] = {"store_enter_s": 0, "store_exit_s": 0, "drop_enter_s": 0, "drop_exit_s": 0}

    async def go() -> None:
        async with running(tmp_path, speed=20, **quick) as run:
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order())
            await run.orders.post("/v1/deliveries/o1/ready")
            await run.until(lambda: run.host.board.riders["r1"].route.told)
            stop = run.host.board.riders["r1"].route.told[0].stop_id
            assert (await run.riders.post("/v1/stops/r1.99/arrive")).status_code == 404, "never told"
            first = await run.riders.post(f"/v1/stops/{stop}/arrive", json={"happened_at": "2099-01-01T00:00:00Z"})
            assert first.json() == {"taken": True, "known": True}
            assert run.host.board.riders["r1"].arrived_at <= run.host.clock.now(), "no phone's clock is ahead of ours"
            failed = await run.riders.post(f"/v1/stops/{stop}/fail", json={"reason": "shut"})
            assert failed.status_code == 200
            got = await run.riders.post(f"/v1/stops/{stop}/complete")
            assert got.json()["known"] is True, "they were handed over after all"
            again = await run.riders.post(f"/v1/stops/{stop}/complete")
            assert again.status_code == 200 and again.json()["known"] is False, "about an old stop: kept, not refused"

    asyncio.run(go())


def test_an_offer_over_http_goes_to_one_rider_after_the_other(tmp_path: Path) -> None:
    async def go() -> None:
        rules = {"rules.offer_s": 300, "rules.stale_s": 0, "rules.tariff": "cost order 40; cost hour 1800"}
        async with running(tmp_path, speed=10, engine=rules) as run:
            await with_city(run, riders=2, engagement="crowd")
            await run.orders.post("/v1/deliveries", json=order())
            await run.orders.post("/v1/deliveries/o1/ready")
            first = await run.until(lambda: next(iter(run.host.board.offers.values()), None))
            shown = (await run.riders.get(f"/v1/riders/{first.rider_id}/offers")).json()
            assert shown[0]["offer_id"] == first.offer_id and shown[0]["deliveries"] == ["acme.o1"]
            assert shown[0]["stops"] == 2 and shown[0]["way_m"] > 0 and shown[0]["work_s"] > 0
            assert shown[0]["pay"] == 40 + round(shown[0]["work_s"] / 2), "the whole facts before an answer"
            assert (await run.riders.post(f"/v1/offers/{first.offer_id}/decline")).status_code == 200
            late = await run.riders.post(f"/v1/offers/{first.offer_id}/accept")
            assert late.status_code == 409 and late.json()["code"] == "offer_closed"
            second = await run.until(lambda: next(iter(run.host.board.offers.values()), None))
            assert second.rider_id != first.rider_id, "never offered twice to the same rider"
            key = {"Idempotency-Key": "a"}
            taken = [await run.riders.post(f"/v1/offers/{second.offer_id}/accept", headers=key) for _ in range(2)]
            assert [answer.status_code for answer in taken] == [200, 200], "the same key gives the same answer"
            found = (await run.orders.get("/v1/deliveries/o1")).json()
            assert found["rider"]["rider_id"] == second.rider_id and found["offer_count"] == 2

    asyncio.run(go())


# --- offers: exactly one winner --------------------------------------------------------------------------------------


def _offered() -> tuple[dict[str, Any], PlaceBook, str, str]:
    """A dumped board with an open offer of order o to one of two crowd riders; and its id, and theirs."""
    places = PlaceBook("wgs84")
    # Silence has consequences of its own, tested elsewhere: here only the offer's own clock runs.
    quiet = {"rules.offer_s": 20, "rules.empty_moves": False, "rules.route_ack_timeout_s": 0, "rules.lost_after_s": 0}
    engine = Engine(places, Settings().with_values(quiet))
    store, drop = places.add(48.0, 11.0), places.add(48.01, 11.0)
    engine.handle(StoreListed(at=NOW, store=Store("s", store)))
    for name in ("a", "b"):
        rider = Rider(name, places.add(48.001, 11.0), engagement=Engagement.CROWD)
        engine.handle(RiderListed(at=NOW, rider=rider))
        engine.handle(ShiftPlanned(at=NOW, shift=Shift(name, NOW, NOW + 36_000)))
    engine.handle(OrderPlaced(at=NOW, order=Order("o", "s", drop, NOW, NOW, NOW + 1800)))
    engine.handle(OrderReady(at=NOW, order_id="o", happened_at=NOW))
    made = _settle(engine, NOW)
    return engine.board.dump(), places, made.offer.offer_id, made.offer.rider_id


def _settle(engine: Engine, at: int) -> OfferMade:
    """Wakes the engine and answers its rounds until it makes an offer."""
    from dispatch.rounds.solve import solve_round

    times = StraightTravel(engine.board.places, {"default": 250.0})
    for second in range(at, at + 60):
        events = list(engine.handle(Wake(at=second)))
        if any(isinstance(event, RoundOpened) for event in events):
            events += engine.handle(solve_round(engine.freeze(), times))
        for event in events:
            if isinstance(event, OfferMade):
                return event
    raise AssertionError("no offer was made")


def _race(state: dict[str, Any], places: PlaceBook, moves: list[str], offer_id: str, rider_id: str) -> None:
    """Plays moves on a fresh board: at most one accept is taken, and the order is nobody's or exactly theirs."""
    engine = Engine(places, Settings(), Board.load(places, state))
    now, won = engine.board.now, []
    other = "b" if rider_id == "a" else "a"
    make: dict[str, Any] = {
        "accept": lambda: OfferAccepted(at=now, offer_id=offer_id, rider_id=rider_id),
        "steal": lambda: OfferAccepted(at=now, offer_id=offer_id, rider_id=other),
        "decline": lambda: OfferDeclined(at=now, offer_id=offer_id, rider_id=rider_id),
        "cancel": lambda: OrderCancelled(at=now, order_id="o"),
        "expire": lambda: Wake(at=now),
    }
    ended = ""
    for move in moves:
        now += 25 if move == "expire" else 0
        item: Input = make[move]()
        try:
            engine.handle(item)
        except Refused:
            continue
        if move in ("accept", "steal"):
            won.append(move)
        if move in ("decline", "cancel", "expire") and not won:
            ended = ended or move
    assert won in ([], ["accept"]), (moves, won)
    assert not (won and ended), f"{moves}: won after {ended}"
    owner = engine.board.orders["o"].rider_id
    assert owner in ((rider_id,) if won and "cancel" not in moves else (None,)), (moves, owner)


MOVES = ("accept", "steal", "decline", "cancel", "expire")


def test_every_order_of_up_to_five_inputs_has_one_winner() -> None:
    state, places, offer_id, rider_id = _offered()
    for length in range(1, 6):
        for moves in itertools.product(MOVES, repeat=length):
            _race(state, places, list(moves), offer_id, rider_id)


@pytest.mark.parametrize("races", [300, pytest.param(100_000, marks=pytest.mark.slow)])
def test_random_interleavings_have_one_winner(races: int) -> None:
    state, places, offer_id, rider_id = _offered()
    rng = random.Random(11)
    for _ in range(races):
        _race(state, places, rng.choices(MOVES, k=rng.randint(3, 12)), offer_id, rider_id)
