"""A town of a main road and a side road."""

from __future__ import annotations

import pytest

from tests.kit.roads.drawing import Drawn, draw

MAIN_S, SIDE_S = 7.5, 14.4


TOWN = """
    A-B-C
    .   |
    D.E-F
"""


@pytest.fixture
def town() -> Drawn:
    return draw(TOWN)
