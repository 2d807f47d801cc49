"""The turn-aware graph of one profile: its nodes are *stretches*, edges in one direction and at one phase of a trip.

A stretch stands for the moment at its beginning, the turn into it done.  Streets that only trips that begin or end
there may use have two: one for the beginning of a trip, one for its end, and nothing leads from other streets into the
first nor from the second back to other streets; so they are never a shortcut.  Streets that one can enter and not
leave have the second alone, those that one can leave and not enter the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from routing.roads.bearings import end_bearings
from routing.roads.kernels.components import strong_components
from routing.roads.source.access import Access
from routing.roads.source.junctions import Junctions
from routing.roads.streets import SHUT, Streets
from routing.roads.turns.courses import Courses
from routing.roads.turns.one_sided import one_sided

START, OPEN, END = 0, 1, 2
"""Phases: a street for ends only at the beginning of a trip, any other street, one for ends only at a trip's end."""


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """Stretches and the turns between them.

    `code` int32[s]: 2 * edge + direction; `phase` int8[s]; `source`, `target` int32[t] stretches; `ms` int32[t]: what
    the turn itself takes; `begins`, `ends` int32[2, e]: the stretch that a trip beginning (ending) on an edge in a
    direction is on, -1 where shut; `island` int32[e]: 0 for the main network (and what one can only enter from it, or
    leave to it), k for the k-th part beside it, -1 where shut; `conditional` int32[k, 2]: turns shut while a condition
    of `conditions` holds.
    """

    code: NDArray[np.int32]
    phase: NDArray[np.int8]
    source: NDArray[np.int32]
    target: NDArray[np.int32]
    ms: NDArray[np.int32]
    begins: NDArray[np.int32]
    ends: NDArray[np.int32]
    island: NDArray[np.int32]
    conditional: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int32))
    conditions: tuple[str, ...] = ()

    @property
    def nodes(self) -> int:
        """Number of stretches."""
        return len(self.code)

    @property
    def one_sided(self) -> NDArray[np.bool_]:
        """Edges that one can enter and not leave, or leave and not enter, bool[e]."""
        return np.asarray((self.begins >= 0).any(axis=0) != (self.ends >= 0).any(axis=0))

    def has_shape_of(self, other: Turns) -> bool:
        """Whether both have the same stretches and turns, whatever these take."""
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in ("code", "source", "target"))

    def of_edges(self, number: NDArray[np.int64]) -> Turns:
        """The same turns among edges renumbered in order: `number[old]` is the new index, -1 for none."""
        old = np.flatnonzero(number >= 0)
        code = (2 * number[self.code >> 1] + (self.code & 1)).astype(np.int32)
        return replace(self, code=code, begins=self.begins[:, old], ends=self.ends[:, old], island=self.island[old])


@dataclass(slots=True)
class _Draft:
    """Courses (codes, and copies of some that remember where they were entered from) and the turns between them."""

    code: NDArray[np.int32]
    source: NDArray[np.int32]
    target: NDArray[np.int32]
    ms: NDArray[np.int32]
    u_turn: NDArray[np.bool_]
    gated: NDArray[np.bool_]
    condition: NDArray[np.int32]
    at_times: NDArray[np.bool_]
    """Courses that are open at some times only."""

    def pick(self, chosen: NDArray[np.bool_]) -> None:
        """Keep the chosen turns."""
        for name in ("source", "target", "ms", "u_turn", "gated", "condition"):
            setattr(self, name, getattr(self, name)[chosen])

    def add(self, other: _Draft, chosen: NDArray[np.bool_]) -> None:
        """Take the chosen turns of another draft of the same courses in."""
        for name in ("source", "target", "ms", "u_turn", "gated", "condition"):
            setattr(self, name, np.concatenate([getattr(self, name), getattr(other, name)[chosen]]))


def build_turns(streets: Streets, profile: int, junctions: Junctions) -> Turns:
    """The turn-aware graph of a profile.

    U-turns are for ends of streets: where nothing else leads on.  Whatever lies behind a gate for ends only is for
    ends only too.  What cannot be left and come back to is shut.
    """
    open_ = streets.drive_ms[profile] != SHUT
    draft, conditions = _draft(streets, profile, open_, junctions)
    ends_only = streets.ends_only[profile][draft.code & 1, draft.code >> 1]
    every = replace(draft)
    every.pick(~every.u_turn)
    ends_only, component = _behind(streets, draft, ends_only)
    return _phased(streets, draft, every, ends_only, component, conditions)


