"""The collector's callback: what survives a long full collection is walked no more."""

from __future__ import annotations

import gc

import pytest

from api import garbage


@pytest.mark.parametrize("long_s", [0.0, 3600.0])
def test_only_what_survives_a_long_collection_is_put_aside(monkeypatch, long_s):
    monkeypatch.setattr(garbage, "LONG_S", long_s)
    callbacks = list(gc.callbacks)
    try:
        garbage.ShortCollections().watch()
        before = gc.get_freeze_count()
        held = [[k] for k in range(1000)]
        gc.collect(1)
        assert gc.get_freeze_count() == before  # young collections are short, and their survivors not yet old
        gc.collect()
        grown = gc.get_freeze_count() - before
        assert grown >= len(held) if long_s == 0.0 else grown == 0
    finally:
        gc.callbacks[:] = callbacks
        gc.unfreeze()
