"""A day whose last orders are late: what tables and charts of a report are made from."""

from __future__ import annotations

import pytest

from dispatch.record.catalogue import Catalogue, Pay
from dispatch.record.kpi import KpiFold
from tests.kit.world import World, catalogue_of, folded


@pytest.fixture(scope="session")
def day() -> tuple[Catalogue, KpiFold]:
    """Twelve orders, two riders; the last ones cannot be brought in time."""
    world = World(rules__promise_odds=True)
    world.store("s", 300, 0)
    for name in "ab":
        world.rider(name, 0, 0, hours=2)
    for n in range(12):
        world.order(f"o{n:02}", "s", 300 + 300 * n, 200 * n, ready_s=60 * n)
    world.deliver_all()
    catalogue = catalogue_of(world, pay=Pay(per_order=10, guaranteed_per_hour=15))
    return catalogue, folded(world, catalogue)