def _draft(
    streets: Streets, profile: int, open_: NDArray[np.bool_], junctions: Junctions
) -> tuple[_Draft, tuple[str, ...]]:
    """Every turn that gates and restrictions leave, U-turns included."""
    timed = streets.timed[streets.timed[:, 0] == profile]
    at_times, always = np.zeros(2 * streets.edges, dtype=np.bool_), open_.copy()
    at_times[2 * timed[:, 2] + timed[:, 1]] = True
    always[timed[timed[:, 4] == 1, 1], timed[timed[:, 4] == 1, 2]] = False
    tail = np.stack([streets.tail, streets.head], axis=1).ravel()
    head = np.stack([streets.head, streets.tail], axis=1).ravel()
    codes = np.flatnonzero(open_.T.ravel()).astype(np.int32)
    order = np.argsort(tail[codes], kind="stable")
    leaving = codes[order]
    start = np.zeros(streets.nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(tail[leaving], minlength=streets.nodes), out=start[1:])
    courses = Courses(junctions.bans, codes, tail, head, start, leaving)
    node = head[courses.code[courses.source]]
    gate = junctions.gate[node]
    code_from, code_to = courses.code[courses.source], courses.code[courses.target]
    u_turn = code_to == (code_from ^ 1)
    ms = junctions.gate_ms[node] * ~u_turn
    if junctions.turn_s:
        ms = ms + _turn_ms(streets, junctions, code_from, code_to, node, always, u_turn)
    draft = _Draft(
        courses.code, courses.source, courses.target, ms.astype(np.int32), u_turn,
        (gate == Access.ENDS_ONLY) & ~u_turn, courses.condition, at_times[courses.code],
    )  # fmt: skip
    draft.pick((gate != Access.SHUT) | u_turn)
    while len(lost := np.setdiff1d(_copies(draft)[0], draft.target)) and np.isin(draft.source, lost).any():
        # Nobody gets onto these copies past the gates.
        draft.pick(~np.isin(draft.source, lost))
    return draft, courses.conditions


def _turn_ms(
    streets: Streets, junctions: Junctions, code_from: NDArray[np.int32], code_to: NDArray[np.int32],
    node: NDArray[np.int32], open_: NDArray[np.bool_], u_turn: NDArray[np.bool_],
) -> NDArray[np.int64]:  # fmt: skip
    """What turns cost by their angle, where streets cross; a sigmoid as in the car profile of OSRM."""
    used = open_.any(axis=0)
    arms = np.bincount(streets.tail[used], minlength=streets.nodes)
    arms += np.bincount(streets.head[used], minlength=streets.nodes)
    leaving, arriving = end_bearings(streets)
    angle = (leaving[code_to] - arriving[code_from] + 180.0) % 360.0 - 180.0
    bias = junctions.turn_bias
    right = junctions.turn_s / (1.0 + np.exp(-(13.0 / bias * angle / 180.0 - 6.5 * bias)))
    left = junctions.turn_s / (1.0 + np.exp(-(13.0 * bias * -angle / 180.0 - 6.5 / bias)))
    seconds = np.where(arms[node] > 2, np.where(angle >= 0, right, left), 0.0)
    return np.rint(np.where(u_turn, junctions.u_turn_s, seconds) * 1000.0).astype(np.int64)


def _components(count: int, source: NDArray[np.int32], target: NDArray[np.int32]) -> NDArray[np.int32]:
    order = np.argsort(source, kind="stable")
    start = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=count), out=start[1:])
    return np.asarray(strong_components(start, target[order].astype(np.int32)))


