"""Every request in every vehicle at once: cheapest insertions for vehicles whose routes are alike, lane by lane.

Vehicles with the same number of stops and one profile form a block.  Its arrays hold one lane per vehicle, so that each
pass over a gap is a loop over neighbouring numbers; what a delay costs the rest of a route is walked stop by stop.
Loops are short and write one array each: more of them would have to be shown not to overlap, and the compiler would
give up on lanes (measured: 70 ns a pair against 40).  All numbers fit int32 (the caller has checked it).
"""

from __future__ import annotations

import numpy as np

from routing.kernels import fused_kernel, lean_kernel
from routing.plans.general.kernels import columns as col
from routing.problem.kernels.laws import door_slopes, door_steps, is_allowed

# Fields of a block, int32[stop, ., lane]: of stop k, and of the way from it to the next.  Stop 0 is the start.
PLACE, LEAVE, LEG, FREE, WAIT, EARLY, ROOM, OVER_FIRST, OVER_SECOND, SLOPE, RISE, STEP, FIRST_FEE, SECOND_FEE = range(
    14
)
FIELDS = 14

# Fields of its vehicles, int32[., lane].
PER_TICK, PER_WORK, LAST_PICKUP, END_ROOM, PAID_ROOM, END_PLACE = range(6)
OWN = 6

# Fields of a request, int32[.]
AT_PICK, AT_DROP, OPEN_PICK, CLOSE_PICK, ENTER_PICK, STAY_PICK, OPEN_DROP, CLOSE_DROP, ENTER_DROP, STAY_DROP = range(10)
LOAD, PLACED, DUE_FIRST, DUE_SECOND, DOOR_SLOPE, DOOR_RISE, DOOR_STEP, DOOR_FIRST_FEE, DOOR_SECOND_FEE = range(10, 19)
NUMBER, ROW, HOME = 19, 20, 21
ASKED = 22

FAR = np.int32(2**30)

# Rows of scratch; the gathered ways follow, four for each stop and the end.
REACH, OUT, SPENT, DELAY, BEST, WHERE, SURE, AFTER, TOTAL = range(9)
WAYS = 9
TO_PICK, FROM_PICK, TO_DROP, FROM_DROP = range(4)


@fused_kernel
def _walk(block, rich, k, delay, spent, lanes):
    """Carry a delay through stop k: what is left of it, what it costs; FAR where it breaks a law."""
    stop = block[k]
    wait, early, room, over = stop[WAIT], stop[EARLY], stop[ROOM], stop[OVER_FIRST]
    slope, rise = stop[SLOPE], stop[RISE]
    for v in range(lanes):
        delay[v] = max(np.int32(delay[v] - wait[v]), np.int32(-early[v]))
    for v in range(lanes):
        cost = door_slopes(delay[v], over[v], slope[v], rise[v])
        spent[v] = FAR if (delay[v] > room[v]) | (spent[v] >= FAR) else np.int32(spent[v] + cost)
    if rich:
        second, step, fee, last_fee = stop[OVER_SECOND], stop[STEP], stop[FIRST_FEE], stop[SECOND_FEE]
        for v in range(lanes):
            cost = door_steps(delay[v], over[v], second[v], step[v], fee[v], last_fee[v])
            spent[v] = FAR if spent[v] >= FAR else np.int32(spent[v] + cost)


@fused_kernel
def _door(asked, at):
    """Price of handing the request over at tick `at`: what it has come to since it was placed."""
    late = np.int32(at - asked[PLACED])
    over, then = np.int32(asked[PLACED] - asked[DUE_FIRST]), np.int32(asked[PLACED] - asked[DUE_SECOND])
    price = door_slopes(late, over, asked[DOOR_SLOPE], asked[DOOR_RISE])
    return np.int32(
        price + door_steps(late, over, then, asked[DOOR_STEP], asked[DOOR_FIRST_FEE], asked[DOOR_SECOND_FEE])
    )


