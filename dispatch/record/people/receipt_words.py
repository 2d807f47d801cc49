"""A rider's receipts in plain words, said to the rider: what was decided, why, and who can take it back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dispatch import receipts
from dispatch.board.board import Board
from dispatch.board.records import RiderRecord
from dispatch.errors import Refused
from dispatch.events import RiderKnown
from dispatch.people.apart import Party
from dispatch.receipts import REVERSIBLE, About, RiderReceipt
from dispatch.rounds.problem_arrays import is_stale

POINTS_PER_S = 100
"""Cost points of one second of an order's door time, as shipped."""

ENDED = {
    "expired": "you had not answered in time",
    "logged_off": "your shift had ended",
    "break": "your break had begun",
    "lost": "nothing was heard from your phone",
    "unseen": "your phone had not shown your route",
    "overtaken": "you had already told us what became of it",
    "order_gone": "an order of it was called off, held back or given to somebody else",
}
NOT_ASKED = {
    "declined": "you had declined it",
    "expired": "you had not answered in time",
    "unassigned": "operations took it off your route ({})",
    "reported": "you had told us that it could not be fetched ({})",
    "unseen": "your phone had not shown your route; it may be yours again once it speaks",
}
PARTIES = {Party.STORE: "store {}", Party.CUSTOMER: "a customer", Party.DOOR: "an address"}
RESTS = {
    "stretch": "you had worked for as long as one may at a stretch",
    "window": "a break of your duty was due",
}

Naming = Callable[[str], str]
"""How an order is called."""
Clock = Callable[[int], str]


def in_words(receipt: RiderReceipt, *, clock: Clock, contact: str, naming: Naming = str) -> str:
    """One receipt as sentences to the rider.

    `clock`: an instant as clocks show it.  `contact`: who can take a decision back, as people are told.
    """
    text = _SAY[receipt.about](receipt, " and ".join(map(naming, receipt.order_ids)), clock)
    if receipt.about in REVERSIBLE:
        text += f" This can be taken back: ask {contact}, and name receipt {receipt.number}."
    return text


def receipts_in(entries: Iterable[tuple[Any, ...]], rider_id: str) -> list[RiderReceipt]:
    """Every receipt of a rider in a journal, in order; `entries`: tuples that end in events.

    Raises Refused (`unknown_rider`) where the journal never heard of them.
    """
    found: list[RiderReceipt] = []
    is_known = False
    for entry in entries:
        for event in entry[-1]:
            is_known |= isinstance(event, RiderKnown) and event.rider.rider_id == rider_id
            made = (fields for name, fields in receipts.of(event) if name == rider_id)
            found += (RiderReceipt(number=len(found) + 1, **fields) for fields in made)
    if not is_known:
        raise Refused(
            f"the journal knows no rider {rider_id!r}",
            code="unknown_rider",
            rider_id=rider_id,
            hint="riders.csv in the run folder lists them all.",
        )
    return found


def reasons_now(record: RiderRecord, board: Board, *, clock: Clock) -> list[str]:
    """Why the rider is given little or nothing right now; empty where nothing stands in the way."""
    now, rests_until = board.now, record.rests_until(board.now)
    shift, until = record.shift_at(now), record.works_until(board.settings.rules.hours, now, 0)
    checks = (
        (shift is None or shift.start_at > now, "You are off duty."),
        (record.lost, "Nothing was heard from your phone for long: you count as away until it speaks."),
        (not record.lost and is_stale(record, board), "Nothing was heard from your phone for a while: no new work."),
        (record.on_break, "You are on a break."),
        (rests_until is not None, f"You rest by law until {clock(rests_until or now)}."),
        (record.parked is not None, "Our planning failed with you in it: no new work until something changes."),
        (record.offer_id is not None, "An offer waits for your answer."),
        (until is not None and until <= now, "You have worked for as long as the law allows for now."),
        (shift is not None and shift.start_at <= now > shift.last_pickup_at, "Your last pickup of this shift is over."),
        (bool(record.apart), f"You are kept apart from {len(record.apart)} stores or customers."),
    )
    return [text for holds, text in checks if holds]


def _waiting(points: int | None) -> str:
    return f"{abs(points or 0) / POINTS_PER_S:.0f} seconds of waiting"


def _given(receipt: RiderReceipt, orders: str, clock: Clock) -> str:
    if receipt.more_points is None:
        return f"You were given order {orders}: the plan of then had nobody else for it."
    if receipt.more_points < 0:
        return (
            f"You were given order {orders}: another rider would have cost {_waiting(receipt.more_points)} less for it "
            "alone, but all orders together were better served so."
        )
    return (
        f"You were given order {orders} because you were the cheapest choice: the next best rider would have cost "
        f"{_waiting(receipt.more_points)} more."
    )


def _elsewhere(receipt: RiderReceipt, orders: str, clock: Clock) -> str:
    if receipt.more_points is None:
        return f"Order {orders} went to another rider."
    how = "more" if receipt.more_points >= 0 else "less, but all orders together were better served so"
    return f"Order {orders} went to another rider: with you it would have cost {_waiting(receipt.more_points)} {how}."


def _offered(receipt: RiderReceipt, orders: str, clock: Clock) -> str:
    text = f"You were asked until {clock(receipt.until or receipt.at)} whether you take {orders}"
    if receipt.more_points is None:
        return text + ": the plan of then had nobody else for it."
    return text + f": the next best rider would have cost {_waiting(receipt.more_points)} more."


def _offer_ended(receipt: RiderReceipt, orders: str, clock: Clock) -> str:
    return f"An offer to you ended: {ENDED.get(receipt.reason, receipt.reason)}."


def _not_asked(receipt: RiderReceipt, orders: str, clock: Clock) -> str:
    word, _, said = receipt.reason.partition(":")
    why = NOT_ASKED.get(word, "operations or a report of before said so").format(said.replace("_", " "))
    return f"You are not asked again for order {orders}: {why}."


def _apart(receipt: RiderReceipt, orders: str, clock: Clock) -> str:
    return f"You are kept apart from {PARTIES[Party(receipt.reason)].format(receipt.name)}: operations said so."


_SAY: dict[About, Callable[[RiderReceipt, str, Clock], str]] = {
    About.GIVEN: _given,
    About.ELSEWHERE: _elsewhere,
    About.OFFERED: _offered,
    About.OFFER_ENDED: _offer_ended,
    About.TAKEN_AWAY: lambda one, orders, clock: f"Order {orders} is no longer yours: the plan had changed.",
    About.NOT_ASKED: _not_asked,
    About.LOST: lambda one, orders, clock: (
        "Nothing was heard from your phone for long: you counted as away, and what you had not fetched went to others."
    ),
    About.LOGGED_OFF: lambda one, orders, clock: f"Operations logged you off: {one.reason.replace('_', ' ')}.",
    About.PARKED: lambda one, orders, clock: f"No new work was planned for you: {one.reason or 'our planning failed'}.",
    About.RESTS: lambda one, orders, clock: (
        f"Your break by law began, until {clock(one.until or one.at)}: {RESTS.get(one.reason, one.reason)}."
    ),
    About.APART: _apart,
    About.TOGETHER: lambda one, orders, clock: (
        f"You may meet {PARTIES[Party(one.reason)].format(one.name)} again: operations said so."
    ),
    About.REVERSED: lambda one, orders, clock: (
        f"Operations took receipt {one.reverses} back: {one.reason.replace('_', ' ')}."
    ),
}
