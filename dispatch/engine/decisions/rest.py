"""Breaks by law: who is due for one is given it as soon as their hands are free."""

from __future__ import annotations

from dispatch import events as e
from dispatch.board.board import Board
from dispatch.board.records import RiderRecord
from dispatch.events import Events
from dispatch.people.hours import IDLE_S, hours_rule


def rests_at(record: RiderRecord, board: Board) -> int | None:
    """When a rider's break begins, if nothing comes in between; None where none is due, or they have something to do.

    Within the time in which it may begin, it does so once they have had nothing to do for a while.
    """
    line, now = board.settings.rules.hours, board.now
    if not line or record.lost or record.on_break or record.offer_id is not None or not record.has_nothing_to_do:
        return None
    left = record.hours(line, now)
    shift = record.shift_at(now)
    if left is None or shift is None or left.break_from is None or left.break_by is None:
        return None
    idle_from = max(record.free_at, shift.start_at, left.stretch_from)
    return max(min(left.break_by, max(left.break_from, idle_from + IDLE_S)), idle_from)


def look(record: RiderRecord, board: Board, at: int) -> Events:
    """The break that is due to a rider at `at`, if one is."""
    due = rests_at(record, board)
    if due is None or due > at:
        return ()
    rule, left = hours_rule(board.settings.rules.hours), record.hours(board.settings.rules.hours, at)
    is_stretch = left is not None and rule.stretch_s is not None and left.break_by == left.stretch_from + rule.stretch_s
    why = "stretch" if is_stretch else "window"
    return (e.RestGiven(at=at, rider_id=record.rider.rider_id, until=at + rule.break_s, why=why),)
