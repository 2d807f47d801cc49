"""The order in which things happen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatch.inputs import RoundSolved, ShiftEnded, StopArrived, Wake
from sim.heap import EventHeap, Rank


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(Rank)), max_size=60))
def test_things_come_out_by_instant_class_and_source(entries):
    heap = EventHeap()
    for number, (at, rank) in enumerate(entries):
        heap.put(at, rank, lambda _at, number=number: number)
    out = []
    while heap.next_at is not None:
        at, what = heap.pop()
        out.append((at, what(at)))
    expected = sorted(range(len(entries)), key=lambda number: entries[number])
    assert out == [(entries[number][0], number) for number in expected]


def test_inputs_of_one_instant_come_in_the_order_of_their_classes():
    heap = EventHeap()
    wake = Wake(at=7)
    answer = RoundSolved(at=7, round=1)
    report = StopArrived(at=7, rider_id="r", stop_id="r.1", happened_at=7)
    news = ShiftEnded(at=7, rider_id="r")
    heap.put(7, Rank.HANDOVER, lambda _at: None)
    for item in (wake, answer, report, news):
        heap.say(item)
    assert [heap.pop()[1] for _ in range(4)] == [news, report, answer, wake]


def test_only_alarms_are_left():
    heap = EventHeap()
    heap.say(Wake(at=7))
    assert heap.only_wakes
    heap.say(ShiftEnded(at=9, rider_id="r"))
    assert not heap.only_wakes
    heap.pop()
    assert not heap.only_wakes
    heap.pop()
    assert heap.only_wakes
