"""The full table of cheapest insertions: every absent request in every vehicle, blocks of like routes at once.

Most routes of a city are short and of one kind: pairs and goods on board, every stop at a place of its own.  Those are
priced in blocks (kernels/insertion_prices.py); all other pairs one by one, with the same answer.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels import insertion_prices as field
from routing.plans.general.kernels.construct import price_pairs
from routing.plans.general.kernels.insertion_prices import price_block
from routing.plans.general.tables import Kind, Routes, Tables
from routing.problem.problem import I32, I64, INFINITE

if TYPE_CHECKING:
    from routing.plans.general.work import Work

LONGEST = 8
"""Stops of the longest route that is priced in a block."""

ROOM = 2**28
"""A delay larger than any limit in a block: treated as unlimited."""

WORTH_A_THREAD = 150_000
"""Pairs that take a good five milliseconds: below, another thread costs more than it does."""

CHUNK = 64
"""Requests whose rows of the answer stay in the cache while block after block writes its columns."""

MOST = 2**29
"""Largest sum of prices that a block may meet: int32 with room to spare."""


class Matrix(NamedTuple):
    """`price[A, V]` of each request in each vehicle, or of skipping it where that is cheaper; `gap[A, V, 2]`: where."""

    price: I64
    gap: I32


def price_matrix(tables: Tables, routes: Routes, work: Work, requests: I64, *, threads: int = 1) -> Matrix:
    """Cheapest insertion of every request (absent ones) into every vehicle, the rest of the plan as it is.

    `threads`: at most so many share the requests of large tables; the answer is the same for any number.
    """
    vehicles = len(routes.size)
    price = np.repeat(tables.request[requests, col.SKIP][:, None], vehicles, axis=1)
    gap = np.zeros((len(requests), vehicles, 2), dtype=np.int32)
    asked = np.flatnonzero(_is_usual(tables, requests))
    asked = asked[np.argsort(tables.request[requests[asked], col.FIRST_PLACE], kind="stable")]
    questions = _questions(tables, requests, asked)
    blocks = _blocks(tables, routes, questions) if len(asked) else []
    taking = tables.request[requests[asked], col.TAKE]

    def run(part: NDArray[np.intp]) -> None:
        lines = [np.empty((field.WAYS + 4 * (len(one.block) + 1), len(one.members)), dtype=np.int32) for one in blocks]
        for begin in range(0, len(part), CHUNK):
            few = part[begin : begin + CHUNK]
            mine = questions[few].astype(np.int32)
            for one, scratch in zip(blocks, lines, strict=True):
                price_block(tables, one, mine, taking[few], price, gap, scratch)

    if threads > 1 and len(asked) * sum(len(one.members) for one in blocks) >= WORTH_A_THREAD:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(run, np.array_split(np.arange(len(asked)), threads)))
    else:
        run(np.arange(len(asked)))
    singly = _singly(tables, routes, requests, asked, blocks, gap)
    work.counter[col.INSERTIONS] += np.count_nonzero(~singly & _allowed(tables, requests))
    price_pairs(tables, routes, work, requests, singly, price, gap)
    return Matrix(price, gap)


class LikeRoutes(NamedTuple):
    """Vehicles with as many stops and one profile, as the kernel reads them."""

    profile: int
    members: NDArray[np.intp]  # [lanes] numbers of the vehicles
    block: I32  # [stops + 1, FIELDS, lanes]
    own: I32  # [OWN, lanes]
    rich: bool  # more than the first promise has a price
    ends: bool  # a shift or paid time may end
    opening: I64  # [lanes] price of using an empty vehicle


def _singly(
    tables: Tables, routes: Routes, requests: I64, asked: NDArray[np.intp], blocks: list[LikeRoutes], gap: I32
) -> NDArray[np.bool_]:
    """Pairs, bool[A, V], that no block has priced: of other requests or vehicles, with shared stops, or given up."""
    in_blocks, of_blocks = np.zeros(len(requests), dtype=np.bool_), np.zeros(len(routes.size), dtype=np.bool_)
    in_blocks[asked] = True
    for one in blocks:
        of_blocks[one.members] = True
    singly = ~(in_blocks[:, None] & of_blocks)
    if any(one.ends for one in blocks):
        singly |= gap[:, :, 0] < 0
    singly |= _meets(tables, routes, requests)
    return singly


def _blocks(tables: Tables, routes: Routes, questions: I64) -> list[LikeRoutes]:
    """Every block whose numbers fit into lanes."""
    like, longest = _is_alike(tables, routes), int(tables.flag[col.LONGEST_WAY])
    kinds = np.stack([routes.size, tables.vehicle[:, col.PROFILE]], axis=1)
    found = []
    for stops, profile in np.unique(kinds[like], axis=0).tolist():
        members = np.flatnonzero(like & (kinds == (stops, profile)).all(axis=1))
        block, own, rich, ends = _block(tables, routes, members, stops)
        if not _fits(block, own, questions, longest):
            continue
        opening = tables.vehicle[members, col.FIXED] if stops == 0 else np.zeros(len(members), dtype=np.int64)
        narrow = block.astype(np.int32), own.astype(np.int32)
        found.append(LikeRoutes(profile, members, *narrow, rich, ends, opening))
    return found


def _fits(block: I64, own: I64, questions: I64, longest: int) -> bool:
    """Whether no sum of times and prices can leave int32."""
    begins = max(
        int(block[:, field.LEAVE].max()),
        int(questions[:, field.OPEN_PICK].max()),
        int(questions[:, field.OPEN_DROP].max()),
    )
    stays = questions[:, [field.ENTER_PICK, field.STAY_PICK, field.ENTER_DROP, field.STAY_DROP]].max(initial=0)
    ends = begins + 4 * (longest + int(stays)) + int(-questions[:, field.PLACED].min())
    per_tick = np.abs(block[1:, field.SLOPE : field.STEP + 1]).sum(axis=(0, 1)).max(initial=0)
    per_tick += (
        np.abs(questions[:, field.DOOR_SLOPE : field.DOOR_STEP + 1]).sum(axis=1).max() + 4 * own[field.PER_TICK].max()
    )
    fees = np.abs(block[1:, field.FIRST_FEE :]).sum(axis=(0, 1)).max(initial=0)
    fees += np.abs(questions[:, field.DOOR_FIRST_FEE : field.DOOR_SECOND_FEE + 1]).sum(axis=1).max()
    largest = max(int(questions[:, : field.ROW].max()), int(block.max()), int(own.max()))
    return ends * int(per_tick) + int(fees) < MOST and largest < 2**31


def _meets(tables: Tables, routes: Routes, requests: I64) -> NDArray[np.bool_]:
    """Pairs, bool[A, V], whose vehicle halts where the request is fetched or brought: acts may share a stop."""
    vehicles, longest = len(routes.size), int(routes.size.max(initial=0))
    halts = np.zeros((int(tables.legs.shape[2]), vehicles), dtype=np.bool_)
    for k in range(1, longest + 1):
        on = np.flatnonzero(routes.size >= k)
        halts[tables.place[routes.row[on, col.NODE, k]], on] = True
    node = tables.place.reshape(-1, 2)[requests]
    return np.asarray(halts[node[:, 0]] | halts[node[:, 1]])


def _allowed(tables: Tables, requests: I64) -> NDArray[np.bool_]:
    """Who may carry what by the bit matrix, bool[A, V]."""
    bits = np.ascontiguousarray(tables.allowed[requests]).view(np.uint8)
    return np.unpackbits(bits, axis=1, bitorder="little", count=len(tables.vehicle)).astype(np.bool_)


def _is_usual(tables: Tables, requests: I64) -> NDArray[np.bool_]:
    """Requests that a block can price: pairs of two places, under one window, whose price only rises."""
    own, node = tables.request[requests], tables.node.reshape(-1, 2, tables.node.shape[1])[requests]
    usual = (own[:, col.KIND] == Kind.PAIR) & (own[:, col.CARRIER] < 0) & _is_priced_simply(own)
    usual &= node[:, 0, col.PLACE] != node[:, 1, col.PLACE]
    return np.asarray(usual, dtype=np.bool_)


def _is_priced_simply(own: I64) -> NDArray[np.bool_]:
    """Requests placed by now whose thresholds follow each other."""
    first = own[:, col.FIRST_DUE] >= own[:, col.PLACED]
    return np.asarray((own[:, col.PLACED] <= 0) & first & (own[:, col.SECOND_DUE] >= own[:, col.FIRST_DUE]))


def _is_alike(tables: Tables, routes: Routes) -> NDArray[np.bool_]:
    """Vehicles that a block can price: no told place but a first one that must stay, no trips to count, one load."""
    flag, own = tables.flag, tables.vehicle
    vehicles = len(own)
    closed = (
        col.PLAIN,
        col.MANY_WINDOWS,
        col.LIMITED_ON_BOARD,
        col.ORDER_ADDED,
        col.ONE_STORE,
        col.ANY_LOADED,
        col.GOODS,
    )
    if flag[list(closed)].any() or flag[col.DIMENSIONS] != 1 or tables.legs.shape[0] > 1:
        return np.zeros(vehicles, dtype=np.bool_)
    size = routes.size.astype(np.int64)
    room = own[:, [col.MAX_REQUESTS, col.MAX_TRIPS]].min(axis=1)
    alike = (size <= LONGEST) & (room > size + own[:, col.START_COUNT] + 1)
    simple = np.isin(tables.request[:, col.KIND], (Kind.PAIR, Kind.ABOARD)) & _is_priced_simply(tables.request)
    for k in range(1, min(LONGEST, int(size.max(initial=0))) + 1):
        node, before = tables.node[routes.row[:, col.NODE, k]], tables.place[routes.row[:, col.NODE, k - 1]]
        alone = (node[:, col.PLACE] != before) | (k == 1)
        alike &= (size < k) | (simple[node[:, col.REQUEST]] & alone)
    alike &= (own[:, col.STANDING_AT] < 0) | (own[:, col.TOLD_PRICED] > 0)
    for vehicle in np.flatnonzero(alike & (own[:, col.TOLD_PRICED] > 0)).tolist():
        first = int(tables.place[routes.row[vehicle, col.NODE, 1]]) if size[vehicle] else -1
        alike[vehicle] = _keeps_first(tables, vehicle, first)
    return np.asarray(alike, dtype=np.bool_)


def _keeps_first(tables: Tables, vehicle: int, first: int) -> bool:
    """Whether the told plan is priced by its first place alone, which must stay and is where the route begins."""
    told = tables.before[tables.before_ptr[vehicle] : tables.before_ptr[vehicle + 1]]
    price = tables.change[told[:, 1]]
    return bool(first == told[0, 0] and price[0, 2] >= col.LOCKED and not price[1:, 2].any() and not price[:, 0].any())


def _questions(tables: Tables, requests: I64, asked: NDArray[np.intp]) -> I64:
    """Kernel fields of requests, int64[n, ASKED]."""
    chosen = requests[asked]
    own, node = tables.request[chosen], tables.node.reshape(-1, 2, tables.node.shape[1])[chosen]
    made = np.zeros((len(asked), field.ASKED), dtype=np.int64)
    for side, columns in enumerate(
        ((field.AT_PICK, field.OPEN_PICK, field.CLOSE_PICK, field.ENTER_PICK, field.STAY_PICK),
         (field.AT_DROP, field.OPEN_DROP, field.CLOSE_DROP, field.ENTER_DROP, field.STAY_DROP))
    ):  # fmt: skip
        made[:, columns] = node[:, side][:, [col.PLACE, col.OPEN, col.CLOSE, col.ENTER, col.STAY]]
    made[:, field.LOAD], made[:, field.PLACED] = own[:, col.LOAD], own[:, col.PLACED]
    made[:, field.DUE_FIRST : field.DUE_SECOND + 1] = own[:, col.FIRST_DUE : col.SECOND_DUE + 1]
    made[:, field.DOOR_SLOPE : field.DOOR_SECOND_FEE + 1] = _prices(own)
    made[:, field.NUMBER], made[:, field.ROW], made[:, field.HOME] = chosen, asked, own[:, col.HOME]
    return made


def _prices(own: I64) -> I64:
    """Slope, what it rises by at each threshold, and the two fees, by request."""
    slope = own[:, col.SLOPE : col.SLOPE + 3]
    return np.concatenate([slope[:, :1], np.diff(slope, axis=1), own[:, col.LATE : col.LATE + 2]], axis=1)


def _block(tables: Tables, routes: Routes, members: NDArray[np.intp], stops: int) -> tuple[I64, I64, bool, bool]:
    """Kernel fields of vehicles with so many stops; whether more than one threshold matters, whether any end does."""
    own, lanes = tables.vehicle[members], len(members)
    paid = (own[:, col.PER_WORK] > 0) & (own[:, col.PAID_UNTIL] < INFINITE)
    block = np.zeros((stops + 1, field.FIELDS, lanes), dtype=np.int64)
    state = routes.state[members]
    nodes = routes.row[members, col.NODE]
    block[0, field.PLACE], block[0, field.LEAVE] = own[:, col.START_PLACE], own[:, col.START]
    block[0, field.FREE] = own[:, col.CAPACITY] - state[:, 0, col.CARRIED]
    if stops:
        # A told first place must stay the first: nothing fits before it.
        block[0, field.FREE] = np.where(own[:, col.TOLD_PRICED] > 0, -1, block[0, field.FREE])
    before = own[:, col.START_PLACE]
    last = np.minimum(own[:, col.LAST_PICKUP], ROOM)
    for k in range(1, stops + 1):
        node = tables.node[nodes[:, k]].astype(np.int64)
        request = tables.request[node[:, col.REQUEST]]
        leg = np.where(before == node[:, col.PLACE], 0, tables.legs[0, own[:, col.PROFILE], before, node[:, col.PLACE]])
        block[k - 1, field.LEG] = leg
        left = state[:, k, col.NOW]
        act = left - node[:, col.STAY]
        base = block[k - 1, field.LEAVE] + leg + node[:, col.ENTER]
        picks = nodes[:, k] % 2 == 0
        close = np.where(picks, np.minimum(node[:, col.CLOSE], last), node[:, col.CLOSE])
        stop = block[k]
        stop[field.PLACE], stop[field.LEAVE] = node[:, col.PLACE], left
        stop[field.FREE] = own[:, col.CAPACITY] - state[:, k, col.CARRIED]
        stop[field.WAIT] = np.maximum(act - base, 0)
        stop[field.EARLY] = np.where(stop[field.WAIT] > 0, 0, np.maximum(act - np.maximum(node[:, col.OPEN], 0), 0))
        stop[field.ROOM] = np.minimum(close - act, ROOM)
        stop[field.OVER_FIRST] = np.maximum(act - request[:, col.FIRST_DUE], -ROOM)
        stop[field.OVER_SECOND] = np.maximum(act - request[:, col.SECOND_DUE], -ROOM)
        stop[field.SLOPE : field.SECOND_FEE + 1] = np.where(picks[:, None], 0, _prices(request)).T
        before = node[:, col.PLACE]
    end = own[:, col.END_PLACE]
    block[stops, field.LEG] = np.where(before == end, 0, tables.legs[0, own[:, col.PROFILE], before, end])
    home = block[stops, field.LEAVE] + block[stops, field.LEG]
    if not stops:
        block[0, field.LEG] = 0
        home = block[0, field.LEAVE]
    vehicle = np.zeros((field.OWN, lanes), dtype=np.int64)
    vehicle[field.PER_TICK] = own[:, col.PER_TICK] + np.where(paid, own[:, col.PER_WORK], 0)
    vehicle[field.PER_WORK], vehicle[field.LAST_PICKUP] = own[:, col.PER_WORK], last
    vehicle[field.END_ROOM] = np.minimum(own[:, col.END] - home, ROOM)
    vehicle[field.PAID_ROOM] = np.where(paid, np.minimum(own[:, col.PAID_UNTIL] - home, ROOM), ROOM)
    vehicle[field.END_PLACE] = end
    later = block[:, [field.STEP, field.FIRST_FEE, field.SECOND_FEE]]
    ends = vehicle[[field.END_ROOM, field.PAID_ROOM]]
    return block, vehicle, bool(later.any()), bool((ends < ROOM).any())
