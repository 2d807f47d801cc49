"""Operations set a wrong state right: what it was is undone, goods stay where they are, and the journal says who."""

from __future__ import annotations

import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.errors import Refused
from dispatch.inputs import Outcome
from dispatch.model import OrderState
from dispatch.record.catalogue import Catalogue
from dispatch.record.kpi import kpis
from dispatch.record.travel_spec import StraightSpec
from tests.dispatch.engine.test_late_reports import at_counter, at_door, completes
from tests.kit.world import SPEED, T0, World

S = OrderState


def sets(world: World, outcome: Outcome) -> tuple[e.Event, ...]:
    return world.say(i.OutcomeSet(at=world.now, order_id="o1", outcome=outcome, reason="customer called", by="key-1"))


def ended(state: OrderState) -> World:
    """An order that stands as `state`, by the reports and requests that lead there."""
    world = at_counter() if state is S.CANCELLED else at_door()
    if state is S.DELIVERED:
        completes(world, "r.2", world.now)
    elif state in (S.RETURNING, S.RETURNED, S.CANCELLED):
        world.say(i.OrderCancelled(at=world.now, order_id="o1"))
        if state is S.RETURNED:
            world.until(900)
            completes(world, world.route("r").told[0].stop_id, world.now)
    elif state is S.UNDELIVERED:
        world.say(i.HandoverOrdered(at=world.now, order_id="o1", place=None, reason="stolen"))
    assert world.state("o1") is state
    return world


CASES = [
    (before, outcome, after)
    for before, undone in (
        (S.DELIVERED, S.PICKED_UP),
        (S.UNDELIVERED, S.PICKED_UP),
        (S.RETURNED, S.RETURNING),
        (S.RETURNING, S.PICKED_UP),
        (S.CANCELLED, S.CREATED),
        (S.ARRIVED_AT_DROPOFF, None),
    )
    for outcome, after in (
        (Outcome.DELIVERED, None if before is S.DELIVERED else S.DELIVERED),
        (Outcome.RETURNED, None if before is S.RETURNED else S.RETURNED),
        (Outcome.UNDO, undone),
    )
]


@pytest.mark.parametrize(("before", "outcome", "after"), CASES)
def test_each_outcome_from_each_state(before: OrderState, outcome: Outcome, after: OrderState | None) -> None:
    world = at_door() if before is S.ARRIVED_AT_DROPOFF else ended(before)
    if after is None:
        with pytest.raises(Refused) as refused:
            sets(world, outcome)
        assert refused.value.code == "invalid_transition" and world.state("o1") is before
        return
    (said,) = (event for event in sets(world, outcome) if isinstance(event, e.OutcomeCorrected))
    assert (said.state, said.reason, said.by) == (after, "customer called", "key-1")
    order = world.board.orders["o1"]
    assert order.state in (after, S.ENROUTE_TO_DROPOFF) and (order.ended_at is None) != after.is_final
    world.check()
    if not after.is_final:
        world.deliver_all(world.now - T0 + 4000)
        assert world.state("o1") is (S.RETURNED if after is S.RETURNING else S.DELIVERED)
        world.check()


def test_what_operations_undo_counts_for_nothing_in_the_figures() -> None:
    world = ended(S.DELIVERED)
    catalogue = Catalogue("plane", T0, world.places, (), (), (), StraightSpec({"default": SPEED}))
    life = kpis(catalogue, world.journal).orders["o1"]
    assert life.delivered_at is not None
    sets(world, Outcome.UNDO)
    folded = kpis(catalogue, world.journal)
    life = folded.orders["o1"]
    assert life.delivered_at is None and life.ended_at is None and folded.riders["r"].delivered == 0
    sets(world, Outcome.DELIVERED)
    assert kpis(catalogue, world.journal).riders["r"].delivered == 1
