"""How much sooner a detour can be than the straight way: tables of legs are not bound to be sensible."""

from __future__ import annotations

import numpy as np

from routing.plans.general.kernels import columns as col
from routing.plans.general.tables import Kind
from routing.problem.problem import I32, I64, INFINITE, Problem, Travel

LOOKED_AT = 30_000_000
"""Legs that are compared with a detour at most; of larger tables an even sample of the places between is looked at."""


def sooner_by_detour(problem: Problem, travel: Travel, node: I32, kind: I64) -> int:
    """Ticks by which a node of a pair can make what follows it sooner; INFINITE where windows may multiply them."""
    pair = np.repeat(kind == Kind.PAIR, 2)
    if not pair.any():
        return 0
    between, at = np.unique(node[pair, col.PLACE], return_inverse=True)
    stay = np.full(len(between), INFINITE, dtype=np.int64)
    np.minimum.at(stay, at.reshape(-1), (node[pair, col.ENTER] + node[pair, col.STAY]).astype(np.int64))
    gain = 0 if travel.ticks.size == 0 else max(_most_saved(ticks, between, stay) for ticks in travel.ticks)
    gain += _setup_saved(travel)
    jumps = problem.window.shape[2] > 1 or len(problem.breaks.service) > 0
    return INFINITE if gain and jumps else gain


def _most_saved(ticks: I32, between: I64, stay: I64) -> int:
    """The most that a way over one of the places between, stay included, is shorter than the straight one."""
    legs, own = np.where(ticks < INFINITE, ticks, 0), np.arange(ticks.shape[1])
    legs[own, own] = 0
    step = -(-len(between) * legs.size // LOOKED_AT)
    most = 0
    for place, spent in zip(between[::step].tolist(), stay[::step].tolist(), strict=True):
        to, onward = ticks[:, place, None].copy(), ticks[place, None, :].copy()
        to[place], onward[:, place] = 0, 0
        most = max(most, int((legs - to - onward).max()) - spent)
    return most


def _setup_saved(travel: Travel) -> int:
    """The longest setup that a stop before it at the same place spares."""
    if not travel.drive.size:
        return 0
    setup = np.where(travel.ticks < INFINITE, travel.ticks - travel.drive, 0)
    longest = setup.max(axis=(0, 1), initial=0)
    origin = np.arange(setup.shape[1])[:, None] == np.arange(setup.shape[2])
    spared = ((setup < longest) & (travel.ticks < INFINITE) & ~origin).any(axis=(0, 1))
    return int(longest[spared].max(initial=0))