@fused_kernel
def _gather(tables, like, place, side, lines):
    """Ways between every stop of the block and a place of the request; 0 where they are the same place.

    `side`: TO_PICK or TO_DROP; the way back follows it.
    """
    leaving, coming = tables.legs[0, like.profile, place], tables.back[0, like.profile, place]
    stops, lanes = like.block.shape[0] - 1, like.block.shape[2]
    for k in range(stops + 1):
        stop, to = like.block[k, PLACE], lines[WAYS + 4 * k + side]
        for v in range(lanes):
            to[v] = coming[stop[v]] if stop[v] != place else np.int32(0)
    for k in range(1, stops + 2):
        stop = like.own[END_PLACE] if k == stops + 1 else like.block[k, PLACE]
        back = lines[WAYS + 4 * k + side + 1]
        for v in range(lanes):
            back[v] = leaving[stop[v]] if stop[v] != place else np.int32(0)


@fused_kernel
def _pick_up(like, asked, i, lines):
    """Fetch the request behind stop i: REACH is the price of the way there, OUT the tick at which it is left."""
    stop, own, lanes = like.block[i], like.own, like.block.shape[2]
    ways, after = WAYS + 4 * i, WAYS + 4 * (i + 1)
    to_pick, from_pick = lines[ways + TO_PICK], lines[after + FROM_PICK]
    reach, out, spent, delay = lines[REACH], lines[OUT], lines[SPENT], lines[DELAY]
    leave, leg, free = stop[LEAVE], stop[LEG], stop[FREE]
    per_tick, last = own[PER_TICK], own[LAST_PICKUP]
    enter, opens, closes, stay = asked[ENTER_PICK], asked[OPEN_PICK], asked[CLOSE_PICK], asked[STAY_PICK]
    load = asked[LOAD]
    for v in range(lanes):
        out[v] = max(np.int32(leave[v] + to_pick[v] + enter), opens)
    for v in range(lanes):
        lawful = (out[v] <= closes) & (out[v] <= last[v]) & (free[v] >= load) & (to_pick[v] < FAR - 1)
        reach[v] = np.int32(per_tick[v] * np.int32(to_pick[v] - leg[v])) if lawful else FAR
    for v in range(lanes):
        spent[v] = FAR if reach[v] >= FAR else np.int32(reach[v] + np.int32(per_tick[v] * from_pick[v]))
    for v in range(lanes):
        out[v] = np.int32(out[v] + stay)
    for v in range(lanes):
        delay[v] = np.int32(out[v] + from_pick[v] - leave[v] - leg[v])


@fused_kernel
def _drop(like, asked, i, j, between, lines):
    """Drop the request behind stop j and keep the plan where it is the cheapest so far.

    j = i: straight after the pickup; else SPENT and DELAY hold the route as far as stop j.
    """
    stop, own, after = like.block[j], like.own, WAYS + 4 * (j + 1)
    stops, lanes = like.block.shape[0] - 1, like.block.shape[2]
    to_drop, from_drop = lines[WAYS + 4 * j + TO_DROP], lines[after + FROM_DROP]
    leave, leg, per_tick, end_room, paid_room = stop[LEAVE], stop[LEG], own[PER_TICK], own[END_ROOM], own[PAID_ROOM]
    late, total, best, where, sure = lines[AFTER], lines[TOTAL], lines[BEST], lines[WHERE], lines[SURE]
    enter, opens, closes, stay = asked[ENTER_DROP], asked[OPEN_DROP], asked[CLOSE_DROP], asked[STAY_DROP]
    if i == j:
        out, before = lines[OUT], lines[REACH]
        for v in range(lanes):
            late[v] = max(np.int32(out[v] + between + enter), opens)
        for v in range(lanes):
            price = np.int32(before[v] + np.int32(per_tick[v] * np.int32(between + from_drop[v])))
            price = np.int32(price + _door(asked, late[v]))
            total[v] = price if (before[v] < FAR) & (late[v] <= closes) else FAR
    else:
        delay, before = lines[DELAY], lines[SPENT]
        for v in range(lanes):
            late[v] = max(np.int32(leave[v] + delay[v] + to_drop[v] + enter), opens)
        for v in range(lanes):
            price = np.int32(before[v] + np.int32(per_tick[v] * np.int32(to_drop[v] + from_drop[v] - leg[v])))
            price = np.int32(price + _door(asked, late[v]))
            total[v] = price if (before[v] < FAR) & (late[v] <= closes) else FAR
    for v in range(lanes):
        late[v] = np.int32(late[v] + stay + from_drop[v] - leave[v] - leg[v])
    for k in range(j + 1, stops + 1):
        _walk(like.block, like.rich, k, late, total, lanes)
    if like.ends:
        for v in range(lanes):
            total[v] = FAR if late[v] > end_room[v] else total[v]
        for v in range(lanes):
            sure[v] = np.int32(0) if (total[v] < FAR) & (late[v] > paid_room[v]) else sure[v]
    gaps = np.int32(i << 8 | j)
    for v in range(lanes):
        where[v] = gaps if total[v] < best[v] else where[v]
    for v in range(lanes):
        best[v] = min(best[v], total[v])


