"""Which streets only trips that begin or end there may use: always, or by hours; and what lies behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.roads.source.hours import WEEK_MIN, minutes_of_week, written_hours
from routing.roads.streets import Streets
from routing.roads.turns.draft import TurnDraft, components, copies_of, needed_u_turns, numbered

OPEN, BY_HOURS, ENDS_ONLY = 0, 1, 2
"""Levels of a course: never for ends only, at some hours, at all times."""


@dataclass(slots=True)
class StreetLimits:
    """The level of every course int8[c], and when those by hours are for ends only.

    `hours` int32[c]: twice the index of a condition, one more for unless it holds; -1 for other levels.
    """

    level: NDArray[np.int8]
    hours: NDArray[np.int32]


def tagged_limits(streets: Streets, profile: int, draft: TurnDraft, conditions: list[str]) -> StreetLimits:
    """What the streets' own tags say; conditions join the list."""
    code = draft.code
    level = np.where(streets.ends_only[profile][code & 1, code >> 1], ENDS_ONLY, OPEN).astype(np.int8)
    hours = np.full(len(code), -1, dtype=np.int32)
    rows = streets.timed_ends[streets.timed_ends[:, 0] == profile]
    if len(rows):
        rule = np.full(2 * streets.edges, -1, dtype=np.int32)
        here = np.array([numbered(conditions, streets.conditions[k]) for k in rows[:, 3].tolist()])
        rule[2 * rows[:, 2] + rows[:, 1]] = 2 * here + rows[:, 4]
        hours = rule[code]
        level[hours >= 0] = BY_HOURS
    return StreetLimits(level, hours)


def find_limits(
    streets: Streets, draft: TurnDraft, tagged: StreetLimits, conditions: list[str]
) -> tuple[StreetLimits, NDArray[np.int32]]:
    """(limits, component) of every course: what gates and limited streets part from the rest is limited so too.

    Courses that cannot be left and come back to have component -1; 0 is the longest, others follow by length.
    """
    level = tagged.level
    length = streets.length_cm[draft.code >> 1].astype(np.float64) + 1.0
    whole = _round_trips(draft, level)
    component = _by_length(whole, length)
    always = _outside(draft, level, level == ENDS_ONLY, whole, length)
    timed = always
    if (level == BY_HOURS).any():
        timed = _outside(draft, level, level > OPEN, whole, length) | always
    found = np.where(always, ENDS_ONLY, np.where(timed, BY_HOURS, OPEN)).astype(np.int8)
    for copy, plain in zip(*(each.tolist() for each in copies_of(draft)), strict=True):
        if component[plain] < 0 <= component[copy]:
            component[plain], found[plain] = component[copy], found[copy]
    limits = StreetLimits(found, np.where(found == BY_HOURS, tagged.hours, -1).astype(np.int32))
    _spread_hours(draft, limits, conditions)
    return limits, component


def _outside(
    draft: TurnDraft, level: NDArray[np.int8], shut: NDArray[np.bool_], whole: NDArray[np.int32],
    length: NDArray[np.float64],
) -> NDArray[np.bool_]:  # fmt: skip
    """What is not of the longest piece of its component, where nobody passes what is shut."""
    count = len(draft.code)
    free = ~draft.gated & ~shut[draft.source] & ~shut[draft.target]
    free &= ~draft.u_turn | needed_u_turns(draft, free, level)
    core = components(count, draft.source[free], draft.target[free])
    core_length = np.bincount(core, weights=np.where(shut, 0.0, length))
    longest: dict[int, tuple[float, int]] = {}
    first = np.unique(core, return_index=True)[1]
    for each, course in zip(core[first].tolist(), first.tolist(), strict=True):
        key = int(whole[course])
        if not shut[course]:
            longest[key] = max(longest.get(key, (0.0, -1)), (float(core_length[each]), -each))
    best = np.full(int(whole.max(initial=-1)) + 1, -1)
    for key, (_, each) in longest.items():
        best[key] = -each
    return np.asarray(shut | (core != best[whole]))


def _spread_hours(draft: TurnDraft, limits: StreetLimits, conditions: list[str]) -> None:
    """Give what lies behind streets limited by hours the hours of any of them."""
    by_hours = limits.level == BY_HOURS
    lacking = by_hours & (limits.hours < 0)
    if not lacking.any():
        return
    inner = by_hours[draft.source] & by_hours[draft.target]
    source, target = draft.source[inner], draft.target[inner]
    part = components(len(draft.code), np.concatenate([source, target]), np.concatenate([target, source]))
    for each in np.unique(part[lacking]).tolist():
        mates = part == each
        rules = np.unique(limits.hours[mates & (limits.hours >= 0)]).tolist()
        limits.hours[mates & lacking] = _any_of(rules, conditions)


def _any_of(rules: Sequence[int], conditions: list[str]) -> int:
    """The rule that holds where one of these does."""
    if len(rules) == 1:
        return rules[0]
    held = np.zeros(WEEK_MIN, dtype=np.bool_)
    for rule in rules:
        those = np.zeros(WEEK_MIN, dtype=np.bool_)
        for begin, end in minutes_of_week(conditions[rule >> 1]):
            those[begin:end] = True
        held |= those ^ bool(rule & 1)
    unless = any(rule & 1 for rule in rules)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], held ^ unless, [False]]).astype(np.int8)))
    spans = edges.reshape(-1, 2).tolist()
    return 2 * numbered(conditions, written_hours((begin, end) for begin, end in spans)) + unless


def _round_trips(draft: TurnDraft, level: NDArray[np.int8]) -> NDArray[np.int32]:
    """Component of every course; turns to what cannot be come back from are dropped, and lead nowhere on.

    Turns of codes with copies stay: where nobody arrives but on a copy, trips begin on the code itself.
    """
    count = len(draft.code)
    whole = components(count, draft.source, draft.target)
    begun = np.zeros(count, dtype=np.bool_)
    copies, plain = copies_of(draft)
    begun[plain[np.isin(copies, draft.target)]] = True
    while True:
        draft.pick((whole[draft.source] == whole[draft.target]) | draft.u_turn | begun[draft.source])
        free = ~draft.gated | (level[draft.source] > OPEN) | (level[draft.target] > OPEN)
        turns = ~draft.u_turn | needed_u_turns(draft, free, level)
        finer = components(count, draft.source[turns], draft.target[turns])
        if finer.max(initial=-1) == whole.max(initial=-1):
            return finer
        whole = finer


def _by_length(whole: NDArray[np.int32], length: NDArray[np.float64]) -> NDArray[np.int32]:
    """Components numbered by length, the longest 0; -1 for a course alone."""
    sizes, lengths = np.bincount(whole), np.bincount(whole, weights=length)
    order = np.lexsort((np.arange(len(sizes)), -lengths))
    order = order[sizes[order] > 1]
    number = np.full(len(sizes), -1, dtype=np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    return number[whole]
