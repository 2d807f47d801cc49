"""Every turn between the edges of a map that gates and restrictions leave one profile, before phases part them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.roads.bearings import end_bearings
from routing.roads.kernels.components import strong_components
from routing.roads.source.access import Access
from routing.roads.source.junctions import Junctions
from routing.roads.streets import Streets
from routing.roads.turns.courses import Courses

OF_TURNS = ("source", "target", "ms", "u_turn", "gated", "condition", "gate_hours")


@dataclass(slots=True)
class TurnDraft:
    """Courses (codes, and copies of some that remember where they were entered from) and the turns between them.

    `condition`: of a turn, the index of when it is shut, -1 for never; `gate_hours`: twice the index of when the gate
    in it is shut, one more for unless; -1 for never.
    """

    code: NDArray[np.int32]
    source: NDArray[np.int32]
    target: NDArray[np.int32]
    ms: NDArray[np.int32]
    u_turn: NDArray[np.bool_]
    gated: NDArray[np.bool_]
    condition: NDArray[np.int32]
    gate_hours: NDArray[np.int32]
    at_times: NDArray[np.bool_]
    """Courses that are open at some times only."""

    def pick(self, chosen: NDArray[np.bool_]) -> None:
        """Keep the chosen turns."""
        for name in OF_TURNS:
            setattr(self, name, getattr(self, name)[chosen])

    def add(self, other: TurnDraft, chosen: NDArray[np.bool_]) -> None:
        """Take the chosen turns of another draft of the same courses in."""
        for name in OF_TURNS:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(other, name)[chosen]]))


def draft_turns(
    streets: Streets, profile: int, open_: NDArray[np.bool_], junctions: Junctions
) -> tuple[TurnDraft, list[str]]:
    """Every turn that gates and restrictions leave, U-turns included, and the conditions that some go by."""
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
    conditions = list(courses.conditions)
    gate_hours = np.full(streets.nodes, -1, dtype=np.int32)
    for at, hours, opens in junctions.gate_hours:
        gate_hours[at] = 2 * numbered(conditions, hours) + opens
    node = head[courses.code[courses.source]]
    gate = junctions.gate[node]
    code_from, code_to = courses.code[courses.source], courses.code[courses.target]
    u_turn = code_to == (code_from ^ 1)
    ms = junctions.gate_ms[node] * ~u_turn
    if junctions.turn_s:
        ms = ms + _turn_ms(streets, junctions, code_from, code_to, node, always, u_turn)
    draft = TurnDraft(
        courses.code, courses.source, courses.target, ms.astype(np.int32), u_turn,
        (gate == Access.ENDS_ONLY) & ~u_turn, courses.condition, np.where(u_turn, -1, gate_hours[node]),
        at_times[courses.code],
    )  # fmt: skip
    draft.pick((gate != Access.SHUT) | u_turn)
    while len(lost := np.setdiff1d(copies_of(draft)[0], draft.target)) and np.isin(draft.source, lost).any():
        # Nobody gets onto these copies past the gates.
        draft.pick(~np.isin(draft.source, lost))
    return draft, conditions


def numbered(conditions: list[str], condition: str) -> int:
    """The index of a condition in the list, which it joins where it is not there."""
    if condition not in conditions:
        conditions.append(condition)
    return conditions.index(condition)


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


def components(count: int, source: NDArray[np.int32], target: NDArray[np.int32]) -> NDArray[np.int32]:
    order = np.argsort(source, kind="stable")
    start = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=count), out=start[1:])
    return np.asarray(strong_components(start, target[order].astype(np.int32)))


def needed_u_turns(draft: TurnDraft, among: NDArray[np.bool_], level: NDArray[np.int8]) -> NDArray[np.bool_]:
    """The U-turns where no other turn among these leads on to a street no more limited, at all times.

    `level`: of every course, as in `StreetLimits`.
    """
    plain = among & ~draft.u_turn & (level[draft.target] <= level[draft.source])
    plain &= ~draft.at_times[draft.target] & (draft.condition < 0) & (draft.gate_hours < 0)
    leads_on = np.zeros(len(draft.code), dtype=np.bool_)
    leads_on[draft.source[plain]] = True
    return np.asarray(draft.u_turn & ~leads_on[draft.source])


def copies_of(draft: TurnDraft) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(courses that are copies, the plain course of each)."""
    plain = len(np.unique(draft.code))
    copies = np.arange(plain, len(draft.code))
    return copies, np.searchsorted(draft.code[:plain], draft.code[copies])
