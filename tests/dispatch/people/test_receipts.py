"""Every rider reads why: this order, not that one, and what was decided about them; operations can take it back."""

from __future__ import annotations

import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.errors import Refused
from dispatch.model import Reason
from dispatch.people.apart import Party
from dispatch.receipts import MOST_KEPT, About, RiderReceipt, kept
from dispatch.record.people.receipt_words import in_words, reasons_now, receipts_in
from tests.kit.world import T0, World


def clock(at: int) -> str:
    return f"+{at - T0}"


def words(receipt: RiderReceipt) -> str:
    return in_words(receipt, clock=clock, contact="Kim, 0800 1")


def city(**settings: object) -> World:
    world = World(**settings)
    world.store("kitchen", 300, 0)
    world.rider("near", 0, 0)
    world.rider("far", 1300, 0)
    return world


def of(world: World, rider_id: str) -> list[RiderReceipt]:
    return list(world.board.riders[rider_id].receipts)


def reverse(world: World, rider_id: str, number: int) -> tuple[e.Event, ...]:
    return world.say(
        i.ReversalOrdered(at=world.now, rider_id=rider_id, number=number, reason="rider called", by="key-1")
    )


def test_why_this_rider_and_why_not_the_other() -> None:
    world = city()
    world.order("o1", "kitchen", 900, 0)
    world.deliver_all()
    (given,), (elsewhere,) = of(world, "near"), of(world, "far")
    (made,) = [x for _, events in world.journal for x in events if isinstance(x, e.DecisionMade)]
    gap = made.others[0][1] - (made.added_cost or 0)
    assert (given.about, given.more_points, elsewhere.about, elsewhere.more_points) == (
        About.GIVEN, gap, About.ELSEWHERE, gap,
    )  # fmt: skip
    assert words(given) == (
        f"You were given order o1 because you were the cheapest choice: the next best rider would have cost "
        f"{gap / 100:.0f} seconds of waiting more."
    )
    assert "with you it would have cost" in words(elsewhere)
    assert receipts_in(world.journal, "near") == [given]
    world.check()


def test_an_offer_says_why_and_why_it_ended_and_operations_ask_again() -> None:
    world = World()
    world.store("kitchen", 300, 0)
    world.rider("near", 0, 0, crowd=True)
    world.order("o1", "kitchen", 900, 0)
    world.until(10)
    (offer,) = world.board.offers.values()
    world.say(i.OfferDeclined(at=world.now, offer_id=offer.offer_id, rider_id="near"))
    offered, not_asked = of(world, "near")
    assert (offered.about, offered.until) == (About.OFFERED, T0 + 40)
    assert words(not_asked).startswith("You are not asked again for order o1: you had declined it.")
    assert "ask Kim, 0800 1, and name receipt 2" in words(not_asked)
    world.until(70)
    assert not world.board.offers
    reverse(world, "near", not_asked.number)
    world.until(130)
    assert world.board.offers, "they are asked again"
    with pytest.raises(Refused):
        reverse(world, "near", not_asked.number)
    world.check()


def test_a_withdrawn_offer_names_its_reason() -> None:
    world = World()
    world.store("kitchen", 300, 0)
    world.rider("near", 0, 0, crowd=True)
    world.order("o1", "kitchen", 900, 0)
    world.until(10)
    world.say(i.OrderCancelled(at=world.now, order_id="o1"))
    ended = of(world, "near")[-1]
    assert (ended.about, ended.reason) == (About.OFFER_ENDED, "order_gone")
    assert words(ended) == "An offer to you ended: an order of it was called off, held back or given to somebody else."


def test_a_log_off_by_others_is_read_and_taken_back() -> None:
    world = city()
    world.until(600)
    world.say(i.ShiftEnded(at=world.now, rider_id="near"))
    assert of(world, "near") == [], "who logs themselves off needs no receipt"
    world.say(i.ShiftEnded(at=world.now, rider_id="far", reason="complaint", by="key-1"))
    (receipt,) = of(world, "far")
    assert words(receipt).startswith("Operations logged you off: complaint. This can be taken back")
    assert reasons_now(world.board.riders["far"], world.board, clock=clock) == ["You are off duty."]
    world.until(1200)
    events = reverse(world, "far", receipt.number)
    (opened,) = [event.shift for event in events if isinstance(event, e.ShiftOpened)]
    assert (opened.start_at - T0, opened.last_pickup_at - T0) == (1200, 8 * 3600)
    assert of(world, "far")[-1].reverses == receipt.number
    assert reasons_now(world.board.riders["far"], world.board, clock=clock) == []
    with pytest.raises(Refused) as refused:
        reverse(world, "far", receipt.number)
    assert refused.value.code == "invalid_transition"
    world.check()


def test_a_lost_rider_a_parked_one_and_a_pair_are_taken_back() -> None:
    world = city(rules__lost_after_s=300)
    world.order("o1", "kitchen", 900, 0)
    world.until(20)
    world.until(3000)
    lost = [one for one in of(world, "near") if one.about is About.LOST]
    assert lost and world.board.riders["near"].lost
    reverse(world, "near", lost[-1].number)
    assert not world.board.riders["near"].lost
    world.say(i.Parked(at=world.now, rider_ids=("far",), reason="no round can be planned with it"))
    parked = of(world, "far")[-1]
    assert parked.about is About.PARKED and world.board.riders["far"].parked
    reverse(world, "far", parked.number)
    assert world.board.riders["far"].parked is None
    world.say(
        i.ApartSet(at=world.now, rider_id="far", party=Party.STORE, name="kitchen", apart=True, reason="x", by="k")
    )
    apart = of(world, "far")[-1]
    assert words(apart).startswith("You are kept apart from store kitchen: operations said so.")
    reverse(world, "far", apart.number)
    assert world.board.riders["far"].apart == ()
    world.check()


def test_what_cannot_be_taken_back_is_refused_by_name() -> None:
    world = city()
    world.order("o1", "kitchen", 900, 0)
    world.deliver_all()
    cases = (("near", 1, "invalid_transition"), ("near", 9, "unknown_receipt"), ("x", 1, "unknown_rider"))
    for rider_id, number, code in cases:
        with pytest.raises(Refused) as refused:
            reverse(world, rider_id, number)
        assert refused.value.code == code


def test_a_break_by_law_says_so() -> None:
    world = World(rules__hours="stretch 7200; break 900")
    world.store("kitchen", 300, 0)
    world.rider("near", 0, 0)
    world.until(3700)
    (rest,) = of(world, "near")
    assert words(rest) == "Your break by law began, until +4500: you had worked for as long as one may at a stretch."
    assert reasons_now(world.board.riders["near"], world.board, clock=clock) == ["You rest by law until +4500."]


def test_every_kind_has_words_and_only_the_newest_are_remembered() -> None:
    for about in About:
        reason = Party.DOOR.value if about in (About.APART, About.TOGETHER) else "x"
        one = RiderReceipt(1, T0, about, ("o1",), 100, reason, T0 + 60, reverses=1)
        assert words(one).endswith(".") and Reason.SERVED.name not in words(one)
        assert words(RiderReceipt(1, T0, about, ("o1",), reason=reason))
    receipts: tuple[RiderReceipt, ...] = ()
    for number in range(40):
        receipts = kept(receipts, number, {"at": number, "about": About.LOST})
    assert [one.number for one in receipts] == list(range(41 - MOST_KEPT, 41))


def test_a_journal_that_never_heard_of_a_rider_says_so() -> None:
    with pytest.raises(Refused) as refused:
        receipts_in([], "nobody")
    assert refused.value.code == "unknown_rider"
