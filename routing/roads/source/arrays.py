"""Streets from plain arrays: a generated city, another map format, a test's handful of nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.roads.errors import InvalidSpeed, InvalidStreets
from routing.roads.source.profiles import make_profiles, read_tables
from routing.roads.streets import (
    Streets,
    check_streets,
    drive_time_ms,
    keep_largest_components,
    number_words,
    straight_cm,
    straight_shapes,
)

PROFILES = ("foot", "bike", "ebike", "scooter", "car")


def streets_from_arrays(
    lat: Any,
    lng: Any,
    tail: Any,
    head: Any,
    length_m: Any = None,
    *,
    road_class: str | Sequence[str] = "residential",
    oneway: Any = None,
    name: Sequence[str] | None = None,
    profiles: Sequence[str] | None = None,
    tables: Path | None = None,
    travel_ms: Mapping[str, tuple[Any, Any]] | None = None,
    largest_component: bool = True,
    attribution: str = "",
) -> tuple[Streets, dict[str, Any]]:
    """(streets, notes) from nodes and edges.

    `lat`, `lng` float[n] degrees; `tail`, `head` int[e]; `length_m` float[e] (None: straight); `road_class`: one
    OpenStreetMap highway value, or one for every edge, which decides who may pass and how fast (`tables`: a TOML file
    laid over the built-in ones); `oneway` bool[e]: open along the edge only, but for those on foot; `name` str[e];
    `travel_ms`: own milliseconds instead, {profile: (along int[e], against int[e])}, -1 where closed.
    `largest_component`: keep what each profile can leave and come back to.
    Raises InvalidStreets, InvalidSpeed, UnknownProfile, NoRoads.
    """
    lat, lng = _numbers(lat, "lat"), _numbers(lng, "lng")
    tail, head = _indexes(tail, "tail", len(lat)), _indexes(head, "head", len(lat))
    if len(lng) != len(lat) or len(head) != len(tail):
        raise InvalidStreets("lat and lng, tail and head must be of one length each", field="head")
    edges = len(tail)
    classes = [road_class] * edges if isinstance(road_class, str) else [str(each) for each in road_class]
    names = ["", *(name or [""] * edges)]
    if len(classes) != edges or len(names) != edges + 1:
        raise InvalidStreets(f"road_class and name must have {edges} entries", field="road_class")
    length_cm = _lengths(lat, lng, tail, head, length_m)
    notes: dict[str, Any] = {}
    if travel_ms is None:
        all_tables = read_tables(tables)
        notes["weather"] = all_tables.get("weather", {})
        chosen = tuple(profiles or PROFILES)
        drive_ms = _drive(classes, oneway, length_cm, chosen, all_tables)
    else:
        chosen = tuple(travel_ms)
        drive_ms = _given(travel_ms, edges)
    class_number, class_names = number_words(classes)
    name_number, name_list = number_words(names)
    start, shape_lat, shape_lng = straight_shapes(lat, lng, tail, head)
    streets = Streets(
        lat, lng, tail, head, length_cm, class_number.astype(np.int16), class_names,
        name_number[1:].astype(np.int32), name_list, np.full(edges, -1, dtype=np.int64),
        start, shape_lat, shape_lng, chosen, drive_ms, np.zeros_like(drive_ms), attribution,
    )  # fmt: skip
    check_streets(streets)
    return (keep_largest_components(streets) if largest_component else streets), notes


def _numbers(values: Any, field: str) -> NDArray[np.float64]:
    numbers = np.ascontiguousarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        index = int(np.argmin(np.isfinite(numbers))) if numbers.ndim == 1 else 0
        raise InvalidStreets(f"{field} must be a list of finite numbers", field=field, index=index)
    return numbers


def _indexes(values: Any, field: str, nodes: int) -> NDArray[np.int32]:
    indexes = np.asarray(values)
    if indexes.size == 0:
        return np.zeros(0, dtype=np.int32)
    if indexes.ndim != 1 or indexes.dtype.kind not in "iu":
        raise InvalidStreets(f"{field} must be a list of whole numbers", field=field)
    bad = (indexes < 0) | (indexes >= nodes)
    if bad.any():
        raise InvalidStreets(f"{field} names a node that is not there", field=field, index=int(np.argmax(bad)))
    return indexes.astype(np.int32)


def _lengths(lat: Any, lng: Any, tail: Any, head: Any, length_m: Any) -> NDArray[np.int32]:
    if length_m is None:
        return np.rint(straight_cm(lat[tail], lng[tail], lat[head], lng[head])).astype(np.int32)
    metres = _numbers(length_m, "length_m")
    if len(metres) != len(tail):
        raise InvalidStreets(f"length_m must have {len(tail)} entries", field="length_m")
    bad = (metres < 0) | (metres > 2e7)
    if bad.any():
        raise InvalidStreets("a length is negative or endless", field="length_m", index=int(np.argmax(bad)))
    return np.rint(metres * 100.0).astype(np.int32)


def _drive(
    classes: Sequence[str], oneway: Any, length_cm: NDArray[np.int32], names: Sequence[str], tables: Mapping[str, Any]
) -> NDArray[np.int32]:
    one = np.zeros(len(classes), dtype=np.bool_) if oneway is None else np.asarray(oneway, dtype=np.bool_)
    if len(one) != len(classes):
        raise InvalidStreets(f"oneway must have {len(classes)} entries", field="oneway")
    kinds, number = np.unique(np.array(classes, dtype=object).astype(str), return_inverse=True)
    kmh = np.zeros((len(names), 2, len(classes)))
    for p, profile in enumerate(make_profiles(names, tables)):
        both = np.array([profile.speeds({"highway": kind, "oneway": "no"}) for kind in kinds.tolist()]).reshape(-1, 2)
        single = np.array([profile.speeds({"highway": kind, "oneway": "yes"}) for kind in kinds.tolist()]).reshape(
            -1, 2
        )
        kmh[p] = np.where(one[:, None], single[number], both[number]).T
    return drive_time_ms(length_cm, kmh)


def _given(travel_ms: Mapping[str, tuple[Any, Any]], edges: int) -> NDArray[np.int32]:
    given = np.zeros((len(travel_ms), 2, edges), dtype=np.int64)
    for p, (profile, both) in enumerate(travel_ms.items()):
        for direction in range(2):
            values = np.asarray(both[direction])
            if values.shape != (edges,):
                raise InvalidStreets(f"travel_ms of {profile} must have {edges} entries", field="travel_ms")
            bad = ~((values >= -1) & (values <= 2**24))
            if bad.any():
                index = int(np.argmax(bad))
                raise InvalidSpeed(
                    f"{profile} takes a negative or endless time on edge {index}", profile=profile, edge=index
                )
            given[p, direction] = values
    return given.astype(np.int32)
