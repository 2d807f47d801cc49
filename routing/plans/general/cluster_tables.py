"""A cluster as a plan of its own: compact tables that number what it holds 0, 1, ..., and the way there and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.plans.general.clusters import Cluster
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import refresh_plan
from routing.plans.general.tables import Routes, Tables, empty_routes
from routing.plans.general.work import Work
from routing.problem.problem import I32, I64, U64, Breaks


def tables_of(tables: Tables, cluster: Cluster) -> Tables:
    """The cluster's vehicles and requests alone, under the laws and prices of the whole, at the places of the whole.

    What a vehicle outside was told costs the same in every vehicle of the cluster: the price of taking it away.
    """
    vehicles, requests = cluster
    nodes = (2 * requests[:, None] + [0, 1]).reshape(-1)
    node, request, vehicle = tables.node[nodes], tables.request[requests], tables.vehicle[vehicles]
    number, rider = _numbers(requests, len(tables.request)), _numbers(vehicles, len(tables.vehicle))
    before_ptr, told_at = _cut(tables.before_ptr, vehicles)
    must_keep_ptr, must_keep = _kept(tables, vehicles, number)
    node[:, col.REQUEST] = number[node[:, col.REQUEST]]
    for column in (col.HOME, col.CARRIER):
        request[:, column] = rider[request[:, column]]
    request[:, col.NEXT_ROW] = number[request[:, col.NEXT_ROW]]
    pair = int(tables.flag[col.PAIR_AT])
    if pair:
        request = np.concatenate([request[:, :pair], request[:, pair + vehicles]], axis=1)
    request[:, col.GROUP], reach_ptr, reach = _within_reach(tables, request[:, col.GROUP], rider)
    vehicle[:, col.TWIN] = np.unique(vehicle[:, col.TWIN], return_inverse=True)[1]
    return tables._replace(
        node=node, request=request, vehicle=vehicle,
        window=tables.window[requests[requests < len(tables.window)]],  # ghosts have none
        allowed=_allowed(tables.allowed[requests], vehicles),
        near=_near(tables.near[nodes], number), reach_ptr=reach_ptr, reach=reach,
        before_ptr=before_ptr, before=tables.before[told_at],
        must_keep_ptr=must_keep_ptr, must_keep=must_keep, breaks=_breaks_of(tables, vehicles),
    )  # fmt: skip


def with_own_places(tables: Tables) -> Tables:
    """The cluster with a small table of legs between its own places alone: a long search reads it faster."""
    node, request, vehicle, before = (
        tables.node.copy(), tables.request.copy(), tables.vehicle.copy(), tables.before.copy()
    )  # fmt: skip
    sink = tables.legs.shape[3] - 1
    begins, ends = vehicle[:, col.START_PLACE], vehicle[:, col.END_PLACE]
    used = np.concatenate([node[:, col.PLACE], begins, ends[ends < sink], before[:, 0], vehicle[:, col.STANDING_AT]])
    places = np.unique(used[used >= 0])
    place = np.append(_numbers(places, len(tables.stop)), -1).astype(np.int32)  # -1 stays -1
    columns = np.append(places[places < sink], sink)
    node[:, col.PLACE], before[:, 0] = place[node[:, col.PLACE]], place[before[:, 0]]
    request[:, col.FIRST_PLACE] = place[request[:, col.FIRST_PLACE]]
    for column in (col.START_PLACE, col.STANDING_AT):
        vehicle[:, column] = place[vehicle[:, column]]
    vehicle[:, col.END_PLACE] = np.where(ends < sink, place[np.minimum(ends, sink - 1)], len(columns) - 1)
    legs = np.ascontiguousarray(tables.legs[:, :, places[:, None], columns])
    return tables._replace(
        node=node, request=request, vehicle=vehicle, before=before, stop=tables.stop[places],
        legs=legs, back=np.ascontiguousarray(legs.transpose(0, 1, 3, 2)),
    )  # fmt: skip


def _breaks_of(tables: Tables, vehicles: I64) -> Breaks:
    """The breaks of these vehicles alone."""
    ptr, at = _cut(tables.breaks.ptr, vehicles)
    return Breaks(ptr, *(np.ascontiguousarray(values[at]) for values in tables.breaks[1:]))


def routes_of(tables: Tables, cluster: Cluster, whole: Routes, work: Work) -> Routes:
    """The routes of the cluster's vehicles in its own `tables`; whatever else it holds is absent."""
    routes = empty_routes(tables)
    number = _numbers(cluster.requests, len(whole.vehicle))
    routes.size[:] = whole.size[cluster.vehicles]
    own, at = _positions(routes.size)
    node = whole.row[cluster.vehicles[own], col.NODE, at]
    routes.row[own, col.NODE, at] = 2 * number[node // 2] + node % 2
    routes.vehicle[number[node // 2]] = own
    refresh_plan(tables, routes, work)
    absent = number[whole.absent[: whole.missing[0]]]
    absent = absent[absent >= 0]
    routes.absent[: len(absent)], routes.missing[0] = absent, len(absent)
    return routes


def put_back(cluster: Cluster, found: Routes, whole: Routes) -> None:
    """Give the cluster's vehicles in the whole the routes that were found, to be refreshed; the rest is absent."""
    outside = np.setdiff1d(whole.absent[: whole.missing[0]], cluster.requests)
    absent = np.concatenate([outside, cluster.requests[found.absent[: found.missing[0]]]])
    own, at = _positions(found.size)
    node, vehicle = found.row[own, col.NODE, at], cluster.vehicles[own]
    request = cluster.requests[node // 2]
    whole.vehicle[cluster.requests] = -1
    whole.row[vehicle, col.NODE, at] = 2 * request + node % 2
    whole.size[cluster.vehicles] = found.size
    whole.vehicle[request] = vehicle
    whole.absent[: len(absent)], whole.missing[0] = absent, len(absent)


def _positions(size: I32) -> tuple[I64, I64]:
    """Vehicle and position of every node."""
    own = np.repeat(np.arange(len(size)), size)
    return own, np.arange(1, len(own) + 1) - (np.cumsum(size) - size)[own]


def _numbers(chosen: I64, many: int) -> I64:
    """The new number of each of `many`, -1 where it is not chosen; one more -1 behind them answers for number -1."""
    number = np.full(many + 1, -1, dtype=np.int64)
    number[chosen] = np.arange(len(chosen))
    return number


def _cut(ptr: I32, chosen: I64) -> tuple[I32, NDArray[np.intp]]:
    """Pointers of the chosen rows alone, and where their entries stand."""
    size = np.diff(ptr)[chosen]
    ends = np.concatenate([[0], np.cumsum(size)])
    at = np.repeat(ptr[chosen] - ends[:-1], size) + np.arange(ends[-1])
    return ends.astype(np.int32), at


def _kept(tables: Tables, vehicles: I64, number: I64) -> tuple[I32, I32]:
    """Of which requests each vehicle must keep one; -1, which nobody serves, for those outside the cluster."""
    ptr, at = _cut(tables.must_keep_ptr, vehicles)
    return ptr, number[tables.must_keep[at]].astype(np.int32)


def _within_reach(tables: Tables, group: I64, rider: I64) -> tuple[I64, I32, I32]:
    """Group of every request and the cluster's vehicles worth trying for it, the soonest first."""
    groups, own = np.unique(group, return_inverse=True)
    ptr, at = _cut(tables.reach_ptr, groups)
    reach = rider[tables.reach[at]]
    ends = np.concatenate([[0], np.cumsum(reach >= 0)])[ptr]
    return own, ends.astype(np.int32), reach[reach >= 0].astype(np.int32)


def _allowed(bits: U64, vehicles: I64) -> U64:
    """The bit rows for these vehicles alone."""
    spread = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")[:, vehicles]
    padded = np.zeros((len(bits), 64 * -(-len(vehicles) // 64)), dtype=np.uint8)
    padded[:, : len(vehicles)] = spread
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def _near(near: I32, number: I64) -> I32:
    """The cluster's nodes by distance, -1 behind them."""
    own = (2 * number[:, None] + [0, 1]).reshape(-1)
    own[own < 0] = -1
    within = own.astype(np.int32)[near]  # the last ones answer for -1
    stays = within >= 0
    size = stays.sum(axis=1)
    ordered = np.full((len(near), max(1, int(size.max(initial=0)))), -1, dtype=np.int32)
    ordered[np.arange(ordered.shape[1]) < size[:, None]] = within[stays]
    return ordered
