"""A travel service asked: each form against a stand-in for its documentation, and what goes wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import numpy as np
import pytest

from api.matrix.breaker import Breaker, Purse
from api.matrix.client import Lot, MatrixClient, lots_of
from api.matrix.errors import KINDS, MatrixFailed
from dispatch.record.travel_spec import HttpSpec
from routing.answers import NO_ANSWER, NO_WAY, UNKNOWN
from routing.cells import cell_of, centre_of
from routing.errors import InvalidInput
from tests.kit.service.travel_service import TravelService, metres, seconds, travel_service

SPEEDS = {"bike": 250.0, "car": 500.0}


def spec_of(service: TravelService, form: str = "osrm", **more: Any) -> HttpSpec:
    url = f"{service.url}/matrix" if form == "matrix" else service.url
    names = {"bike": "bicycle", "car": "auto"}
    return HttpSpec(url, names, SPEEDS, form=form, **more)


def cells_at(*points: tuple[float, float]) -> np.ndarray:
    return np.array([cell_of(lat, lng, 11) for lat, lng in points], dtype=np.uint64)


NEAR = cells_at((48.10, 11.50), (48.11, 11.52), (48.12, 11.51), (48.13, 11.55), (48.14, 11.53))
FAR = cells_at((49.10, 11.50))
AT_SEA = cells_at((46.10, 11.50))


def asked(spec: HttpSpec, lot: Lot, ends: Counter[str] | None = None) -> Any:
    async def go() -> Any:
        def heard(end: str, ways: int) -> None:
            if ends is not None:
                ends[end] += ways

        client = MatrixClient(spec, clock=lambda: 0.0, wall=lambda: 1_700_000_000.5, heard=heard)
        try:
            return await client.ask(lot)
        finally:
            await client.close()

    return asyncio.run(go())


def expected(lot: Lot) -> tuple[np.ndarray, np.ndarray]:
    """Tenths and metres of every way by the stand-in's own reckoning, one at a time."""
    tenths, ways = (np.zeros((len(lot.origins), len(lot.destinations)), dtype=np.int32) for _ in range(2))
    for i, here in enumerate(lot.origins.tolist()):
        for j, there in enumerate(lot.destinations.tolist()):
            a, b = ((round(lat, 6), round(lng, 6)) for lat, lng in (centre_of(here), centre_of(there)))
            found = seconds(a, b)
            tenths[i, j] = NO_WAY if found is None else round(found * 10)
            ways[i, j] = UNKNOWN if found is None else round(metres(a, b))
    return tenths, ways


@pytest.mark.parametrize(
    ("form", "more"),
    [("osrm", {}), ("valhalla", {}), ("valhalla", {"concise": True}), ("valhalla", {"miles": True}), ("matrix", {})],
)
def test_each_form_says_what_the_service_knows(form: str, more: dict[str, Any]) -> None:
    lot = Lot(np.concatenate([NEAR, FAR]), NEAR[1:4])
    with travel_service(**more) as service:
        block = asked(spec_of(service, form), lot)
    tenths, ways = expected(lot)
    assert (tenths == NO_WAY).any() and (tenths > 0).any()
    assert np.abs(block.tenths - tenths).max() <= 1 and ((block.tenths == NO_WAY) == (tenths == NO_WAY)).all()
    if form == "matrix":
        assert (block.metres == UNKNOWN).all()
    else:
        assert np.abs(block.metres - ways).max() <= 1
    assert service.asked == ["bicycle", "auto"] and block.at == 1_700_000_000


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ("slow", "slow"), ("html", "malformed"), ("cut", "gone"), ("short", "shape"), ("text", "malformed"),
        ("negative", "malformed"), ("429", "limited"), ("500", "gone"), ("401", "refused"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["osrm", "matrix"])
def test_what_a_service_does_wrong_has_a_name_and_is_counted(behaviour: str, why: str, form: str) -> None:
    ends: Counter[str] = Counter()
    with travel_service(behaviour=behaviour) as service, pytest.raises(MatrixFailed) as problem:
        asked(spec_of(service, form, timeout_s=0.3), Lot(NEAR, NEAR), ends)
    assert problem.value.why == why and why in KINDS and problem.value.code == "travel_service_failed"
    assert problem.value.retry_after_s == (7 if why == "limited" else 0)
    assert ends == {why: 25}


