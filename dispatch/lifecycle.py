"""The life of an order as one table: state x what happened -> next state.

What is not in the table cannot happen: a *request* that asks for it is refused (`invalid_transition`), a *report* of it
is kept as contradicted.  docs/life-of-an-order.md shows the same table and a test walks every cell of it.
"""

from __future__ import annotations

from enum import StrEnum

from dispatch.errors import Refused
from dispatch.model import OrderState as S


class Trigger(StrEnum):
    """What can happen to an order."""

    TOLD = "told"
    SET_OFF = "set_off"
    ARRIVED_AT_STORE = "arrived_at_store"
    PICKED_UP = "picked_up"
    SET_OFF_TO_DROP = "set_off_to_drop"
    ARRIVED_AT_DROP = "arrived_at_drop"
    DELIVERED = "delivered"
    RELEASED = "released"
    """Back to nobody: declined, unseen, rider lost or logged off, taken away by operations or by a better plan."""
    CANCELLED = "cancelled"
    NOT_HANDED_OVER = "not_handed_over"
    NOT_DELIVERED = "not_delivered"
    RETURNED = "returned"
    GIVEN_UP = "given_up"
    LEFT_AT_PLACE = "left_at_place"
    """Goods of a lost rider wait somewhere for another one."""


T = Trigger
_BEFORE = (S.CREATED, S.CONFIRMED, S.ENROUTE_TO_PICKUP, S.ARRIVED_AT_PICKUP)
_CARRIED = (S.PICKED_UP, S.ENROUTE_TO_DROPOFF, S.ARRIVED_AT_DROPOFF)


def _table() -> dict[tuple[S, Trigger], S]:
    table: dict[tuple[S, Trigger], S] = {}
    for state in _BEFORE:
        table[state, T.TOLD] = S.CONFIRMED if state is S.CREATED else state
        table[state, T.SET_OFF] = S.ARRIVED_AT_PICKUP if state is S.ARRIVED_AT_PICKUP else S.ENROUTE_TO_PICKUP
        table[state, T.ARRIVED_AT_STORE] = S.ARRIVED_AT_PICKUP
        table[state, T.PICKED_UP] = S.PICKED_UP
        table[state, T.RELEASED] = S.CREATED
        table[state, T.CANCELLED] = S.CANCELLED
        table[state, T.NOT_HANDED_OVER] = S.CREATED
        table[state, T.GIVEN_UP] = S.UNDELIVERED
    for state in _CARRIED:
        table[state, T.TOLD] = state
        table[state, T.PICKED_UP] = S.PICKED_UP
        table[state, T.SET_OFF_TO_DROP] = (
            S.ARRIVED_AT_DROPOFF if state is S.ARRIVED_AT_DROPOFF else S.ENROUTE_TO_DROPOFF
        )
        table[state, T.ARRIVED_AT_DROP] = S.ARRIVED_AT_DROPOFF
        table[state, T.DELIVERED] = S.DELIVERED
        table[state, T.CANCELLED] = S.RETURNING
        table[state, T.NOT_DELIVERED] = S.RETURNING
        table[state, T.GIVEN_UP] = S.UNDELIVERED
        table[state, T.LEFT_AT_PLACE] = S.PICKED_UP
    for trigger in (T.TOLD, T.SET_OFF_TO_DROP, T.ARRIVED_AT_DROP, T.PICKED_UP, T.LEFT_AT_PLACE):
        table[S.RETURNING, trigger] = S.RETURNING
    table[S.RETURNING, T.RETURNED] = S.RETURNED
    table[S.RETURNING, T.GIVEN_UP] = S.UNDELIVERED
    table[S.RETURNING, T.NOT_DELIVERED] = S.RETURNING
    return table


TABLE = _table()
"""Every transition there is."""


def next_state(state: S, trigger: Trigger) -> S | None:
    """The state after `trigger`, None where it cannot happen."""
    return TABLE.get((state, trigger))


def require(order_id: str, state: S, trigger: Trigger) -> S:
    """The state after a requested `trigger`; raises Refused (invalid_transition) where it cannot happen."""
    after = TABLE.get((state, trigger))
    if after is None:
        raise Refused(
            f"order {order_id} is {state.value}: it cannot be {trigger.value.replace('_', ' ')}",
            code="invalid_transition",
            order_id=order_id,
            state=state.value,
        )
    return after


CORRECTABLE = {
    (S.CANCELLED, T.PICKED_UP): S.RETURNING,
    (S.CANCELLED, T.DELIVERED): S.DELIVERED,
    (S.UNDELIVERED, T.PICKED_UP): S.RETURNING,
    (S.UNDELIVERED, T.DELIVERED): S.DELIVERED,
    (S.UNDELIVERED, T.RETURNED): S.RETURNED,
    (S.RETURNING, T.DELIVERED): S.DELIVERED,
    (S.RETURNED, T.DELIVERED): S.DELIVERED,
}
"""What a late fact may still correct.  Every step leads towards *delivered*, so no order is corrected for ever."""
