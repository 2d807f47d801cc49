"""Which places have moved since somebody last looked."""

from __future__ import annotations

import numpy as np

from routing.moved_places import MovedPlaces


def handles(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def test_a_place_has_moved_until_it_is_seen_where_it_is() -> None:
    moved, now = MovedPlaces(2), np.arange(6.0).reshape(3, 2)
    assert moved.since_seen(handles(2, 0, 2), now).tolist() == [0, 2]
    assert moved.since_seen(handles(0), now).tolist() == [0], "asking alone is not seeing"
    moved.see(handles(0, 2), now)
    assert moved.since_seen(handles(0, 1, 2), now).tolist() == [1]
    now[2, 1] += 1e-9
    assert moved.since_seen(handles(0, 2), now).tolist() == [2]


def test_there_is_room_for_places_that_come_later() -> None:
    moved = MovedPlaces(2)
    for size in (1, 2, 5, 40):
        now = np.zeros((size, 2))
        moved.since_seen(handles(size - 1), now)
        moved.see(handles(size - 1), now)
        assert moved.room >= size
    assert moved.since_seen(handles(0, 1, 2, 39), now).tolist() == [2]
