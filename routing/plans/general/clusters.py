"""Cuts a plan into clusters that can be searched apart: halved again and again between two places far from each other.

Taillard and Voss (2002), "Popmusic - partial optimization metaheuristic under special intensification conditions";
cut anew in every phase.  A route lies where its stops are on average.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from routing.plans.general.kernels import columns as col
from routing.plans.general.tables import Routes, Tables
from routing.problem.problem import I64


class Cluster(NamedTuple):
    """Vehicles and requests that belong together, rising."""

    vehicles: I64
    requests: I64

    @property
    def can_be_searched(self) -> bool:
        """Whether there is anybody, and anything to serve."""
        return len(self.vehicles) > 0 and len(self.requests) > 0


def cut(tables: Tables, routes: Routes, most: int, fewest: int, rng: np.random.Generator) -> list[Cluster]:
    """Clusters that together hold every vehicle and request: of `most` requests, or more where routes are few.

    What has less than two times `fewest` routes stays whole.  What a vehicle serves or has on board stays with it;
    other requests go with where they begin.
    """
    items = _items(tables, routes)
    clusters = []
    waiting = [np.arange(len(items.ptr) - 1)]
    while waiting:
        chosen = waiting.pop()
        used = int((routes.size[chosen[chosen < items.vehicles]] > 0).sum())
        if items.weight[chosen].sum() <= most or used < 2 * fewest:
            clusters.append(items.as_cluster(chosen))
        else:
            waiting += _halves(tables, items, chosen, rng)
    return _dealt(tables, routes, clusters) if tables.flag[col.CLASSES] else clusters


def _dealt(tables: Tables, routes: Routes, clusters: list[Cluster]) -> list[Cluster]:
    """The clusters with the idle vehicles of every class dealt out among them, wherever these stand.

    All idle ones of a depot would go where the depot lies, and the routes of the other clusters could not change class.
    """
    bound = tables.request[:, col.CARRIER]
    idle = np.setdiff1d(np.flatnonzero(routes.size == 0), bound[bound >= 0])
    idle = idle[np.argsort(tables.vehicle[idle, col.TWIN], kind="stable")]
    return [
        Cluster(np.sort(np.concatenate([np.setdiff1d(one.vehicles, idle), idle[k :: len(clusters)]])), one.requests)
        for k, one in enumerate(clusters)
    ]


class _Items(NamedTuple):
    """Vehicles with what they carry, then loose requests: entries `ptr[i]:ptr[i + 1]` of `place` are item i's."""

    vehicles: int
    ptr: I64
    place: I64
    item_of: I64  # [R] the item that every request belongs to
    weight: I64

    def as_cluster(self, chosen: I64) -> Cluster:
        """The cluster that these items make."""
        among = np.zeros(len(self.weight), dtype=np.bool_)
        among[chosen] = True
        return Cluster(np.sort(chosen[chosen < self.vehicles]), np.flatnonzero(among[self.item_of]))


def _items(tables: Tables, routes: Routes) -> _Items:
    vehicles = len(routes.size)
    item_of = np.where(routes.vehicle >= 0, routes.vehicle, tables.request[:, col.CARRIER])
    beside = _beside(tables, routes)
    loose = np.setdiff1d(np.flatnonzero(item_of < 0), beside)
    item_of[loose] = vehicles + np.arange(len(loose))
    if len(beside):
        choice, stands = tables.choice, np.delete(np.arange(len(item_of)), beside)
        item = np.full(len(item_of), -1)
        item[choice[stands]] = item_of[stands]
        item_of[beside] = item[choice[beside]]
    served = np.flatnonzero(routes.vehicle >= 0)
    stop = tables.place[(2 * served[:, None] + [0, 1]).reshape(-1)]
    owner = np.repeat(routes.vehicle[served], 2)[stop >= 0].astype(np.int64)
    # A start behind a route says little of where it lies.
    idle = np.flatnonzero(np.bincount(owner, minlength=vehicles) == 0)
    owner = np.concatenate([owner, idle, item_of[loose]])
    place = np.concatenate(
        [stop[stop >= 0], tables.vehicle[idle, col.START_PLACE], tables.request[loose, col.FIRST_PLACE]]
    )
    many = vehicles + len(loose)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=many))])
    weight = np.bincount(np.delete(item_of, beside), minlength=many)
    return _Items(vehicles, ptr, place[np.argsort(owner, kind="stable")], item_of, weight)


def _beside(tables: Tables, routes: Routes) -> I64:
    """Rows of choices beside the one that is served or stands for what is absent: they go where that one goes."""
    if not tables.flag[col.CHOICES]:
        return np.zeros(0, dtype=np.int64)
    stands = (routes.vehicle >= 0) | (tables.request[:, col.NEXT_ROW] == np.arange(len(routes.vehicle)))
    stands[routes.absent[: routes.missing[0]]] = True
    return np.flatnonzero(~stands)


def _halves(tables: Tables, items: _Items, chosen: I64, rng: np.random.Generator) -> list[I64]:
    """Two shares of about equal weight, each nearer to one of two places: a random one and the one farthest from it."""
    ends = items.place[items.ptr[chosen + 1] - 1]
    ends = ends[ends < tables.legs.shape[3] - 1]
    if not len(ends):
        return [chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]]
    here = int(ends[rng.integers(len(ends))])
    there = int(ends[np.argmax(tables.legs[0, 0, ends, here])])
    nearer = _mean_way(tables, items, chosen, here) - _mean_way(tables, items, chosen, there)
    order = chosen[np.argsort(nearer, kind="stable")]
    weight = np.cumsum(items.weight[order])
    middle = int(np.clip(np.searchsorted(weight, weight[-1] / 2), 1, len(order) - 1))
    return [order[:middle], order[middle:]]


def _mean_way(tables: Tables, items: _Items, chosen: I64, to: int) -> np.ndarray:
    """Ticks to a place on average from where each item is."""
    size = np.diff(items.ptr)[chosen]
    begin = np.concatenate([[0], np.cumsum(size)])[:-1]
    at = np.repeat(items.ptr[chosen] - begin, size) + np.arange(size.sum())
    way = tables.legs[0, 0, items.place[at], to].astype(np.int64)
    return np.asarray(np.add.reduceat(way, begin) / size)
