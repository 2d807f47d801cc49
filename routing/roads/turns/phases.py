"""Stretches out of courses: limited streets have one for the beginning of a trip and one for its end.

Streets that are for ends only by hours have both, and one for those who pass; what leads from one to another goes by
the hours.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from routing.roads.streets import Streets
from routing.roads.turns.draft import TurnDraft, needed_u_turns
from routing.roads.turns.limits import BY_HOURS, ENDS_ONLY, StreetLimits
from routing.roads.turns.one_sided import one_sided
from routing.roads.turns.turns import END, OPEN, START, Turns

Numbers = NDArray[np.int64]
NEVER = -1


@dataclass(slots=True)
class _Laid:
    """Turns between stretches as they are collected, and the conditions that shut some of them."""

    draft: TurnDraft
    source: list[NDArray[np.int64]] = field(default_factory=list)
    target: list[NDArray[np.int64]] = field(default_factory=list)
    turn: list[NDArray[np.int64]] = field(default_factory=list)
    rules: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=list)
    count: int = 0

    def lay(self, source: Numbers, target: Numbers, chosen: NDArray[np.bool_], *rules: NDArray[np.int32]) -> None:
        """Lay the chosen turns from and to these stretches; `rules`: when each is shut besides, -1 for never."""
        at = np.flatnonzero(chosen & (source >= 0) & (target >= 0))
        self.source.append(source[at])
        self.target.append(target[at])
        self.turn.append(at)
        condition = self.draft.condition
        for rule in (np.where(condition < 0, NEVER, 2 * condition), self.draft.gate_hours, *rules):
            held = np.flatnonzero(rule[at] >= 0)
            self.rules.append((self.count + held, rule[at][held].astype(np.int64)))
        self.count += len(at)

    def conditional(self) -> NDArray[np.int32]:
        """Rows of `Turns.conditional`."""
        turn = np.concatenate([each for each, _ in self.rules])
        rule = np.concatenate([each for _, each in self.rules])
        order = np.lexsort((rule, turn))
        return np.stack([turn, rule >> 1, rule & 1], axis=1)[order].astype(np.int32)


def phase_turns(
    streets: Streets, draft: TurnDraft, every: TurnDraft, limits: StreetLimits, component: NDArray[np.int32],
    conditions: list[str],
) -> Turns:  # fmt: skip
    """The stretches: limited courses twice or three times, and an end of its own for every code with several courses.

    `every`: all turns but U-turns, those too that lead to what cannot be come back from.
    """
    kept, limited = component >= 0, limits.level
    turn = kept[draft.source] & (component[draft.source] == component[draft.target])
    turn &= ~draft.gated | (limited[draft.source] > 0) | (limited[draft.target] > 0)
    turn &= ~draft.u_turn | needed_u_turns(draft, turn, limited)
    draft.pick(turn)
    enter, leave = one_sided(draft.code >> 1, every.source, every.target, component)
    main, s, t = component == 0, every.source, every.target
    draft.add(every, (enter[t] & (main | enter)[s]) | (leave[s] & (main | leave)[t]))
    shut, vary = (limited == ENDS_ONLY) | enter | leave, (limited == BY_HOURS) & kept & ~enter & ~leave
    count = len(draft.code)
    first = np.full(count, -1, dtype=np.int64)
    single = np.flatnonzero(kept | leave)
    first[single] = np.arange(len(single))
    second = np.where(leave, -1, first)
    twice = np.flatnonzero((kept & shut) | enter)
    second[twice] = len(single) + np.arange(len(twice))
    total = len(single) + len(twice)
    codes, many = np.unique(draft.code[kept | enter], return_counts=True)
    shared = codes[many > 1]
    last_of = np.full(2 * streets.edges, -1, dtype=np.int64)
    last_of[shared] = total + np.arange(len(shared))
    total += len(shared)
    varied = np.flatnonzero(vary)
    begin, end = np.full(count, -1, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    begin[varied] = total + np.arange(len(varied))
    end[varied] = total + len(varied) + np.arange(len(varied))
    many_codes = [draft.code[single], draft.code[twice], shared, draft.code[varied], draft.code[varied]]
    phases = [np.where(shut[single], START, OPEN)] + [
        np.full(len(each), phase) for each, phase in zip(many_codes[1:], (END, END, START, END), strict=True)
    ]
    laid = _Laid(draft)
    _lay_always(laid, first, second, last_of, shut, limits)
    if len(varied):
        _lay_by_hours(laid, (first, second), (begin, end), last_of, shut, limits)
    whole_first, whole_second = np.where(vary, begin, first), np.where(vary, end, second)
    begins, ends, island = _where(
        streets, draft, whole_first, whole_second, last_of, np.where(enter | leave, 0, component)
    )
    return Turns(
        np.concatenate(many_codes).astype(np.int32), np.concatenate(phases).astype(np.int8),
        np.concatenate(laid.source).astype(np.int32), np.concatenate(laid.target).astype(np.int32),
        draft.ms[np.concatenate(laid.turn)], begins, ends, island, laid.conditional(), tuple(conditions),
    )  # fmt: skip


def _lay_always(
    laid: _Laid, first: Numbers, second: Numbers, last_of: Numbers, shut: NDArray[np.bool_], limits: StreetLimits
) -> None:
    """Turns between streets that are limited always or never; those by hours are passed while they are not."""
    draft = laid.draft
    s, t = draft.source, draft.target
    passed = ~draft.gated | shut[s] | shut[t]
    # Nobody enters what is for ends only at the hour in order to pass.
    ends_now = limits.hours[t]
    between = shut[s] & shut[t]
    laid.lay(
        np.where(shut[s], first[s], second[s]), np.where(shut[t], second[t], first[t]),
        passed & ~(shut[s] & ~shut[t]), ends_now,
    )  # fmt: skip
    laid.lay(first[s], first[t], passed & shut[s], ends_now)
    laid.lay(second[s], second[t], passed & between)
    final = last_of[draft.code[t]]
    laid.lay(first[s], final, passed)
    laid.lay(second[s], final, passed & between)


def _lay_by_hours(
    laid: _Laid, both: tuple[Numbers, Numbers], own: tuple[Numbers, Numbers], last_of: Numbers,
    shut: NDArray[np.bool_], limits: StreetLimits,
) -> None:  # fmt: skip
    """Turns from and to streets that are for ends only at some hours, on trips that begin or end there.

    `both`: first and second stretches of all streets; `own`: those for the beginning and the end, of these alone.
    """
    (first, second), (begin, end) = both, own
    s, t = laid.draft.source, laid.draft.target
    from_, to = begin[s] >= 0, end[t] >= 0
    ends_now = limits.hours[t]
    # Twice a condition, one more for unless: the other of the two holds where this does not.
    s_open = np.where(limits.hours[s] < 0, NEVER, limits.hours[s] ^ 1).astype(np.int32)
    t_open = np.where(limits.hours[t] < 0, NEVER, limits.hours[t] ^ 1).astype(np.int32)
    final = last_of[laid.draft.code[t]]
    gated = laid.draft.gated
    laid.lay(first[s], end[t], to & (shut[s] | ~gated))
    laid.lay(first[s], end[t], to & ~shut[s] & ~from_ & gated, t_open)
    laid.lay(first[s], begin[t], to & shut[s])
    laid.lay(second[s], end[t], to & shut[s], t_open)
    laid.lay(second[s], final, to & shut[s], t_open)
    laid.lay(begin[s], first[t], from_ & ~shut[t] & ~gated, ends_now)
    laid.lay(begin[s], first[t], from_ & ~shut[t] & gated, ends_now, s_open)
    laid.lay(begin[s], second[t], from_ & shut[t])
    laid.lay(begin[s], first[t], from_ & shut[t], s_open)
    laid.lay(begin[s], end[t], from_ & to & ~gated)
    laid.lay(begin[s], end[t], from_ & to & gated, s_open)
    laid.lay(begin[s], begin[t], from_ & to, s_open)
    laid.lay(begin[s], final, from_ & (shut[t] | ~gated))
    laid.lay(begin[s], final, from_ & ~shut[t] & gated, s_open)
    laid.lay(end[s], second[t], from_ & shut[t])
    laid.lay(end[s], end[t], from_ & to, t_open)
    laid.lay(end[s], final, from_ & shut[t])
    laid.lay(end[s], final, from_ & to, t_open)


def _where(
    streets: Streets, draft: TurnDraft, first: NDArray[np.int64], second: NDArray[np.int64], last_of: NDArray[np.int64],
    component: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:  # fmt: skip
    """Where trips begin and end on every edge and direction, and the part of the network that each edge belongs to."""
    e = streets.edges
    begins, ends = np.full(2 * e, -1, dtype=np.int32), np.full(2 * e, -1, dtype=np.int32)
    # Courses that remember come after the plain ones, so that going backwards the plain ones stay.
    backwards = np.flatnonzero((first >= 0) | (second >= 0))[::-1]
    begins[draft.code[backwards]] = first[backwards]
    ends[draft.code[backwards]] = second[backwards]
    own = last_of >= 0
    ends[own] = last_of[own]
    island = np.full(e, np.iinfo(np.int32).max, dtype=np.int32)
    kept = component >= 0
    np.minimum.at(island, draft.code[kept] >> 1, component[kept])
    island[island == np.iinfo(np.int32).max] = -1
    return begins.reshape(e, 2).T.copy(), ends.reshape(e, 2).T.copy(), island