def _needed_u_turns(draft: _Draft, among: NDArray[np.bool_], ends_only: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The U-turns where no other turn among these leads on to a street of the same kind, at all times."""
    plain = among & ~draft.u_turn & (ends_only[draft.source] | ~ends_only[draft.target])
    plain &= ~draft.at_times[draft.target] & (draft.condition < 0)
    leads_on = np.zeros(len(draft.code), dtype=np.bool_)
    leads_on[draft.source[plain]] = True
    return np.asarray(draft.u_turn & ~leads_on[draft.source])


def _copies(draft: _Draft) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(courses that are copies, the plain course of each)."""
    plain = len(np.unique(draft.code))
    copies = np.arange(plain, len(draft.code))
    return copies, np.searchsorted(draft.code[:plain], draft.code[copies])


def _round_trips(draft: _Draft, ends_only: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Component of every course; turns to what cannot be come back from are dropped, and lead nowhere on.

    Turns of codes with copies stay: where nobody arrives but on a copy, trips begin on the code itself.
    """
    count = len(draft.code)
    whole = _components(count, draft.source, draft.target)
    begun = np.zeros(count, dtype=np.bool_)
    copies, plain = _copies(draft)
    begun[plain[np.isin(copies, draft.target)]] = True
    while True:
        draft.pick((whole[draft.source] == whole[draft.target]) | draft.u_turn | begun[draft.source])
        free = ~draft.gated | ends_only[draft.source] | ends_only[draft.target]
        turns = ~draft.u_turn | _needed_u_turns(draft, free, ends_only)
        finer = _components(count, draft.source[turns], draft.target[turns])
        if finer.max(initial=-1) == whole.max(initial=-1):
            return finer
        whole = finer


def _behind(
    streets: Streets, draft: _Draft, ends_only: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """(for ends only, component) of every course: what gates and streets for ends only part from the rest is so too.

    Courses that cannot be left and come back to have component -1; 0 is the longest, others follow by length.
    """
    count = len(draft.code)
    length = streets.length_cm[draft.code >> 1].astype(np.float64) + 1.0
    whole = _round_trips(draft, ends_only)
    free = ~draft.gated & ~ends_only[draft.source] & ~ends_only[draft.target]
    free &= ~draft.u_turn | _needed_u_turns(draft, free, ends_only)
    core = _components(count, draft.source[free], draft.target[free])
    core_length = np.bincount(core, weights=np.where(ends_only, 0.0, length))
    longest: dict[int, tuple[float, int]] = {}
    first = np.unique(core, return_index=True)[1]
    for each, course in zip(core[first].tolist(), first.tolist(), strict=True):
        key = int(whole[course])
        if not ends_only[course]:
            longest[key] = max(longest.get(key, (0.0, -1)), (float(core_length[each]), -each))
    best = np.full(int(whole.max(initial=-1)) + 1, -1)
    for key, (_, each) in longest.items():
        best[key] = -each
    outside = ends_only | (core != best[whole])
    component = _by_length(whole, length)
    for copy, plain in zip(*(each.tolist() for each in _copies(draft)), strict=True):
        if component[plain] < 0 <= component[copy]:
            component[plain], outside[plain] = component[copy], outside[copy]
    return outside, component


def _by_length(whole: NDArray[np.int32], length: NDArray[np.float64]) -> NDArray[np.int32]:
    """Components numbered by length, the longest 0; -1 for a course alone."""
    sizes, lengths = np.bincount(whole), np.bincount(whole, weights=length)
    order = np.lexsort((np.arange(len(sizes)), -lengths))
    order = order[sizes[order] > 1]
    number = np.full(len(sizes), -1, dtype=np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    return number[whole]


def _phased(
    streets: Streets, draft: _Draft, every: _Draft, ends_only: NDArray[np.bool_], component: NDArray[np.int32],
    conditions: tuple[str, ...],
) -> Turns:  # fmt: skip
    """The stretches: courses for ends only twice, and an end of its own for every code with more than one course.

    `every`: all turns but U-turns, those too that lead to what cannot be come back from.
    """
    kept = component >= 0
    turn = kept[draft.source] & (component[draft.source] == component[draft.target])
    turn &= ~draft.gated | ends_only[draft.source] | ends_only[draft.target]
    turn &= ~draft.u_turn | _needed_u_turns(draft, turn, ends_only)
    draft.pick(turn)
    enter, leave = one_sided(draft.code >> 1, every.source, every.target, component)
    main, s, t = component == 0, every.source, every.target
    draft.add(every, (enter[t] & (main | enter)[s]) | (leave[s] & (main | leave)[t]))
    count, shut = len(draft.code), ends_only | enter | leave
    first = np.full(count, -1, dtype=np.int64)
    single = np.flatnonzero(kept | leave)
    first[single] = np.arange(len(single))
    second = np.where(leave, -1, first)
    twice = np.flatnonzero((kept & ends_only) | enter)
    second[twice] = len(single) + np.arange(len(twice))
    total = len(single) + len(twice)
    codes, many = np.unique(draft.code[kept | enter], return_counts=True)
    last_of = np.full(2 * streets.edges, -1, dtype=np.int64)
    shared = codes[many > 1]
    last_of[shared] = total + np.arange(len(shared))
    code = np.concatenate([draft.code[single], draft.code[twice], shared]).astype(np.int32)
    phase = np.concatenate(
        [np.where(shut[single], START, OPEN), np.full(len(twice), END), np.full(len(shared), END)]
    ).astype(np.int8)
    s, t = draft.source, draft.target
    between = shut[s] & shut[t]
    lists = [
        (np.where(shut[s], first[s], second[s]), np.where(shut[t], second[t], first[t]), ~(shut[s] & ~shut[t])),
        (first[s], first[t], shut[s]),
        (second[s], second[t], between),
    ]
    final = last_of[draft.code[t]]
    lists += [(first[s], final, final >= 0), (second[s], final, (final >= 0) & shut[s] & shut[t])]
    lists = [(a, b, m & (a >= 0) & (b >= 0)) for a, b, m in lists]
    source = np.concatenate([a[m] for a, _, m in lists]).astype(np.int32)
    target = np.concatenate([b[m] for _, b, m in lists]).astype(np.int32)
    ms = np.concatenate([draft.ms[m] for _, _, m in lists])
    condition = np.concatenate([draft.condition[m] for _, _, m in lists])
    begins, ends, island = _where(streets, draft, first, second, last_of, np.where(enter | leave, 0, component))
    timed = np.flatnonzero(condition >= 0)
    conditional = np.stack([timed, condition[timed]], axis=1).astype(np.int32)
    return Turns(code, phase, source, target, ms, begins, ends, island, conditional, conditions)


def _where(
    streets: Streets, draft: _Draft, first: NDArray[np.int64], second: NDArray[np.int64], last_of: NDArray[np.int64],
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
