"""Silence in which the service itself heard nobody is held against no rider."""

from __future__ import annotations

import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.engine.decisions.rounds import ANSWER_GRACE_S
from dispatch.errors import Refused
from dispatch.rounds.freeze import is_stale
from dispatch.settings.settings import Settings
from routing.places import PlaceBook
from tests.kit.world import T0, World


class Paused(World):
    """A world whose service may be away, and whose phones may be silent."""

    silent = False

    def say(self, item: i.Input) -> tuple[e.Event, ...]:
        return () if self.silent and isinstance(item, i.RouteSeen) else super().say(item)

    def away(self, since: int, until: int) -> None:
        """What a host says first when it is back: no timer has rung meanwhile."""
        self.now = T0 + until
        self.say(i.ServiceResumed(at=self.now, since_at=T0 + since))


def test_a_rider_is_lost_only_by_a_silence_that_could_have_been_broken() -> None:
    world = Paused(rules__lost_after_s=60)
    world.rider("ann", 0, 0)
    world.until(40)
    world.away(40, 115)
    world.until(174)
    assert not world.board.riders["ann"].lost
    world.until(176)
    assert world.board.riders["ann"].lost, "silent for a minute since the service hears again"
    world.check()


def test_a_route_is_withdrawn_only_once_its_phone_could_say_so() -> None:
    world = Paused(rules__route_ack_timeout_s=60)
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0)
    world.silent = True
    world.order("o1", "kitchen", 600, 0)
    world.until(10)
    told_at = world.board.riders["ann"].told_at
    assert told_at is not None
    world.away(20, 87)
    world.until(87 + 59)
    assert world.board.orders["o1"].refused_by == ()
    world.until(87 + 61)
    assert world.board.orders["o1"].refused_by == ("ann",)
    world.check()


def test_an_offer_that_ran_out_in_a_pause_may_still_be_answered() -> None:
    def offered() -> Paused:
        world = Paused(rules__offer_s=40)
        world.store("kitchen", 300, 0)
        world.rider("cat", 0, 0, crowd=True)
        world.order("o1", "kitchen", 600, 0)
        world.until(0)
        assert world.board.offers
        world.away(5, 55)
        return world

    world = offered()
    (offer,) = world.board.offers.values()
    assert offer.expires_at < world.now
    world.until(55 + ANSWER_GRACE_S - 1)
    world.say(i.OfferAccepted(at=world.now, offer_id=offer.offer_id, rider_id="cat"))
    assert world.board.orders["o1"].rider_id == "cat"
    world.check()
    world = offered()
    world.until(55 + ANSWER_GRACE_S)
    assert offer.offer_id not in world.board.offers, "nobody answered"
    with pytest.raises(Refused):
        world.say(i.OfferAccepted(at=world.now, offer_id=offer.offer_id, rider_id="cat"))


def test_a_rider_is_not_unheard_of_for_work_either() -> None:
    world = Paused(rules__stale_s=60)
    world.rider("ann", 0, 0)
    world.away(10, 500)
    assert not is_stale(world.board.riders["ann"], world.board)
    world.until(561)
    world.say(i.Wake(at=world.now))
    assert is_stale(world.board.riders["ann"], world.board)


def test_a_snapshot_and_a_board_of_before_know_what_they_need() -> None:
    world = Paused()
    world.away(5, 50)
    dumped = world.board.dump()
    assert Board.load(world.places, dumped).hears_since == T0 + 50
    for name in ("hears_since", "answers_until"):
        del dumped[name]
    assert Board.load(PlaceBook("plane"), dumped).hears_since == 0, "a snapshot of an earlier version"
    assert Board(PlaceBook("plane"), Settings()).answers_until == 0
