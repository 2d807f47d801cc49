"""One order's life in plain words: it tells what the journal holds, in order, and why this rider."""

from __future__ import annotations

import json

import pytest

from dispatch import events as e
from dispatch.errors import Refused
from dispatch.inputs import Wake
from dispatch.model import LastMetres, Order, OrderState, Reason
from dispatch.record.run_folder import RunFolder
from dispatch.record.story import REASONS, STATES, tell

ORDER = Order("o1", "s1", 0, placed_at=1_000, expected_ready_at=1_600, due_at=2_800)


def told(*events: e.Event):
    return tell([(Wake(at=event.at), (event,)) for event in events], "o1")


def test_a_life_by_hand():
    story = told(
        e.OrderAccepted(at=1_000, order=ORDER),
        e.ReasonSet(at=1_010, order_id="o1", reason=Reason.NO_RIDER_IN_REACH),
        e.ReasonSet(at=1_020, order_id="o1", reason=Reason.NO_RIDER_IN_REACH),
        e.OrderMoved(at=1_300, order_id="o1", state=OrderState.CONFIRMED, happened_at=1_300, rider_id="r1"),
        e.DecisionMade(
            at=1_300, decision_id="d", order_id="o1", rider_id="r1", round=7, added_cost=5_000,
            others=(("r2", 6_500), ("r3", 9_000)), binding=Reason.CAPACITY,
        ),
        e.OrderMoved(at=1_650, order_id="o1", state=OrderState.PICKED_UP, happened_at=1_640, rider_id="r1"),
        e.OrderMoved(at=2_000, order_id="o1", state=OrderState.DELIVERED, happened_at=1_990, rider_id="r1"),
    )  # fmt: skip
    assert [line.text for line in story.lines] == [
        "Placed at store s1, promised by 00:46:40, expected to be ready at 00:26:40.",
        "No rider yet: no rider was in reach.",
        "r1 was told.",
        # Points are hundredths of a second: (6500 - 5000) / 100 = 15 s, (9000 - 5000) / 100 = 40 s.
        "Given to r1 in round 7, because they were the cheapest: next best r2 would have cost 15 s more "
        "(then r3 40 s more); for somebody cheaper still, nobody had room for it.",
        "r1 picked it up.",
        # 1990 - 1000 = 990 s = 16 min 30 s; 2800 - 1990 = 810 s = 13 min 30 s.
        "r1 delivered it, 16 min 30 s after it was placed and 13 min 30 s before the promise.",
        "The goods were held by store s1 until 00:27:20, r1 until 00:33:10, the customer since.",
    ]
    assert story.facts["on_time"] is True
    assert [line.at for line in story.lines] == [1_000, 1_010, 1_300, 1_300, 1_640, 1_990, 1_990]


def test_a_receipt_tells_what_is_walked():
    story = told(
        e.OrderAccepted(at=1_000, order=ORDER),
        e.DecisionMade(
            at=1_300, decision_id="d", order_id="o1", rider_id="r1", round=7, added_cost=None, others=(),
            binding=Reason.SERVED, last_metres=LastMetres(18, 25, 29, 40),
        ),
    )  # fmt: skip
    assert story.lines[-1].text == (
        "Given to r1 in round 7; on foot it is 25 m (18 s) to the store and 40 m (29 s) to the door."
    )
    assert story.facts["decisions"][0]["last_metres"] == {
        "pickup_s": 18, "pickup_m": 25, "drop_s": 29, "drop_m": 40,
    }  # fmt: skip


def test_other_orders_are_left_out():
    story = told(
        e.OrderAccepted(at=1_000, order=ORDER),
        e.OrderMoved(at=1_500, order_id="o2", state=OrderState.CANCELLED, happened_at=1_500),
    )
    assert len(story.lines) == 1


def test_late_and_corrected():
    story = told(
        e.OrderAccepted(at=1_000, order=ORDER),
        e.OrderMoved(at=3_000, order_id="o1", state=OrderState.CANCELLED, happened_at=3_000, reason="customer"),
        e.OutcomeCorrected(at=3_100, order_id="o1", state=OrderState.DELIVERED, happened_at=2_860, rider_id="r4"),
    )
    texts = [line.text for line in story.lines]
    assert "It was cancelled (customer)." in texts
    assert "r4 delivered it, 31 min 00 s after it was placed and 1 min 00 s after the promise." in texts
    assert story.facts["on_time"] is False


def test_every_reason_and_state_has_words():
    assert set(REASONS) == set(Reason) - {Reason.SERVED}
    assert set(STATES) == set(OrderState) - {OrderState.CREATED, OrderState.CONFIRMED}


def test_an_order_nobody_knows():
    with pytest.raises(Refused) as found:
        tell([], "o9")
    assert found.value.code == "unknown_order"


def test_every_order_of_a_run_has_a_story(halfhour, our_run):
    run = RunFolder(our_run)
    rows = {row["order_id"]: row for row in run.orders()}
    entries = list(run.entries())
    for order_id in list(rows)[::7]:
        story = tell(entries, order_id)
        assert story.facts["placed_at"] == int(rows[order_id]["placed_at"])
        assert str(story.facts.get("delivered_at", "")) == rows[order_id]["delivered_at"]
        assert story.facts["states"][-1]["state"] == rows[order_id]["state"]
    some = next(iter(rows))
    typed = halfhour("story", our_run, some, "--json")
    assert json.loads(typed.out)["order_id"] == some
    assert "promised by" in halfhour("story", our_run, some).out
    lost = halfhour("story", our_run, "o9999")
    assert lost.status == 2 and "unknown_order" in lost.err
