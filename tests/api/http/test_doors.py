"""The index of doors against every pair of orders; what a name costs where one address has thousands."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.http import addresses
from api.http.addresses import MOST_NEIGHBOURS, Doors
from api.http.schemas.deliveries import Dropoff
from routing.places import PlaceBook

SECRET = b"s" * 32
METRE = 1 / 111_195.08


class City:
    """A board of orders that lead to points, and the index beside it."""

    def __init__(self) -> None:
        self.board: Any = SimpleNamespace(open_orders={}, places=PlaceBook("wgs84"))
        self.doors = Doors()

    def name(self, order_id: str, lat: float, lng: float, **said: str) -> str:
        drop = Dropoff.model_validate({"location": {"lat": lat, "lng": lng}, **said})
        return self.doors.name(self.board, SECRET, "acme", order_id, drop)

    def place(self, order_id: str, lat: float, lng: float, **said: str) -> str:
        """Has an order lead there, new or as a change."""
        door = self.name(order_id, lat, lng, **said)
        place = self.board.places.add(lat, lng)
        self.board.open_orders[order_id] = SimpleNamespace(order=SimpleNamespace(door=door, door_place=place))
        self.doors.note(self.board, order_id, door, place)
        return door

    def points(self) -> dict[str, list[tuple[float, float]]]:
        """Points of open orders by their door."""
        found: dict[str, list[tuple[float, float]]] = {}
        for record in self.board.open_orders.values():
            at = self.board.places.latlng(record.order.door_place)
            found.setdefault(record.order.door, []).append((at.lat, at.lng))
        return found


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lat=st.sampled_from([0.0, 48.0, -71.0]), lng=st.sampled_from([11.0, 180.0]))
def test_a_door_is_one_whose_points_are_all_close_and_none_is_missed(seed: int, lat: float, lng: float) -> None:
    rng, city = random.Random(seed), City()
    for k in range(60):
        order_id = f"o{rng.randrange(25)}"
        if rng.random() < 0.2:
            city.board.open_orders.pop(order_id, None)
            continue
        by_id = rng.random() < 0.5
        said, most_m = ({"address_id": "a"}, 100.0) if by_id else ({"address": "Canary Street 7"}, 10.0)
        north, east = (rng.choice([0, 1, rng.uniform(-1, 1)]) * most_m for _ in range(2))
        point = addresses.Location(lat=lat + north * METRE, lng=(lng + east * METRE + 180) % 360 - 180)
        other = {door: points for door, points in city.points().items() if _kind(city, door) == by_id}
        own = city.board.open_orders.pop(order_id, None)
        other = {door: city.points().get(door, []) for door in other}
        fits = {
            d for d, points in other.items() if points and all(addresses._metres(p, point) <= most_m for p in points)
        }
        if own is not None:
            city.board.open_orders[order_id] = own
        door = city.place(order_id, point.lat, point.lng, **said)
        assert (door in fits) if fits else not other.get(door), k


def _kind(city: City, door: str) -> bool:
    """Whether a door was named by an id."""
    return door.startswith(city.name("?", 89.0, 0.0, address_id="a").partition("~")[0])


@pytest.mark.parametrize("metres", [0.0, 9.0, 3_000.0])
def test_a_name_costs_the_same_however_many_orders_an_address_has(
    monkeypatch: pytest.MonkeyPatch, metres: float
) -> None:
    """Thousands of orders to one text, at one point or at as many: a flood of one tenant stops nobody."""
    looks = {"near": 0, "orders": 0}
    metres_of, leads = addresses._metres, addresses._leads

    def counted(name: str, inner: Any) -> Any:
        def call(*arguments: Any) -> Any:
            looks[name] += 1
            return inner(*arguments)

        return call

    monkeypatch.setattr(addresses, "_metres", counted("near", metres_of))
    monkeypatch.setattr(addresses, "_leads", counted("orders", leads))
    rng, city, most = random.Random(1), City(), 0
    for k in range(3000):
        before = sum(looks.values())
        city.place(f"o{k}", 48 + rng.random() * metres * METRE, 11.0, address="Canary Street 7")
        most = max(most, sum(looks.values()) - before)
    assert most <= 2 * MOST_NEIGHBOURS + 2
    assert len(city.points()) == (1 if metres == 0 else len(city.points()))


def test_names_of_ended_doors_do_not_come_back_while_another_has_them() -> None:
    city = City()
    first, second = city.place("o1", 48.0, 11.0, address="A"), city.place("o2", 48.1, 11.0, address="A")
    del city.board.open_orders["o1"]
    third = city.place("o3", 48.2, 11.0, address="A")
    assert len({first, second, third}) == 3
