"""Laws and prices of a whole plan, told from its times: choices, linked rows, goods, precedence, groups, the fleet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.problem.kernels.goods import first_clash
from routing.problem.law import Law
from routing.problem.problem import I32, I64, INFINITE, Problem, Rows

Broken = tuple[Law, int, int]
"""The law, the vehicle and the request (-1: none in particular)."""


class PlanFacts(NamedTuple):
    """What the pass over the timeline found out about a plan."""

    rows: Rows
    act_at: I32  # [S]
    carrier: I32  # [R] vehicle, -1: on no route
    trip: I32  # [R] the vehicle's trip in which it rides
    ends: I64  # [V] when the route ends


def has_laws(problem: Problem) -> bool:
    """Whether any law or price of this module applies."""
    return bool(
        problem.choice.size or problem.linked.size or problem.goods.size or problem.group.size
        or problem.pair_price.size or problem.precedence.size or problem.min_used or problem.max_used < INFINITE
        or problem.per_longest
    )  # fmt: skip


def broken_law(problem: Problem, facts: PlanFacts) -> Broken:
    """The first law of a whole plan that is broken, with vehicle and request."""
    for law in (_choices, _links, _goods, _precedence, _fleet):
        broken = law(problem, facts)
        if broken is not None:
            return broken
    return Law.NONE, -1, -1


def served(problem: Problem, facts: PlanFacts) -> NDArray[np.bool_]:
    """Requests on a route, and those that stay on board."""
    return np.asarray((facts.carrier >= 0) | ((problem.aboard_of >= 0) & (problem.drop_place < 0)))


def plan_price(problem: Problem, facts: PlanFacts) -> int:
    """Prices of pairs, of splitting groups, and of the longest route."""
    price = 0
    carried = np.flatnonzero(facts.carrier >= 0)
    if problem.pair_price.size:
        price += int(problem.pair_price[carried, facts.carrier[carried]].sum())
    if problem.group.size:
        grouped = carried[problem.group[carried] >= 0]
        of = problem.group[grouped]
        trips = np.unique(np.stack([of, facts.carrier[grouped], facts.trip[grouped]]), axis=1)[0]
        parts = np.bincount(trips, minlength=len(problem.split_price))
        price += int((np.maximum(parts - 1, 0) * problem.split_price).sum())
    if problem.per_longest:
        used = np.diff(facts.rows.stop_ptr) > 0
        lasts = (facts.ends - np.maximum(problem.start, 0))[used]
        price += problem.per_longest * int(lasts.max(initial=0))
    return price


def left_out(problem: Problem, facts: PlanFacts) -> tuple[int, int]:
    """Price and rank of what is left out, a choice counted once and only where none of its rows is served."""
    counts = ~served(problem, facts)
    if problem.choice.size:
        chosen = np.zeros(len(problem.choice) + 1, dtype=np.bool_)
        chosen[problem.choice[~counts]] = True
        chosen[-1] = False  # rows that are alone
        first = np.zeros(len(counts), dtype=np.bool_)
        first[np.unique(problem.choice, return_index=True)[1]] = True
        counts &= ((problem.choice < 0) | first) & ~chosen[problem.choice]
    rank = int(problem.rank[counts].sum()) if problem.rank.size else 0
    return int(problem.skip_cost[counts].sum()), rank


def _choices(problem: Problem, facts: PlanFacts) -> Broken | None:
    if not problem.choice.size:
        return None
    chosen = np.flatnonzero((facts.carrier >= 0) & (problem.choice >= 0))
    _, first = np.unique(problem.choice[chosen], return_index=True)
    again = np.delete(chosen, first)
    return (Law.CHOICE, int(facts.carrier[again[0]]), int(again[0])) if len(again) else None


def _links(problem: Problem, facts: PlanFacts) -> Broken | None:
    if not problem.linked.size:
        return None
    first, last = _ends_of(facts.rows, len(problem.linked))
    a = np.flatnonzero(problem.linked >= 0)
    b = problem.linked[a]
    wrong = np.flatnonzero(last[a] != first[b])
    if not len(wrong):
        return None
    row = int(a[wrong[0]]) if facts.carrier[a[wrong[0]]] >= 0 else int(b[wrong[0]])
    return Law.LINKED, int(facts.carrier[row]), row


def _ends_of(rows: Rows, requests: int) -> tuple[I64, I64]:
    """Stops of the first and the last act of every request, -1 where it has none."""
    stop = np.repeat(np.arange(len(rows.stop_place)), np.diff(rows.act_ptr))
    first, last = np.full(requests, -1, dtype=np.int64), np.full(requests, -1, dtype=np.int64)
    first[rows.act_request[::-1]] = stop[::-1]
    last[rows.act_request] = stop
    return first, last


def _goods(problem: Problem, facts: PlanFacts) -> Broken | None:
    if not problem.goods.size:
        return None
    on_board = np.zeros((2, len(problem.goods)), dtype=np.int32)
    vehicle, request = first_clash(problem, facts.rows, on_board)
    return (Law.GOODS, int(vehicle), int(request)) if request >= 0 else None


def _precedence(problem: Problem, facts: PlanFacts) -> Broken | None:
    """A row of a choice stands for all of them."""
    if not problem.precedence.size:
        return None
    first, last = _ends_of(facts.rows, len(problem.pick_place))
    done = served(problem, facts)
    stands_for = np.arange(len(done))
    if problem.choice.size:
        row = np.flatnonzero(done & (problem.choice >= 0))
        of = np.full(len(done) + 1, -1)
        of[problem.choice[row]] = row
        chosen = of[problem.choice]
        stands_for = np.where((problem.choice >= 0) & (chosen >= 0), chosen, stands_for)
    a, b = stands_for[problem.precedence[:, 0]], stands_for[problem.precedence[:, 1]]
    at = np.append(facts.act_at, -INFINITE)  # what has no act was done before
    late = done[b] & (first[b] >= 0) & (~done[a] | (at[last[a]] > at[first[b]]))
    wrong = np.flatnonzero(late)
    return (Law.PRECEDENCE, int(facts.carrier[b[wrong[0]]]), int(b[wrong[0]])) if len(wrong) else None


def _fleet(problem: Problem, facts: PlanFacts) -> Broken | None:
    used = int((np.diff(facts.rows.stop_ptr) > 0).sum())
    return None if problem.min_used <= used <= problem.max_used else (Law.FLEET, -1, -1)
