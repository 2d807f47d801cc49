"""Riders on duty are counted without asking each; here each is asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatch import events as e
from dispatch.board.board import Board
from dispatch.model import Rider, Shift
from dispatch.promise.duty import spans_of
from dispatch.settings.settings import Settings
from routing.places import PlaceBook

RIDERS = ("a", "b", "c")
ATS = st.integers(0, 60)


def by_asking_each(board: Board, now: int) -> int:
    """The twin: the shift that counts has begun and still takes pickups."""
    riders = 0
    for record in board.riders.values():
        if record.shifts and not record.lost and not record.on_break:
            shift = record.shift_at(now)
            riders += shift is not None and shift.start_at <= now <= shift.last_pickup_at
    return riders


@st.composite
def facts(draw: st.DrawFn) -> list[e.Event]:
    """Shifts that may overlap, end never or before they begin; breaks and silences, as time goes on."""
    found: list[e.Event] = []
    for at in sorted(draw(st.lists(ATS, min_size=5, max_size=25))):
        rider_id, what = draw(st.sampled_from(RIDERS)), draw(st.integers(0, 8)) - 3
        if what <= 1:  # most of the time
            start_at, last_s = at + draw(st.integers(-5, 10)), draw(st.integers(-2, 20))
            end_at = draw(st.sampled_from((None, *[start_at + last_s + more_s for more_s in range(-5, 20, 3)])))
            found.append(e.ShiftOpened(at=at, shift=Shift(rider_id, start_at, start_at + last_s, end_at)))
        elif what == 2:
            found.append(e.ShiftClosed(at=at, rider_id=rider_id))
        elif what == 3:
            found.append(e.BreakSet(at=at, rider_id=rider_id, on_break=draw(st.booleans())))
        else:
            found.append((e.RiderLost if what == 4 else e.RiderFound)(at=at, rider_id=rider_id))
    return found


@given(facts())
def test_the_count_is_what_asking_each_rider_gives(events: list[e.Event]) -> None:
    places = PlaceBook("plane")
    board = Board(places, Settings.stated({}))
    for rider_id in RIDERS:
        board.apply(e.RiderKnown(at=0, rider=Rider(rider_id, places.add(0.0, 0.0))))
    for event in events:
        board.apply(event)
        assert board.duty.riders(event.at) == by_asking_each(board, event.at)
    again = Board.load(places, board.dump())
    for now in range(board.now, 70):
        assert board.duty.riders(now) == by_asking_each(board, now) == again.duty.riders(now), now


def test_of_two_shifts_at_once_the_first_counts_alone() -> None:
    spans = spans_of((Shift("a", 0, 10, 20), Shift("a", 5, 30, 40), Shift("a", 6, 90, None), Shift("a", 7, 95, 99)))
    assert spans == ((0, 10), (21, 30), (41, 90)), "the one without an end lets nobody come after it"
