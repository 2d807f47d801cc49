"""Distances between the locations of a CVRPLIB, TSPLIB or Solomon file, and how they are rounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from routing.errors import UnreadableFile, Unsupported

Rounding = Literal["auto", "nearest", "one_decimal", "none"]

Numbers = list[tuple[int, list[float]]]
"""(line, numbers on it) of a section."""


def rounded(distance: NDArray[np.float64], rounding: Rounding) -> NDArray[np.float64]:
    """Distances as an instance counts them."""
    if rounding == "nearest":
        return np.asarray(np.floor(distance + 0.5))
    return np.asarray(np.floor(distance * 10 + 1e-9) / 10) if rounding == "one_decimal" else distance


def ways(path: Path, head: Mapping[str, str], sections: Mapping[str, Numbers], size: int) -> NDArray[np.float64]:
    """Distances between all locations, not rounded."""
    kind = head.get("EDGE_WEIGHT_TYPE", "EUC_2D")
    if kind == "EXPLICIT":
        form = head.get("EDGE_WEIGHT_FORMAT", "FULL_MATRIX")
        numbers = [x for _, row in sections.get("EDGE_WEIGHT_SECTION", []) for x in row]
        table = np.zeros((size, size))
        lower, upper = np.tril_indices, np.triu_indices  # the columns of one triangle are the rows of the other
        triangles = {
            "LOWER_ROW": lower(size, -1), "UPPER_COL": lower(size, -1), "LOWER_DIAG_ROW": lower(size),
            "UPPER_DIAG_COL": lower(size), "UPPER_ROW": upper(size, 1), "LOWER_COL": upper(size, 1),
            "UPPER_DIAG_ROW": upper(size), "LOWER_DIAG_COL": upper(size),
        }  # fmt: skip
        if form == "FULL_MATRIX" and len(numbers) == size * size:
            table = np.array(numbers).reshape(size, size)
        elif form in triangles and len(numbers) == len(triangles[form][0]):
            table[triangles[form]] = numbers
            table = np.maximum(table, table.T)
        else:
            raise UnreadableFile(f"{len(numbers)} distances do not make a {form} of {size}", file=path.name)
        np.fill_diagonal(table, 0)
        return table
    if kind not in METRICS:
        raise Unsupported(f"EDGE_WEIGHT_TYPE {kind} is not supported", field="EDGE_WEIGHT_TYPE", file=path.name)
    rows = sections.get("NODE_COORD_SECTION", [])
    if len(rows) != size or any(len(row) < 3 or int(row[0]) != k + 1 for k, (_, row) in enumerate(rows)):
        raise UnreadableFile(f"NODE_COORD_SECTION does not list 1 to {size}", file=path.name)
    table = METRICS[kind](np.array([row[1:3] for _, row in rows]))
    np.fill_diagonal(table, 0)
    return table


def _apart(at: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.abs(at[:, None] - at[None, :]))


def straight(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """On the straight line between points [., 2]."""
    return np.asarray(np.hypot(*_apart(at).transpose(2, 0, 1)))


def _on_earth(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """TSPLIB's GEO: degrees and minutes (DDD.MM) on its sphere, in whole kilometres, one added."""
    degrees = np.trunc(at)
    lat, lng = (3.141592 * (degrees + 5 * (at - degrees) / 3) / 180).T
    q1, q2, q3 = np.cos(lng[:, None] - lng), np.cos(lat[:, None] - lat), np.cos(lat[:, None] + lat)
    return np.asarray(np.floor(6378.388 * np.arccos(np.clip(((1 + q1) * q2 - (1 - q1) * q3) / 2, -1, 1)) + 1))


METRICS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "EUC_2D": straight, "CEIL_2D": lambda at: np.asarray(np.ceil(straight(at))), "GEO": _on_earth,
    "ATT": lambda at: np.asarray(np.ceil(np.sqrt((_apart(at) ** 2).sum(axis=2) / 10))),
    "MAN_2D": lambda at: np.asarray(_apart(at).sum(axis=2)), "MAX_2D": lambda at: np.asarray(_apart(at).max(axis=2)),
}  # fmt: skip
"""EDGE_WEIGHT_TYPE -> distances between all points, as TSPLIB 95 says (section 2)."""
