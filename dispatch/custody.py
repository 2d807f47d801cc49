"""The chain of custody of an order's goods: who held them, from when to when, derived from events alone.

A chain begins with the store and has no gaps: each part ends as the next one begins, and the last is still open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from dispatch import events as e
from dispatch.model import Order, OrderState


class Keeper(StrEnum):
    """What kind of hands goods are in; the words are those of the wire."""

    STORE = "store"
    RIDER = "rider"
    PLACE = "place"
    """Nobody's: left where another rider fetches them."""
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Custody:
    """Somebody held an order's goods; instants are epoch seconds, `to_at` None: they hold them still."""

    keeper: Keeper
    keeper_id: str
    """The store's or the rider's id; empty for a place and for the customer."""
    from_at: int
    to_at: int | None = None


Chain = tuple[Custody, ...]

KEEPS = e.OrderAccepted | e.AlternativeChosen | e.OrderMoved | e.OutcomeCorrected | e.GoodsMoved
"""Events that say who holds goods."""


def after(chain: Chain, event: KEEPS) -> Chain:
    """The chain after an event about its order; an empty one stays empty until the order is accepted."""
    if isinstance(event, e.OrderAccepted):
        return begun(event.order)
    if not chain:
        return chain
    if isinstance(event, e.AlternativeChosen):  # as long as nobody has fetched it, the store chosen last has it
        return begun(event.order) if len(chain) == 1 else chain
    if isinstance(event, e.GoodsMoved):
        return _passed(chain, Keeper.PLACE, "", event.at)
    if isinstance(event, e.OutcomeCorrected):
        kept = _taken_back(chain, event)
        if kept:
            return kept
    keeper = _keeper(chain, event)
    return chain if keeper is None else _passed(chain, *keeper, event.happened_at)


def begun(order: Order) -> Chain:
    """The chain of an order as it is placed: its store has the goods, or makes them."""
    return (Custody(Keeper.STORE, order.store_id, order.placed_at),)


def of_facts(
    order: Order, state: OrderState, *, carried_by: str | None, picked_up_at: int | None, ended_at: int | None
) -> Chain:
    """The chain as far as the facts of an order tell it: for what was kept before chains were."""
    chain = begun(order)
    if picked_up_at is not None and carried_by is not None:
        chain = _passed(chain, Keeper.RIDER, carried_by, picked_up_at)
    if ended_at is not None and state is OrderState.DELIVERED:
        chain = _passed(chain, Keeper.CUSTOMER, "", ended_at)
    if ended_at is not None and state is OrderState.RETURNED:
        chain = _passed(chain, Keeper.STORE, order.store_id, ended_at)
    return chain


def riders_of(chain: Sequence[Custody]) -> tuple[str, ...]:
    """The riders who held the goods, in order, each once."""
    return tuple(dict.fromkeys(part.keeper_id for part in chain if part.keeper is Keeper.RIDER))


def _keeper(chain: Chain, event: e.OrderMoved | e.OutcomeCorrected) -> tuple[Keeper, str] | None:
    """Whose the goods are now; None where the event does not tell."""
    if event.state is OrderState.DELIVERED:
        return Keeper.CUSTOMER, ""
    if event.state is OrderState.RETURNED:
        return Keeper.STORE, chain[0].keeper_id
    return (Keeper.RIDER, event.rider_id) if event.state.is_on_board and event.rider_id is not None else None


def _passed(chain: Chain, keeper: Keeper, keeper_id: str, at: int) -> Chain:
    """The goods are in other hands from `at` on; what was believed to have come after that was not so."""
    kept = list(chain)
    while len(kept) > 1 and kept[-1].from_at > at:
        kept.pop()
    last = kept[-1]
    if (last.keeper, last.keeper_id) == (keeper, keeper_id):
        return (*kept[:-1], replace(last, to_at=None))
    at = max(at, last.from_at)
    return (*kept[:-1], replace(last, to_at=at), Custody(keeper, keeper_id, at))


def _taken_back(chain: Chain, event: e.OutcomeCorrected) -> Chain:
    """The chain without what did not happen after all; empty where the event says that more has happened."""
    if event.state.is_final:
        return ()
    mine = [
        k
        for k, part in enumerate(chain)
        if (part.keeper is Keeper.RIDER and part.keeper_id == event.rider_id and event.state.is_on_board)
        or (k == 0 and not event.state.is_on_board)
    ]
    return (*chain[: mine[-1]], replace(chain[mine[-1]], to_at=None)) if mine else ()
