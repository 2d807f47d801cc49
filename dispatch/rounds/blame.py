"""Whose fault is it that something fails?  Found by halving, so that it costs them alone and not the city.

`culprits` knows nothing of orders and riders; the others ask it about a round that cannot be frozen or planned, and
about an input that cannot be decided.  Whoever is found takes no part until something about them changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from dispatch.board.board import Board
from dispatch.inputs import Parked, RoundSolved, Stage
from dispatch.rounds.freeze import freeze
from routing.places import PlaceBook
from routing.travel import TravelTimes

Suspect = TypeVar("Suspect")
_Name = tuple[str, bool]
"""An id, and whether it is a rider's."""

UNPLANNABLE = "no round can be planned with it"
"""Why somebody is parked, for people."""

MOST_TRIALS = 80
"""Trials of one search: enough for eight culprits among a thousand suspects; more are found a round later."""


class Blame(NamedTuple):
    """Who is to blame; nobody where the fault lies in none of them."""

    order_ids: tuple[str, ...] = ()
    rider_ids: tuple[str, ...] = ()


def culprits(suspects: Sequence[Suspect], fails: Callable[[frozenset[Suspect]], bool]) -> tuple[list[Suspect], bool]:
    """Suspects without whom nothing fails, those that come first being spared; and whether that is all of them.

    `fails(present)`: whether it fails with these alone.  It must not fail with nobody.
    """
    trials = MOST_TRIALS
    found: list[Suspect] = []

    def search(group: Sequence[Suspect], given: frozenset[Suspect]) -> None:
        """Adds to `found` what must leave `group`, which fails beside `given` (and `given` alone does not)."""
        nonlocal trials
        if len(group) == 1 or trials <= 0:
            found.extend(group if len(group) == 1 else ())
            return
        half = len(group) // 2
        for part in (group[:half], group[half:]):
            trials -= 1
            if fails(given | frozenset(part)):
                search(part, given)
            given |= frozenset(part) - frozenset(found)

    everybody = frozenset(suspects)
    if suspects and fails(everybody):
        search(suspects, frozenset())
    return found, trials > 0


def unplannable(state: dict[str, Any], places: PlaceBook, times: TravelTimes) -> Blame:
    """Orders and riders without whom a round of a dumped board can be frozen, and planned by insertion.

    Freezing alone is tried first: it costs next to nothing.
    """
    from dispatch.rounds.solve import solve_round

    board = Board.load(places, state)
    found: list[_Name] = []
    for attempt in (lambda: freeze(board), lambda: solve_round(freeze(board), times, recipe="insertion")):
        blamed = _blamed(board, attempt)
        _set(board, blamed, Stage.PLANNING)
        found += blamed
    return Blame(
        tuple(name for name, is_rider in found if not is_rider), tuple(name for name, is_rider in found if is_rider)
    )


def undecidable(rider_ids: Sequence[str], decide: Callable[[frozenset[str]], object]) -> tuple[str, ...]:
    """Riders without whom `decide(present)` does not raise."""

    def fails(present: frozenset[str]) -> bool:
        return _raises(lambda: decide(present))

    return () if fails(frozenset()) else tuple(culprits(rider_ids, fails)[0])


def without(answer: RoundSolved, blame: Parked) -> RoundSolved:
    """An answer without the changes of riders to blame."""
    return replace(answer, changes=tuple(one for one in answer.changes if one.rider_id not in blame.rider_ids))


def _blamed(board: Board, attempt: Callable[[], object]) -> list[_Name]:
    orders = [(record.seq, order_id) for order_id, record in board.in_play.items() if record.is_waiting]
    riders = [(record.seq, rider_id) for rider_id, record in board.riders.items() if not record.parked]
    suspects = [(rider_id, True) for _, rider_id in sorted(riders)]
    suspects += [(order_id, False) for _, order_id in sorted(orders) if not board.orders[order_id].parked]

    def fails(present: frozenset[_Name]) -> bool:
        with _parked(board, [suspect for suspect in suspects if suspect not in present]):
            return _raises(attempt)

    if not _raises(attempt) or fails(frozenset()):
        return []
    found, complete = culprits(suspects, fails)
    if len(found) > 1:  # one rider may fail with every order: then that rider is to blame, not the orders
        others = culprits(sorted(suspects, key=lambda suspect: suspect[1]), fails)
        found = others[0] if (not others[1], len(others[0])) < (not complete, len(found)) else found
    return found


@contextmanager
def _parked(board: Board, suspects: Sequence[_Name]) -> Iterator[None]:
    _set(board, suspects, Stage.PLANNING)
    try:
        yield
    finally:
        _set(board, suspects, None)


def _set(board: Board, suspects: Sequence[_Name], stage: Stage | None) -> None:
    for name, is_rider in suspects:
        if is_rider:
            board.riders[name].parked = stage
        else:
            board.orders[name].parked = stage


def _raises(work: Callable[[], object]) -> bool:
    try:
        work()
    except Exception:
        return True
    return False
