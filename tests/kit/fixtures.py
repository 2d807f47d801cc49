"""A small synthetic day and two replays of it, made once; and the command line as a user types it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

import pytest

from halfhour.commands import main
from halfhour.replaying import opened, replay
from halfhour.synthetic import write_synthetic
from sim.invent.lunch_peak import DaySize
from sim.scenario import Reality, Scenario

SMALL = DaySize(stores=8, riders=14, orders=60, hours=0.5)


class Typed(NamedTuple):
    """What a command left: exit status, standard output, standard error."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def small_day(tmp_path_factory) -> Path:
    """A scenario folder with 60 orders."""
    folder = tmp_path_factory.mktemp("product") / "small"
    write_synthetic(folder, 5, SMALL, name="small day")
    return folder


@pytest.fixture(scope="session")
def certain_day(small_day) -> Scenario:
    """The same day as the engine expects it: nothing is late, nothing takes longer."""
    day, _ = opened(small_day)
    demand = tuple(dataclasses.replace(one, ready_at=one.order.expected_ready_at) for one in day.demand)
    return dataclasses.replace(day, demand=demand, reality=Reality())


@pytest.fixture(scope="session")
def nearest_run(small_day) -> Path:
    """A run folder of the nearest-rider baseline."""
    out = small_day.parent / "nearest"
    replay(small_day, policy="nearest", out=out)
    return out


@pytest.fixture(scope="session")
def our_run(small_day) -> Path:
    """A run folder of our own policy."""
    out = small_day.parent / "ours"
    replay(small_day, out=out)
    return out


@pytest.fixture
def halfhour(capsys):
    """Run `halfhour WORDS...` in this process."""

    def typed(*words: object) -> Typed:
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        return Typed(int(left.value.code or 0), captured.out, captured.err)

    return typed