def test_nobody_at_the_address_is_gone() -> None:
    with travel_service() as service:
        pass
    with pytest.raises(MatrixFailed) as problem:
        asked(spec_of(service), Lot(NEAR, NEAR))
    assert problem.value.why == "gone"


@pytest.mark.parametrize("form", ["osrm", "valhalla"])
def test_a_place_without_streets_spoils_its_own_ways_alone(form: str) -> None:
    lot = Lot(np.concatenate([NEAR, AT_SEA]), NEAR)
    with travel_service() as service:
        block = asked(spec_of(service, form), lot)
    tenths, _ = expected(Lot(NEAR, NEAR))
    assert np.abs(block.tenths[:, :5] - tenths).max() <= 1
    assert (block.tenths[:, 5] == NO_ANSWER).all()


@pytest.mark.parametrize("form", ["osrm", "valhalla", "matrix"])
def test_a_service_that_takes_fewer_places_is_asked_in_parts(form: str) -> None:
    with travel_service(most_places=4, most_pairs=4) as service:
        block = asked(spec_of(service, form), Lot(NEAR, NEAR))
    assert np.abs(block.tenths - expected(Lot(NEAR, NEAR))[0]).max() <= 1


def test_a_service_without_distances_is_asked_for_times_alone() -> None:
    with travel_service(no_distances=True) as service:
        block = asked(spec_of(service), Lot(NEAR, NEAR))
        assert service.requests == 3  # once in vain, then once for each profile
    assert (block.metres == UNKNOWN).all() and np.abs(block.tenths - expected(Lot(NEAR, NEAR))[0]).max() <= 1


@pytest.mark.parametrize("key_in", ["Authorization", "?api_key"])
def test_a_key_comes_from_the_environment(key_in: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = "Bearer k-123" if key_in == "Authorization" else "k-123"
    with travel_service(key=wanted) as service:
        spec = spec_of(service, key_variable="MATRIX_KEY", key_in=key_in)
        monkeypatch.delenv("MATRIX_KEY", raising=False)
        with pytest.raises(InvalidInput) as problem:
            asked(spec, Lot(NEAR, NEAR))
        assert problem.value.code == "no_key"
        monkeypatch.setenv("MATRIX_KEY", "k-123")
        assert (asked(spec, Lot(NEAR, NEAR)).tenths >= 0).all()
        with pytest.raises(MatrixFailed):
            asked(spec_of(service), Lot(NEAR, NEAR))


@pytest.mark.parametrize("seed", range(30))
def test_questions_ask_for_exactly_what_is_missing(seed: int) -> None:
    draw = np.random.default_rng(seed)
    n, m, most = int(draw.integers(1, 30)), int(draw.integers(1, 30)), int(draw.integers(2, 20))
    missing = draw.uniform(size=(n, m)) < 0.2
    if seed % 2:  # as it mostly is: some new columns, some new rows
        missing = np.zeros((n, m), dtype=bool)
        missing[draw.integers(n)] = True
        missing[:, draw.integers(m)] = True
    rows, columns = np.arange(n, dtype=np.uint64), np.arange(100, 100 + m, dtype=np.uint64)
    found = np.zeros((n, m), dtype=int)
    for lot in lots_of(rows, columns, missing, most):
        assert len(lot.origins) + len(lot.destinations) <= most
        for here in lot.origins.tolist():
            for there in lot.destinations.tolist():
                found[here, there - 100] += 1
    assert (found == missing).all()


def test_a_breaker_pauses_longer_and_longer_and_believes_retry_after() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(2):
        breaker.failed()
    assert not breaker.is_open
    breaker.failed()
    assert breaker.is_open
    now[0] = 5.0
    assert not breaker.is_open
    breaker.failed()
    now[0] = 14.9
    assert breaker.is_open
    now[0] = 15.0
    assert not breaker.is_open
    breaker.succeeded()
    breaker.failed(retry_after_s=60)
    now[0] = 74.9
    assert breaker.is_open
    now[0] = 75.0
    assert not breaker.is_open


def test_a_purse_holds_what_may_be_asked_in_a_minute() -> None:
    now = [0.0]
    purse = Purse(600, lambda: now[0])
    assert purse.take(500) and not purse.take(200)
    now[0] = 10.0
    assert purse.take(200) and not purse.take(1)
    now[0] = 1000.0
    assert purse.take(10_000)  # more than a minute's, owed
    now[0] = 1060.0
    assert not purse.take(1)
