"""The collector's callback: what survives a long full collection is walked no more."""

from __future__ import annotations

import gc

import pytest

from api.live.upkeep import gc_pauses


def is_walked(held: object) -> bool:
    """Whether the collector still looks at it: what is put aside is in none of its generations."""
    return any(known is held for known in gc.get_objects())


@pytest.fixture
def collector():
    """It collects when asked to, and afterwards as it did before."""
    callbacks, was_enabled = list(gc.callbacks), gc.isenabled()
    gc.disable()
    yield
    gc.callbacks[:] = callbacks
    gc.unfreeze()
    if was_enabled:
        gc.enable()


@pytest.mark.parametrize("long_s", [0.0, 3600.0])
def test_only_what_survives_a_long_collection_is_put_aside(monkeypatch, collector, long_s):
    monkeypatch.setattr(gc_pauses, "LONG_S", long_s)
    there = [[0]]
    gc_pauses.ShortCollections().watch()
    assert not is_walked(there)
    held = [[1]]
    gc.collect(1)
    assert is_walked(held), "young collections are short, and their survivors not yet old"
    gc.collect()
    assert is_walked(held) == (long_s > 0.0)
