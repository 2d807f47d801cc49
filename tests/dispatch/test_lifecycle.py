"""Every cell of the lifecycle table: what may follow what, and that everything can end."""

from __future__ import annotations

import pytest

from dispatch.errors import Refused
from dispatch.lifecycle import CORRECTABLE, TABLE, Trigger, next_state, require
from dispatch.model import OrderState


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("trigger", Trigger)
def test_each_cell_is_a_state_or_a_refusal(state: OrderState, trigger: Trigger) -> None:
    after = next_state(state, trigger)
    if after is None:
        with pytest.raises(Refused) as refused:
            require("o1", state, trigger)
        assert refused.value.code == "invalid_transition"
        assert refused.value.details["state"] == state.value
    else:
        assert require("o1", state, trigger) is after


def test_final_states_are_final() -> None:
    assert not [cell for cell in TABLE if cell[0].is_final]


@pytest.mark.parametrize("state", [state for state in OrderState if not state.is_final])
def test_every_open_state_can_end(state: OrderState) -> None:
    reached, frontier = {state}, [state]
    while frontier:
        now = frontier.pop()
        for (before, _), after in TABLE.items():
            if before is now and after not in reached:
                reached.add(after)
                frontier.append(after)
    assert any(found.is_final for found in reached)


def test_goods_on_board_never_become_nobodys_by_a_plan() -> None:
    for (state, trigger), after in TABLE.items():
        if state.is_on_board:
            assert after is not OrderState.CREATED, (state, trigger)
            assert after is not OrderState.CANCELLED, (state, trigger)


def test_only_facts_correct_a_final_state() -> None:
    assert {trigger for _, trigger in CORRECTABLE} <= {Trigger.PICKED_UP, Trigger.DELIVERED, Trigger.RETURNED}
