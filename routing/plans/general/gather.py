"""A Problem gathered into the tables that a search reads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.errors import Unsupported
from routing.plans.before import changes, homes, standing
from routing.plans.general.detours import sooner_by_detour
from routing.plans.general.kernels import columns as col
from routing.plans.general.likeness import nearest_requests, next_rows, reached, twins, widened
from routing.plans.general.tables import Kind, Tables, may_reload, reload_places, returning_from_start, stride
from routing.plans.general.whole.flags import write_whole_flags
from routing.plans.understood import goods_bind
from routing.problem.problem import I8, I32, I64, INFINITE, NEVER, U64, Level, Mix, Problem, Travel

LOCKED = 2**50
"""NEVER inside a search: above every price, and a thousand of them still add up."""


RANKED_PRICE = 2**47
"""What a search counts for the highest rank that is left out; twenty thousand of them still add up."""


CLASSES, ALIKE_ABOARD = 7, 255
"""Classes of goods that a search tells apart, and of each as many on board: a byte of a count each."""


def gather(problem: Problem, travel: Travel, *, nearest: int = 100) -> Tables:
    """Compact tables of a checked Problem."""
    ghosts, reloads = _ghosts(problem), reload_places(problem)
    legs = _legs(travel)
    goods = _goods(problem)
    request = _requests(problem, ghosts, reloads)
    loads_end, request = _widened(problem, request, goods)
    node = _nodes(problem, travel, request, ghosts, reloads)
    vehicle, paid = _vehicles(problem, travel.ticks.shape[2], len(legs) > 2)
    if problem.reloads.ptr.size:
        vehicle = np.concatenate([vehicle, returning_from_start(problem)], axis=1)
    if goods.size:
        vehicle = np.concatenate([vehicle, _bags(problem, goods[:, col.ADDS])], axis=1)
    plain = not goods.size and _is_plain(
        problem, node[:, col.PLACE], bool(vehicle[:, col.TOLD_PRICED].any() or paid or len(ghosts[0]))
    )
    flag = np.zeros(col.FLAGS, dtype=np.int64)
    flag[col.PLAIN] = plain
    flag[col.MANY_WINDOWS] = problem.window.shape[2] > 1
    flag[col.LIMITED_ON_BOARD] = (problem.max_on_board < INFINITE).any()
    flag[col.LATE_IS_FREE] = paid
    flag[col.ORDER_ADDED] = (problem.add_price[:, 1] > 0).any()
    flag[col.ONE_STORE] = problem.trip_rule
    request[:, col.NEXT_ROW], spare = next_rows(problem, len(request))
    flag[col.CHOICES], flag[col.PAIR_AT] = spare, loads_end if request.shape[1] > loads_end else 0
    flag[col.STRIDE] = stride(len(request) - spare, len(vehicle), problem.load.shape[1], plain)
    flag[col.DIMENSIONS] = problem.load.shape[1]
    flag[col.LONGEST_WAY] = _longest(travel.ticks)
    flag[col.ANY_LOADED] = (request[:, col.KIND] == Kind.LOADED).any()
    flag[col.RICH] = _is_rich(problem, travel)
    flag[col.RANKED] = problem.rank.any()
    classes = len(np.unique(vehicle[:, col.TWIN]))
    flag[col.MIXED] = flag[col.RANKED] and classes > 1
    flag[col.CLASSES] = flag[col.MIXED] and classes < len(vehicle)
    flag[col.WEIGHED_BREAKS] = (problem.breaks.max_load < INFINITE).any()
    flag[col.BACK] = problem.load_back.any()
    flag[col.GOODS] = goods.size > 0
    flag[col.RELOADS], flag[col.FIRST_RELOAD] = problem.reloads.ptr.size > 0, len(request) - len(reloads)
    write_whole_flags(problem, flag)
    flag[col.DETOUR] = sooner_by_detour(problem, travel, node, request[:, col.KIND]) if plain else 0
    request[:, col.GROUP], reach_ptr, reach = reached(request, vehicle, travel.ticks, bool(flag[col.MIXED]))
    (before, change), breaks = changes(problem), problem.breaks
    return Tables(
        flag=flag, node=node, request=request, vehicle=vehicle,
        legs=legs, back=np.ascontiguousarray(legs.transpose(0, 1, 3, 2)),
        stop=np.stack([problem.enter, problem.exit], axis=1), window=_windows(problem, len(request)),
        allowed=np.concatenate(
            [problem.allowed, _only(ghosts[0], problem.allowed.shape[1]), may_reload(problem, reloads)]
        ),
        near=nearest_requests(
            node, request[:, col.KIND], legs[0], min(widened(nearest, len(request), spare), len(node))
        ),
        reach_ptr=reach_ptr, reach=reach,
        before_ptr=problem.before.stop_ptr, before=before, change=change,
        must_keep_ptr=problem.must_keep_ptr, must_keep=problem.must_keep,
        breaks=breaks if breaks.ptr.size else breaks._replace(ptr=np.zeros_like(problem.must_keep_ptr)),
        precedence=problem.precedence.reshape(-1, 2),
    )  # fmt: skip


def _widened(problem: Problem, request: I64, goods: I64) -> tuple[int, I64]:
    """Tables.request with the columns of goods and of prices of pairs; and where the latter begin."""
    others = len(request) - len(problem.pick_place)
    if goods.size:
        none = np.zeros((others, col.BAG), dtype=np.int64)
        bags = np.concatenate([goods, none])
        request = np.concatenate([request[:, : col.LOAD + problem.load.shape[1]], bags], axis=1)
    begin = request.shape[1]
    if problem.pair_price.any():
        none = np.zeros((others, len(problem.start_place)), dtype=np.int64)
        prices = np.concatenate([np.minimum(problem.pair_price, LOCKED), none])
        request = np.concatenate([request, prices], axis=1)
    return begin, request


def _goods(problem: Problem) -> I64:
    """Columns BAG of the requests, [0, BAG] where all goods may ride together.  Raises Unsupported for too many."""
    if not goods_bind(problem).any():
        return np.zeros((0, col.BAG), dtype=np.int64)
    # Classes with the same row are one class: symmetric rules cannot tell them apart.
    rules, one_of = np.unique(problem.mix, axis=0, return_inverse=True)
    if len(rules) > CLASSES or min(int(problem.max_requests.max(initial=0)), len(problem.goods)) > ALIKE_ABOARD:
        message = f"the search tells {CLASSES} classes of goods apart, up to {ALIKE_ABOARD} of each on board"
        raise Unsupported(message, field="mix", hint="Give classes that are treated alike the same row.")
    adds = np.int64(1) << (8 * one_of.reshape(-1).astype(np.int64))
    table = np.zeros((len(problem.mix), col.BAG), dtype=np.int64)
    table[:, col.ADDS] = adds
    for column, rule in ((col.APART, Mix.APART), (col.ONE_STOP, Mix.ONE_STOP)):
        hit = problem.mix == rule
        table[:, column] = [int(np.bitwise_or.reduce(255 * adds[row], initial=0)) for row in hit]
    return table[problem.goods]


def _bags(problem: Problem, adds: I64) -> I64:
    """The count of what each vehicle has on board at the start, int64[V, 1]."""
    bags = np.zeros((len(problem.start_place), 1), dtype=np.int64)
    aboard = problem.aboard_of >= 0
    np.add.at(bags[:, 0], problem.aboard_of[aboard], adds[aboard])
    return bags


def _legs(travel: Travel) -> I32:
    """Tables.legs: as few layers as say everything."""
    layers = [travel.ticks]
    if travel.drive.size or travel.toll.size:
        none = np.zeros_like(travel.ticks)
        layers += [travel.metres if travel.metres.size else none, travel.drive if travel.drive.size else travel.ticks]
        layers.append(travel.toll if travel.toll.size else none)
    elif travel.metres.size:
        layers.append(travel.metres)
    return np.pad(np.stack(layers), ((0, 0), (0, 0), (0, 0), (0, 1)))


def _is_rich(problem: Problem, travel: Travel) -> bool:
    """Whether a route is judged by more than one window an act, its load and its end."""
    limits = (problem.max_drive, problem.max_metres, problem.max_acts, problem.max_duration)
    return bool(
        travel.drive.size or travel.toll.size or problem.window.shape[2] > 1 or problem.load_back.any()
        or len(problem.breaks.service) or problem.per_task.any() or any(one.size for one in limits)
        or problem.reloads.ptr.size
    )  # fmt: skip


def _longest(ticks: I32) -> int:
    """Ticks of the longest way that can be driven."""
    most = int(ticks.max(initial=0))
    return most if most < INFINITE else int(ticks[ticks < INFINITE].max(initial=0))


def _requests(problem: Problem, ghosts: tuple[I64, I64], reloads: I64) -> I64:
    """Tables.request of the requests and, behind them, of the ghosts (vehicle, told stop) and places to reload at."""
    real, dimensions = problem.load.shape
    back = dimensions if problem.load_back.any() else 0
    table = np.zeros((real + len(ghosts[0]) + len(reloads), col.LOAD + dimensions + back), dtype=np.int64)
    first = table[:real]
    first[:, col.KIND] = _kinds(problem)
    home, take = homes(problem)
    first[:, col.HOME], first[:, col.TAKE] = home, np.minimum(take, LOCKED)
    first[:, col.SKIP] = np.minimum(problem.skip_cost, LOCKED) + first[:, col.TAKE]
    first[:, col.CARRIER], first[:, col.LONGEST_ABOARD] = problem.aboard_of, problem.max_on_board
    first[:, col.STORE], first[:, col.PLACED] = problem.store, problem.placed
    first[:, col.FIRST_DUE : col.SECOND_DUE + 1] = problem.due
    first[:, col.SLOPE : col.SLOPE + 3], first[:, col.LATE : col.LATE + 2] = problem.slope, problem.late_fixed
    first[:, col.FIRST_PLACE] = np.where(problem.pick_place >= 0, problem.pick_place, problem.drop_place)
    first[:, col.LOAD : col.LOAD + dimensions] = problem.load
    if back:
        first[:, col.LOAD + dimensions :] = problem.load_back
    if problem.rank.any():
        first[:, col.RANK] = problem.rank
        first[:, col.SKIP] = np.where(problem.rank > 0, _soft_skips(problem.rank), first[:, col.SKIP])
    table[real:, [col.FIRST_DUE, col.SECOND_DUE, col.LONGEST_ABOARD]] = INFINITE
    row = table[real + len(ghosts[0]) :]
    row[:, col.KIND], row[:, col.PINNED], row[:, col.FIRST_PLACE] = Kind.RELOAD, 1, reloads
    row[:, [col.HOME, col.CARRIER]] = -1
    row, (vehicle, stop) = table[real : real + len(ghosts[0])], ghosts
    row[:, col.KIND], row[:, col.HOME], row[:, col.CARRIER] = Kind.GHOST, vehicle, vehicle
    row[:, col.FIRST_PLACE] = problem.before.stop_place[stop]
    row[:, col.PINNED] = problem.take_price[problem.stop_level[stop], 0] >= NEVER
    return table


def _soft_skips(rank: I64) -> I64:
    """What a search counts for leaving out what is ranked: in proportion, and above most prices."""
    return rank * max(1, RANKED_PRICE // int(rank.max()))


def _windows(problem: Problem, requests: int) -> I32:
    """Tables.window: what is no request may be visited at any time."""
    if not problem.reloads.ptr.size:
        return problem.window
    window = np.tile(np.array([-INFINITE, INFINITE], dtype=np.int32), (requests, *problem.window.shape[1:3], 1))
    window[: len(problem.window)] = problem.window
    return window


def _nodes(problem: Problem, travel: Travel, request: I64, ghosts: tuple[I64, I64], reloads: I64) -> I32:
    """Tables.node: pickup and drop of every request in turn; of a reload the drop."""
    real, ghost = len(problem.pick_place), len(problem.pick_place) + len(ghosts[0])
    table = np.zeros((len(request), 2, col.NODES), dtype=np.int32)
    table[:, :, col.PLACE] = -1
    table[:real, 0, col.PLACE], table[:real, 1, col.PLACE] = problem.pick_place, problem.drop_place
    table[real:ghost, 0, col.PLACE] = request[real:ghost, col.FIRST_PLACE]
    table[ghost:, 1, col.PLACE] = reloads
    table[ghost:, 1, col.ENTER], table[ghost:, 1, col.STAY] = problem.enter[reloads], problem.exit[reloads]
    table[:, :, col.REQUEST] = np.arange(len(request))[:, None]
    own = table[:real]
    own[..., col.ACT] = problem.act
    own[..., col.ENTER] = problem.enter[own[..., col.PLACE]]
    own[..., col.STAY] = problem.act + problem.exit[own[..., col.PLACE]]
    # Earliest opening and latest closing: the whole truth where there is one window.
    own[..., col.OPEN] = problem.window[..., 0].min(axis=2)
    opens = np.where(own[:, 0, col.PLACE] < 0, -INFINITE, own[:, 0, col.OPEN])
    own[:, 0, col.OPEN] = np.maximum(opens, problem.ready)
    table[..., col.OPEN] = np.maximum(table[..., col.OPEN], 0)
    table[..., col.CLOSE] = INFINITE - 1
    own[..., col.CLOSE] = np.minimum(problem.window[..., 1].max(axis=2), INFINITE - 1)
    if travel.drive.size:
        # Windows are for the beginning of a setup: whether there is one, the way says.
        setup = np.where(travel.ticks < INFINITE, travel.ticks - travel.drive, 0).max(axis=(0, 1), initial=0)
        own[..., col.SETUP] = np.where(own[..., col.PLACE] >= 0, setup[own[..., col.PLACE]], 0)
        own[..., col.CLOSE] = np.minimum(own[..., col.CLOSE].astype(np.int64) + own[..., col.SETUP], INFINITE - 1)
    return table.reshape(-1, col.NODES)


def _vehicles(problem: Problem, reachable: int, wide: bool) -> tuple[I64, bool]:
    """Tables.vehicle, and whether any paid time ends (driving is then priced by the clock)."""
    vehicles, dimensions = problem.capacity.shape
    table = np.zeros((vehicles, col.CAPACITY + 2 * dimensions), dtype=np.int64)
    aboard = problem.aboard_of >= 0
    ends = (problem.paid_until < INFINITE) & (problem.per_work > 0)
    columns = {
        col.START_PLACE: problem.start_place, col.START: np.maximum(problem.start, 0), col.ARRIVED: problem.start,
        col.END_PLACE: np.where(problem.end_place < 0, reachable, problem.end_place),
        col.END: np.minimum(problem.end, INFINITE - 1), col.LAST_PICKUP: problem.last_pickup,
        col.PAID_UNTIL: problem.paid_until, col.PROFILE: problem.profile,
        col.MAX_REQUESTS: problem.max_requests, col.MAX_TRIPS: problem.max_trips,
        col.FIXED: problem.fixed, col.PER_WORK: problem.per_work,
        col.PER_TICK: problem.per_drive + np.where(ends, 0, problem.per_work), col.PER_METRE: problem.per_metre,
        col.TOLD_PRICED: _told_priced(problem), col.STANDING_AT: np.where(standing(problem), problem.start_place, -1),
        col.START_COUNT: np.bincount(problem.aboard_of[aboard], minlength=vehicles),
    }  # fmt: skip
    none = np.zeros(vehicles, dtype=np.int64)
    per_task = problem.per_task if problem.per_task.size else none
    columns[col.PER_TASK] = per_task
    columns[col.PER_TOLL] = problem.per_toll if problem.per_toll.size else none
    if wide:
        # Of four layers the first is driving and setup, the third driving alone.
        columns[col.PER_TICK] = problem.per_work + per_task
        columns[col.PER_DRIVE] = problem.per_drive - per_task
    for column, limit in (
        (col.MAX_DRIVE, problem.max_drive), (col.MAX_METRES, problem.max_metres), (col.MAX_ACTS, problem.max_acts),
        (col.MAX_DURATION, problem.max_duration),
    ):  # fmt: skip
        columns[column] = limit if limit.size else none + NEVER
    columns[col.MOST_RELOADS] = problem.reloads.most if problem.reloads.ptr.size else none
    for column, values in columns.items():
        table[:, column] = values
    table[:, col.CAPACITY : col.CAPACITY + dimensions] = problem.capacity
    np.add.at(table[:, col.CAPACITY + dimensions :], problem.aboard_of[aboard], problem.load[aboard])
    table[:, col.TWIN] = twins(problem, table)
    return table, bool(ends.any())


def _ghosts(problem: Problem) -> tuple[I64, I64]:
    """Of told stops that only a node of their own keeps vehicle and stop: locked ones, and priced ones without acts."""
    price = problem.take_price[problem.stop_level, 0]
    bare = np.diff(problem.before.act_ptr) == 0
    stops = np.flatnonzero((price >= NEVER) | ((price > 0) & bare))
    vehicle = np.repeat(np.arange(len(problem.start_place)), np.diff(problem.before.stop_ptr))
    return vehicle[stops], stops


def _kinds(problem: Problem) -> I8:
    one_ended = np.where(
        problem.drop_place < 0, np.where(problem.aboard_of >= 0, Kind.STAYING, Kind.PICKUP_ONLY),
        np.where(problem.aboard_of >= 0, Kind.ABOARD, Kind.LOADED),
    )  # fmt: skip
    both = (problem.pick_place >= 0) & (problem.drop_place >= 0)
    return np.where(both, Kind.PAIR, one_ended).astype(np.int8)


def _told_priced(problem: Problem) -> NDArray[np.bool_]:
    """Vehicles whose told places carry a price, to take away or to delay, and those that must keep something."""
    priced = (problem.take_price[:, 0] > 0) | (problem.add_price[:, 0] > 0)
    hit = np.concatenate([[0], np.cumsum(priced[problem.stop_level])])
    return np.asarray((np.diff(hit[problem.before.stop_ptr]) > 0) | (np.diff(problem.must_keep_ptr) > 0))


def _only(vehicles: I64, words: int) -> U64:
    """Bit rows that allow one vehicle each."""
    bits = np.zeros((len(vehicles), words), dtype=np.uint64)
    bits[np.arange(len(vehicles)), vehicles // 64] = np.uint64(1) << (vehicles % 64).astype(np.uint64)
    return bits


def _is_plain(problem: Problem, node_place: I32, priced_changes: bool) -> bool:
    """Whether timing and the sharing of stops move no price and no law beyond one window per act."""
    used = node_place[node_place >= 0]
    twice = np.bincount(used, minlength=len(problem.place)) > 1
    shared = bool((twice & ((problem.enter > 0) | (problem.exit > 0))).any())
    stands = bool((problem.stop_level >= Level.UNDERWAY).any())
    return not (
        priced_changes or shared or stands
        or problem.slope.any() or problem.late_fixed.any()
        or (problem.max_on_board < INFINITE).any() or (problem.max_requests < INFINITE).any()
        or (problem.max_trips < INFINITE).any() or len(problem.must_keep) or problem.trip_rule
        or problem.add_price.any() or problem.take_price[: Level.ON_BOARD].any()
    )  # fmt: skip
