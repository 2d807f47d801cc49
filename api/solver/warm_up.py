"""A round of one order, so that everything a round needs is imported and compiled before the first real one.

As a program it compiles what rounds of one store need, beside a process that compiles the rest (`compile_beside`).
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

from api.common.parent_process import die_with_parent, environment_of_child
from dispatch.engine.engine import Engine
from dispatch.events import RoundOpened
from dispatch.inputs import OrderPlaced, RiderListed, ShiftPlanned, StoreListed, Wake
from dispatch.model import Order, Rider, Shift, Store
from dispatch.settings.mix import ANY, SAME_STORE
from dispatch.settings.settings import Settings
from routing.places import PlaceBook
from routing.travel import StraightTravel

if TYPE_CHECKING:
    from dispatch.record.travel_spec import TravelSpec
    from dispatch.rounds.solve import Recipe

_AT = 1_700_000_000
_BESIDE = (sys.executable, "-m", "api.solver.warm_up")


def get_ready() -> None:
    """Imports what rounds need: the longer part of a warm start."""
    import dispatch.rounds.solve  # noqa: F401
    import routing.plans.plan  # noqa: F401


def warm_up_travel(spec: TravelSpec) -> None:
    """Compiles the kernels of the roads where travel is on them."""
    from dispatch.record.travel_spec import RoadsSpec

    if isinstance(spec, RoadsSpec):
        from routing.roads.city.warm import warm_up_roads

        warm_up_roads()


def warm_up_rounds(recipe: Recipe | None = None) -> None:
    """Solves a round of each planner, as `recipe` (None: as configured by default)."""
    for mix in (ANY, SAME_STORE):
        solve_one(Settings().with_values({"rules.mix": mix}), recipe)


def compile_beside() -> subprocess.Popen[bytes]:
    """Starts a process that compiles what `warm_up_rounds` comes to last, which then finds it in the cache.

    It ends by itself; where it fails, `warm_up_rounds` compiles all.
    """
    return subprocess.Popen(_BESIDE, stdin=subprocess.DEVNULL, env=environment_of_child())


async def compiled(starting: asyncio.Task[None]) -> None:
    """Where nothing is compiled yet, waits for `starting`, whose process does it; another one takes a part of it."""
    from routing.kernels import is_compiled

    if not is_compiled():
        beside = await asyncio.to_thread(compile_beside)
        await starting
        await asyncio.to_thread(beside.wait)


def solve_one(settings: Settings, recipe: Recipe | None) -> None:
    """Solves a round with two stores, two riders and three orders."""
    from dispatch.rounds.solve import solve_round

    places = PlaceBook("wgs84")
    engine = Engine(places, settings)
    for k in range(2):
        store, rider = places.add(48.0 + k * 0.01, 11.0), places.add(48.005, 11.0 + k * 0.01)
        engine.handle(StoreListed(at=_AT, store=Store(f"s{k}", store)))
        engine.handle(RiderListed(at=_AT, rider=Rider(f"r{k}", rider)))
        engine.handle(ShiftPlanned(at=_AT, shift=Shift(f"r{k}", _AT, _AT + 7200)))
    for k in range(3):
        drop = places.add(48.02, 11.0 + k * 0.01)
        order = Order(f"o{k}", f"s{k % 2}", drop, _AT, _AT + 600 * k, _AT + 1800)
        engine.handle(OrderPlaced(at=_AT, order=order))
    for second in range(3):
        events = engine.handle(Wake(at=_AT + second))
        if any(isinstance(event, RoundOpened) for event in events):
            solve_round(engine.freeze(), StraightTravel(places, {"default": 250.0}), recipe=recipe)
            return


if __name__ == "__main__":
    die_with_parent()
    solve_one(Settings().with_values({"rules.mix": SAME_STORE}), None)
