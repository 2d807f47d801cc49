"""Small days for the simulator's tests: meal-delivery instances drawn from a seed, and what their journals prove."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from dispatch.events import Event, OrderMoved
from dispatch.inputs import Input
from dispatch.model import OrderState
from dispatch.record.kpi import KpiFold
from sim.replay.replay import replay
from sim.replay.result import Run
from sim.scenario import Scenario
from sim.sources import grubhub

SPEED = 300.0
"""Metres per minute."""

PARAMETERS = (
    "meters_per_minute\tpickup service minutes\tdropoff service minutes\ttarget click-to-door\t"
    f"maximum click-to-door\tpay per order\tguaranteed pay per hour\n{SPEED:g}\t4\t4\t40\t90\t10\t15\n"
)


def write_day(folder: Path, seed: int, *, orders: int = 20, couriers: int = 4, stores: int = 4) -> Path:
    """A random instance of two hours in a town of four by four kilometres; some orders share minute, store or door."""
    draw = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)

    def point() -> str:
        return "\t".join(str(int(value)) for value in draw.integers(0, 4000, 2))

    placed = draw.integers(0, 120, orders)
    placed[1::4] = placed[::4][: len(placed[1::4])]
    lines = {
        "restaurants.txt": ["restaurant\tx\ty", *(f"r{k}\t{point()}" for k in range(stores))],
        "couriers.txt": [
            "courier\tx\ty\ton_time\toff_time",
            *(f"c{k}\t{point()}\t{int(draw.integers(0, 40))}\t{int(draw.integers(60, 150))}" for k in range(couriers)),
        ],
        "orders.txt": [
            "order\tx\ty\tplacement_time\trestaurant\tready_time",
            *(
                f"o{k}\t{point()}\t{minute}\tr{int(draw.integers(0, stores))}\t{minute + int(draw.integers(0, 30))}"
                for k, minute in enumerate(placed.tolist())
            ),
        ],
    }
    (folder / "instance_parameters.txt").write_text(PARAMETERS)
    for name, text in lines.items():
        (folder / name).write_text("\n".join(text) + "\n")
    return folder


def cut_orders(source: Path, target: Path, minute: int) -> Path:
    """A copy of an instance folder without the orders placed at `minute` or later."""
    target.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        text = path.read_text()
        if path.name == "orders.txt":
            header, *lines = text.splitlines()
            kept = [line for line in lines if line and int(line.split("\t")[3]) < minute]
            text = "\n".join([header, *kept]) + "\n"
        (target / path.name).write_text(text)
    return target


def lived(scenario: Scenario, policy: Any, **options: Any) -> tuple[Run, list[tuple[Input, tuple[Event, ...]]]]:
    """A replay, with everything that was said and became true."""
    heard: list[tuple[Input, tuple[Event, ...]]] = []
    run = replay(scenario, policy, on_event=lambda item, events: heard.append((item, events)), **options)
    return run, heard


def journal_of(scenario: Scenario, policy: Any, **options: Any) -> tuple[Run, str]:
    """A replay and its journal as text."""
    stream = io.StringIO()
    return replay(scenario, policy, journal=stream, **options), stream.getvalue()


def ends(heard: list[tuple[Input, tuple[Event, ...]]]) -> dict[str, list[OrderState]]:
    """The final states each order came to, in order."""
    found: dict[str, list[OrderState]] = {}
    for _, events in heard:
        for event in events:
            if isinstance(event, OrderMoved) and event.state.is_final:
                found.setdefault(event.order_id, []).append(event.state)
    return found


def broken_physics(scenario: Scenario, folded: KpiFold) -> list[str]:
    """What no city allows, found in the legs and lives of a day without noise; empty for a sound one."""
    book = scenario.catalogue.places
    times = scenario.catalogue.travel.bind(book)
    wrong = []
    for rider_id, day in folded.riders.items():
        place, free_at = day.rider.place, min(shift.start_at for shift in day.shifts)
        for leg in folded.legs_of(rider_id):
            if leg.origin != place:
                wrong.append(f"{rider_id} leaves {leg.origin} but is at {place}")
            if leg.departed_at < free_at:
                wrong.append(f"{rider_id} leaves at {leg.departed_at}, free at {free_at}")
            handles = [np.array([handle], dtype=np.int32) for handle in (leg.origin, leg.target)]
            table = times.table(*handles, leg.departed_at, round_to_s=scenario.reality.travel_round_s)
            if leg.arrived_at - leg.departed_at != int(table[times.profiles.index(day.rider.profile), 0, 0]):
                wrong.append(
                    f"{rider_id} drives {leg.arrived_at - leg.departed_at} s from {leg.origin} to {leg.target}"
                )
            place, free_at = leg.target, leg.arrived_at
        wrong += _broken_carrying(scenario, folded, rider_id)
    return wrong


def _broken_carrying(scenario: Scenario, folded: KpiFold, rider_id: str) -> list[str]:
    day = folded.riders[rider_id]
    lives = [life for life in folded.orders.values() if life.rider_id == rider_id and life.picked_up_at is not None]
    truth = {one.order.order_id: one.ready_at for one in scenario.demand}
    wrong = []
    for life in lives:
        name = life.order.order_id
        if life.picked_up_at < truth[name]:
            wrong.append(f"{name} picked up before it was ready")
        if not any(shift.start_at <= life.picked_up_at <= shift.last_pickup_at for shift in day.shifts):
            wrong.append(f"{name} picked up outside the shift of {rider_id}")
        together = [
            other
            for other in lives
            if other.picked_up_at <= life.picked_up_at < (other.delivered_at or other.ended_at or 2**62)
        ]
        if sum(other.order.load_units for other in together) > day.rider.capacity_units:
            wrong.append(f"{rider_id} carries too much at {life.picked_up_at}")
    return wrong


def read_day(folder: Path) -> Scenario:
    """The Scenario of an instance folder."""
    return grubhub.read(folder)
