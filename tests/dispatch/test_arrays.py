"""A round's arrays: what the operating rules make of what was told."""

from __future__ import annotations

import numpy as np

from dispatch.arrays import open_behind_the_first
from dispatch.config import Settings
from dispatch.model import Level
from routing.plans.build import make_rows


def test_places_told_behind_the_first_are_open_where_stores_may_be_mixed() -> None:
    # Two routes: three told stops (the first under way), and one tentative stop; an empty route between them.
    rows = make_rows([[(0, [(0, 1)]), (1, []), (2, [(1, 0)])], [], [(3, [(2, 0)])]])
    level = np.array([Level.UNDERWAY, Level.TOLD, Level.TOLD, Level.TENTATIVE], dtype=np.int8)
    mixed = Settings().with_values({"rules.batch_scope": "any"})

    def levels(settings: Settings) -> list[int]:
        return open_behind_the_first(rows, level, settings.rules).tolist()

    assert levels(mixed) == [Level.UNDERWAY, 0, 0, 0]
    for kept in (Settings(), mixed.with_values({"rules.grow_until": "told"})):
        assert levels(kept) == level.tolist()
