"""Opening a round, taking its answer, and what time alone brings about."""

from __future__ import annotations

from dataclasses import replace

from dispatch import events as e
from dispatch import inputs as i
from dispatch.alternatives.pairs import still_open
from dispatch.alternatives.taking import short_of_stock
from dispatch.board.board import Board
from dispatch.board.commitment import next_due
from dispatch.board.doors import door_of
from dispatch.board.records import RiderRecord
from dispatch.engine.choosing import choose
from dispatch.engine.decisions import giving_up, offers, rest, riders, risk
from dispatch.engine.draft import Draft
from dispatch.events import Events
from dispatch.model import Act, ActKind, Engagement, Level, Stop
from dispatch.people.apart import parted

MOST_LEAVING = 200
"""Ended orders that leave the board with one wake-up; the rest leave with the next."""
ANSWER_GRACE_S = 15
"""After the service was away an open offer may be answered for at least so long."""
PROMPT_S = 1
"""In prompt mode a round opens at most this long after something new; at once where a usable rider is idle."""


def next_round_at(board: Board, now: int) -> int | None:
    """When the next round opens; None while one is open or nothing asks for one."""
    rules = board.settings.rules
    if board.open_round is not None:
        return None
    last = board.round_opened_at
    if rules.round_mode == "beat":
        if not (_has_open_orders(board) or _has_riders_on_duty(board, now)):
            return None
        beat = -(-now // rules.round_s) * rules.round_s
        return beat if last is None or beat > last else last - last % rules.round_s + rules.round_s
    if board.dirty_at is not None and _has_open_orders(board):
        prompt = board.dirty_at if _has_idle_rider(board, now) else board.dirty_at + PROMPT_S
        return max(prompt, now, (last if last is not None else now - 1) + 1)
    if _has_open_orders(board) or _may_move_empty(board, now):
        return max(now, (last if last is not None else now) + rules.round_s)
    return None


def wake(board: Board, item: i.Wake, due_riders: tuple[str, ...], due_orders: tuple[str, ...] = ()) -> Events:
    """Everything that the passing of time brings: commitments due, offers expired, riders lost, orders ended, a round.

    `due_riders`, `due_orders`: those whose timer has run out.
    """
    at = item.at
    found: list[e.Event] = [*_leaving(board, at)]
    opens_at = next_round_at(board, at)
    opens = opens_at is not None and opens_at <= at
    # In beat mode, solve the round first; commitments due now follow with its answer.
    waits_for_answer = opens and board.settings.rules.round_mode == "beat"
    draft = Draft(board, at)
    for rider_id in due_riders:
        record = board.riders[rider_id]
        silenced = _silent(board, rider_id, at)
        at_risk = _at_risk(record, board, at) if not silenced else ()
        found.extend((*at_risk, *silenced, *(() if silenced else rest.look(record, board, at))))
        commits_at = next_due(record, board) if at_risk else at
        is_due = commits_at is not None and commits_at - board.settings.rules.commit_lead_s <= at
        if is_due and not silenced and not record.lost and not waits_for_answer:
            draft.rider(rider_id)
    found.extend(draft.finish())
    for offer in tuple(board.offers.values()):
        if at >= board.offer_ends_at(offer):
            found.extend(offers.close_offer(board, offer, at, "expired"))
    found.extend(giving_up.look(board, due_orders, at))
    if opens:
        found.append(
            e.RoundOpened(
                at=at,
                round=board.round + 1,
                deadline_at=at + board.settings.rules.round_deadline_s,
                travel_version=board.travel_version,
            )
        )
    return tuple(found)


def _leaving(board: Board, at: int) -> Events:
    """Orders that ended long enough ago leave, so many at once that nobody waits for it."""
    keep_s = board.settings.rules.ended_keep_s
    gone = board.ended_before(at - keep_s)[:MOST_LEAVING] if keep_s else ()
    return (e.OrdersLeft(at=at, order_ids=gone),) if gone else ()


def round_solved(board: Board, item: i.RoundSolved, due_riders: tuple[str, ...]) -> Events:
    """Take the answer of the open round: changes that no longer fit are refused whole.

    `due_riders`: those to whom something must be told now, whether their plan changed or not.
    """
    if board.open_round != item.round:
        return (e.AnswerDropped(at=item.at, round=item.round),)
    chosen = {found.order_id: found for found in item.alternatives}
    refused = _refused(board, item.changes, chosen)
    draft = Draft(board, item.at)
    draft.events.append(
        e.RoundClosed(
            at=item.at,
            round=item.round,
            cause=item.cause,
            refused=tuple(change.rider_id for change in item.changes if change.rider_id in refused),
            cost=item.cost,
            work=item.work,
            choices=item.choices,
            planned_wait_s=item.planned_wait_s,
            alternatives=item.alternatives,
        )
    )
    for change in item.changes:
        if change.rider_id not in refused:
            choose(draft, change, chosen)
            stops = _stops(board, draft.rider(change.rider_id), change)
            draft.set_stops(change.rider_id, stops, travel_version=board.round_travel_version)
    for rider_id in due_riders:
        if not board.riders[rider_id].lost:
            draft.rider(rider_id)
    events = list(draft.finish())
    planned = {a.order_id for x in events if isinstance(x, e.RouteRevised) for s in x.route.stops for a in s.acts}
    for order_id, reason in item.reasons:
        record = board.open_orders.get(order_id)
        if record is not None and record.reason is not reason and order_id not in planned and record.is_waiting:
            events.append(e.ReasonSet(at=item.at, order_id=order_id, reason=reason))
    return tuple(events)


# --- answers --------------------------------------------------------------------------------------------------------


def _refused(board: Board, changes: tuple[i.RouteChange, ...], chosen: dict[str, i.Alternative]) -> set[str]:
    """Riders whose change cannot be taken: their route moved, an order is gone, or another keeps one of its orders."""
    refused = {change.rider_id for change in changes if not _fits(board, change, chosen)}
    refused |= short_of_stock(board, [change for change in changes if change.rider_id not in refused], chosen)
    while True:
        moving = {change.rider_id for change in changes} - refused
        taken: dict[str, str] = {}
        clash = set()
        for change in changes:
            if change.rider_id in refused:
                continue
            for order_id in dict.fromkeys(order for stop in change.stops for order, _ in stop.acts):
                keeper = board.orders[order_id].planned_rider_id
                stays = keeper is not None and keeper != change.rider_id and keeper not in moving
                if stays or taken.setdefault(order_id, change.rider_id) != change.rider_id:
                    clash.add(change.rider_id)
        if not clash:
            return refused
        refused |= clash


def _fits(board: Board, change: i.RouteChange, chosen: dict[str, i.Alternative]) -> bool:
    rider = board.riders.get(change.rider_id)
    if rider is None or rider.route.revision != change.revision or rider.lost:
        return False
    picked: set[str] = set()
    for stop in change.stops:
        for order_id, kind in stop.acts:
            record = board.open_orders.get(order_id)
            if record is None or (kind is ActKind.PICKUP and (not record.is_waiting or record.held)):
                return False
            if kind is ActKind.PICKUP and parted(rider.apart, record.order) is not None:
                return False  # said while the round was being solved
            if kind is ActKind.PICKUP and order_id in chosen and not still_open(board, chosen[order_id]):
                return False
            if kind is ActKind.PICKUP:
                picked.add(order_id)
            elif order_id not in picked and record.rider_id != change.rider_id:
                return False
    return not picked or _keeps_hours(board, rider, change)


def _keeps_hours(board: Board, rider: RiderRecord, change: i.RouteChange) -> bool:
    """Whether a plan that has something new for a rider ends while they may work."""
    planned = {act.order_id for stop in rider.route.stops for act in stop.acts}
    if all(order_id in planned for stop in change.stops for order_id, _ in stop.acts):
        return True
    works_until = rider.works_until(board.settings.rules.hours, board.now, board.settings.rules.offer_s)
    ends_at = max((stop.expected_leave_at for stop in change.stops if stop.acts), default=0)
    begins_at = change.stops[0].expected_arrive_at - change.stops[0].leg_s
    rests_until = rider.rests_until(board.now)
    return (works_until is None or ends_at <= works_until) and (rests_until is None or begins_at >= rests_until)


def _stops(board: Board, rider: RiderRecord, change: i.RouteChange) -> tuple[Stop, ...]:
    """The planned stops with the levels and ids of those that were told already."""
    told = list(rider.route.told)
    theirs = {act.order_id for stop in told for act in stop.acts if act.level >= Level.TOLD}
    asks = rider.rider.engagement is Engagement.CROWD
    stops: list[Stop] = []
    open_: set[str] = set()
    for planned in change.stops:
        stop = _stop(board, planned, told, theirs if asks else None, open_)
        if stop.level >= Level.TOLD:
            open_ |= {act.order_id for act in stop.acts if act.kind is ActKind.PICKUP and act.level < Level.TOLD}
        stops.append(stop)
    if asks:
        # What a crowd rider has not been asked yet cannot come before where they are going.
        first = next((k for k, stop in enumerate(stops) if stop.level >= Level.TOLD), 0)
        stops = [*stops[first : first + 1], *stops[:first], *stops[first + 1 :]]
    if stops and rider.route.stops and stops[0].stop_id and stops[0].stop_id == rider.route.stops[0].stop_id:
        # They set out for it before this round: the leg counts from there, not from where the plan took them up.
        before = rider.route.stops[0]
        stops[0] = replace(stops[0], leg_s=before.leg_s, leg_m=before.leg_m, walk_s=before.walk_s, walk_m=before.walk_m)
    last_told = max((k for k, stop in enumerate(stops) if stop.level >= Level.TOLD), default=-1)
    number = rider.stops_told
    for k in range(last_told):
        # Whatever comes before a told stop is told with it: the rider goes there first.
        if stops[k].level < Level.TOLD and (not asks or all(act.order_id in theirs for act in stops[k].acts)):
            number += 1
            acts = tuple(Act(act.order_id, act.kind, Level.TOLD) for act in stops[k].acts)
            stops[k] = replace(stops[k], stop_id=f"{rider.rider.rider_id}.{number}", level=Level.TOLD, acts=acts)
    return tuple(stops)


def _stop(board: Board, planned: i.PlannedStop, told: list[Stop], theirs: set[str] | None, open_: set[str]) -> Stop:
    """`theirs`: orders that a rider has accepted, where they must be asked for any other (None: need not be asked).

    `open_`: orders that may still change at a told stop before this one.
    """
    acts = tuple(Act(order_id, ActKind(kind)) for order_id, kind in planned.acts)
    fresh = Stop("", planned.place, planned.store_id, Level.TENTATIVE, acts, *planned[3:])
    door = _door(board, fresh)
    match = next((stop for stop in told if _same_place(board, stop, fresh, door) and _same_errand(stop, fresh)), None)
    if match is None:
        return fresh
    told.remove(match)
    levels = {(act.order_id, act.kind): act.level for act in match.acts}
    # Orders that join others already told are told with them: the rider would leave without them.
    joins = Level.TOLD if any(act.level >= Level.TOLD for act in match.acts) else Level.TENTATIVE
    kept = []
    for act in acts:
        is_settled = (theirs is None or act.order_id in theirs) and act.order_id not in open_
        joined = joins if is_settled else Level.TENTATIVE
        kept.append(replace(act, level=levels.get((act.order_id, act.kind), joined)))
    return replace(fresh, stop_id=match.stop_id, place=match.place, level=match.level, acts=tuple(kept))


def _same_place(board: Board, told: Stop, fresh: Stop, door: str) -> bool:
    """At one place, or at one door that goes by the places of several orders."""
    return told.place == fresh.place or (bool(door) and _door(board, told) == door)


def _door(board: Board, stop: Stop) -> str:
    return door_of(stop, lambda order_id: board.orders[order_id].order)


def _same_errand(told: Stop, fresh: Stop) -> bool:
    """The same halt: a pickup stop at that store, or a drop stop with an order in common."""
    if not told.acts or not fresh.acts:
        return True
    if told.acts[0].kind is not fresh.acts[0].kind:
        return False
    mine = {act.order_id for act in told.acts}
    return told.acts[0].kind is ActKind.PICKUP or any(act.order_id in mine for act in fresh.acts)


# --- time -----------------------------------------------------------------------------------------------------------


def service_resumed(board: Board, item: i.ServiceResumed) -> Events:
    """Judge nobody by a silence that was our own."""
    return (e.HearingResumed(at=item.at, since_at=item.since_at, answers_until=item.at + ANSWER_GRACE_S),)


def silence_at(record: RiderRecord, board: Board) -> int | None:
    """When a rider's silence has consequences: an unseen route is withdrawn, a rider unheard of is lost."""
    rules = board.settings.rules
    due = []
    if rules.route_ack_timeout_s and record.told_at is not None and _is_unseen(record):
        due.append(max(record.told_at, board.hears_since) + rules.route_ack_timeout_s)
    if rules.lost_after_s and not record.lost and _is_expected_to_speak(record, board.now):
        due.append(board.heard_at(record) + rules.lost_after_s)
    return min(due, default=None)


def rings_at(record: RiderRecord, board: Board) -> int | None:
    """When a rider's silence, or a break that is due to them, is to be looked at next."""
    due = (silence_at(record, board), risk.silent_at(record, board), rest.rests_at(record, board))
    return min((at for at in due if at is not None), default=None)


def _at_risk(record: RiderRecord, board: Board, at: int) -> Events:
    due = risk.silent_at(record, board)
    return risk.by_silence(record, board, at) if due is not None and due <= at else ()


def _silent(board: Board, rider_id: str, at: int) -> Events:
    record, rules = board.riders[rider_id], board.settings.rules
    due = silence_at(record, board)
    if due is None or due > at:
        return ()
    if rules.lost_after_s and not record.lost and board.heard_at(record) + rules.lost_after_s <= at:
        return riders.lose(board, rider_id, at)
    return riders.withdraw_unseen(board, rider_id, at)


def _is_unseen(record: RiderRecord) -> bool:
    stops = record.route.stops
    return bool(stops) and stops[0].level == Level.TOLD and record.seen_revision < record.told_revision


def _is_expected_to_speak(record: RiderRecord, now: int) -> bool:
    if record.route.told:
        return True
    shift = record.shift_at(now)
    return shift is not None and shift.start_at <= now and not record.on_break


def _has_open_orders(board: Board) -> bool:
    return bool(board.open_orders)


def _has_riders_on_duty(board: Board, now: int) -> bool:
    return any(
        (shift := record.shift_at(now)) is not None
        and shift.start_at <= now + board.settings.rules.horizon_s
        and shift.last_pickup_at >= now
        for record in board.riders.values()
    )


def _may_move_empty(board: Board, now: int) -> bool:
    return board.settings.rules.empty_moves and bool(board.stores) and _has_idle_rider(board, now)


def _has_idle_rider(board: Board, now: int) -> bool:
    return any(is_idle(record, now) for record in board.riders.values())


def is_idle(record: RiderRecord, now: int) -> bool:
    """On duty, free, and with nothing planned."""
    if not record.has_nothing_to_do or record.lost or record.on_break or record.free_at > now:
        return False
    if record.rests_until(now) is not None:
        return False
    shift = record.shift_at(now)
    return shift is not None and shift.start_at <= now <= shift.last_pickup_at