@lean_kernel
def price_block(tables, like, asked, taking, price, gap, lines):
    """Cheapest insertion of each request in `asked` [n, .] into each vehicle of a block.

    `like`: the block (plans/general/insertion_prices.py).  Requests side by side that are fetched at one place share
    the ways to it.  `taking[n]`: price of taking the request from its told vehicle.  Rows ROW of `price[A, V]` and
    `gap[A, V, 2]` are set where the request is worth it; the gap is -1 where work becomes free of charge meanwhile,
    which is not priced here.
    """
    block, stops, lanes = like.block, like.block.shape[0] - 1, like.block.shape[2]
    gathered, pair = np.int32(-1), tables.flag[col.PAIR_AT]
    for a in range(len(asked)):
        one = asked[a]
        row = one[ROW]
        between = tables.legs[0, like.profile, one[AT_PICK], one[AT_DROP]]
        if between >= FAR - 1:
            continue
        if one[AT_PICK] != gathered:
            gathered = one[AT_PICK]
            _gather(tables, like, gathered, TO_PICK, lines)
        _gather(tables, like, one[AT_DROP], TO_DROP, lines)
        best, where, sure = lines[BEST], lines[WHERE], lines[SURE]
        for v in range(lanes):
            best[v], where[v], sure[v] = FAR, 0, 1
        for i in range(stops + 1):
            _pick_up(like, one, i, lines)
            _drop(like, one, i, i, between, lines)
            for j in range(i + 1, stops + 1):
                _walk(block, like.rich, j, lines[DELAY], lines[SPENT], lanes)
                free, spent = block[j, FREE], lines[SPENT]
                for v in range(lanes):
                    spent[v] = spent[v] if free[v] >= one[LOAD] else FAR
                _drop(like, one, i, j, between, lines)
        service = np.int64(one[ENTER_PICK] + one[STAY_PICK] + one[ENTER_DROP] + one[STAY_DROP])
        for v in range(lanes):
            vehicle = like.members[v]
            if not is_allowed(tables.allowed, one[NUMBER], vehicle):
                continue
            cost = best[v] + like.opening[v] + like.own[PER_WORK, v] * service
            if vehicle != one[HOME]:
                cost += taking[a]
            if pair > 0:
                cost += tables.request[one[NUMBER], pair + vehicle]
            if sure[v] == 0:
                gap[row, vehicle, 0] = -1
            elif best[v] < FAR and cost < price[row, vehicle]:
                price[row, vehicle] = cost
                gap[row, vehicle, 0], gap[row, vehicle, 1] = where[v] >> 8, where[v] & 255
