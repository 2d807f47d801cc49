"""How a travel service is asked and what its answers mean: OSRM's table, Valhalla's matrix, and one of our own.

    OSRM      https://project-osrm.org/docs/v5.24.0/api/#table-service
    Valhalla  https://valhalla.github.io/valhalla/api/matrix/api-reference/
    matrix    docs/travel-service.md

Written after these documents and untested against a real server.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from api.matrix.errors import MatrixFailed
from routing.places import LatLng

Floats = NDArray[np.float64]

MILE_M = 1609.344
LONGEST_S = 10_000_000.0
"""What takes longer than a third of a year is no way for a rider."""


class MatrixQuestion(NamedTuple):
    """Points in degrees, and a profile of the service."""

    profile: str
    origins: Sequence[LatLng]
    destinations: Sequence[LatLng]
    with_metres: bool = True


class MatrixRequest(NamedTuple):
    """A request by HTTP; `body`: JSON to post, None for a GET."""

    url: str
    body: dict[str, Any] | None = None


class MatrixAnswer(NamedTuple):
    """`seconds`: float64[n, m], inf where there is no way. `metres`: the same shape, NaN where none are said."""

    seconds: Floats
    metres: Floats


class MatrixForm(Protocol):
    """One way to ask; `read` raises MatrixFailed."""

    def request(self, url: str, question: MatrixQuestion) -> MatrixRequest: ...

    def read(self, status: int, said: Any, question: MatrixQuestion) -> MatrixAnswer: ...


class OsrmForm:
    """The table service of OSRM: one address with all coordinates, sources and destinations by their number."""

    MEANING: ClassVar = {"TooBig": "too_big", "NoSegment": "place", "NotImplemented": "no_metres"}
    """Its codes that another question helps against; with its algorithm MLD older ones know no distances."""

    def request(self, url: str, question: MatrixQuestion) -> MatrixRequest:
        points = dict.fromkeys((*question.origins, *question.destinations))
        number = {point: k for k, point in enumerate(points)}
        places = ";".join(f"{point.lng:.6f},{point.lat:.6f}" for point in points)
        sources, targets = (
            ";".join(str(number[point]) for point in some) for some in (question.origins, question.destinations)
        )
        return MatrixRequest(
            f"{url}/table/v1/{question.profile}/{places}"
            f"?sources={sources}&destinations={targets}"
            f"&annotations={'duration,distance' if question.with_metres else 'duration'}"
        )

    def read(self, status: int, said: Any, question: MatrixQuestion) -> MatrixAnswer:
        code = said.get("code") if isinstance(said, dict) else None
        if code in self.MEANING and (code != "NotImplemented" or question.with_metres):
            raise MatrixFailed(self.MEANING[code], f"the service says {code}")
        if code != "Ok":
            _require_good(status)
            raise MatrixFailed("refused", f"the service says {code!r}")
        return _checked(said.get("durations"), said.get("distances"), question)


class ValhallaForm:
    """The matrix service of Valhalla: sources and targets as JSON; its answer in both of its forms."""

    TOO_BIG, NO_PLACE = {150}, {154, 170, 171}
    """Its error codes: too many places at once; a place that is too far, on another network, or on no street."""

    def request(self, url: str, question: MatrixQuestion) -> MatrixRequest:
        sources, targets = (
            [{"lat": round(point.lat, 6), "lon": round(point.lng, 6)} for point in some]
            for some in (question.origins, question.destinations)
        )
        body = {"sources": sources, "targets": targets, "costing": question.profile, "units": "kilometers"}
        return MatrixRequest(f"{url}/sources_to_targets", body)

    def read(self, status: int, said: Any, question: MatrixQuestion) -> MatrixAnswer:
        if isinstance(said, dict) and said.get("error_code") in self.TOO_BIG | self.NO_PLACE:
            why = "too_big" if said["error_code"] in self.TOO_BIG else "place"
            raise MatrixFailed(why, f"the service says {said['error_code']}")
        _require_good(status)
        found = said.get("sources_to_targets") if isinstance(said, dict) else None
        unit_m = MILE_M if isinstance(said, dict) and said.get("units") in ("miles", "mi") else 1000.0
        if isinstance(found, dict):
            answer = _checked(found.get("durations"), found.get("distances"), question)
        else:
            answer = _checked(_part(found, "time"), _part(found, "distance"), question)
        return answer._replace(metres=answer.metres * unit_m)


class OwnForm:
    """Any matrix by HTTP: what docs/travel-service.md asks of it."""

    def request(self, url: str, question: MatrixQuestion) -> MatrixRequest:
        sources, targets = (
            [[round(point.lat, 6), round(point.lng, 6)] for point in some]
            for some in (question.origins, question.destinations)
        )
        return MatrixRequest(url, {"profile": question.profile, "sources": sources, "destinations": targets})

    def read(self, status: int, said: Any, question: MatrixQuestion) -> MatrixAnswer:
        if status == 413:
            raise MatrixFailed("too_big", "the service says 413")
        _require_good(status)
        if not isinstance(said, dict):
            raise MatrixFailed("malformed", "the answer is no JSON object")
        return _checked(said.get("seconds"), said.get("metres"), question)


FORMS: dict[str, MatrixForm] = {"osrm": OsrmForm(), "valhalla": ValhallaForm(), "matrix": OwnForm()}


def _require_good(status: int) -> None:
    if status == 429:
        raise MatrixFailed("limited", "the service says 429")
    if status != 200:
        raise MatrixFailed("gone" if status >= 500 else "refused", f"the service says {status}")


def _part(rows: Any, name: str) -> Any:
    """One figure out of every cell of a table of objects; what is no such table stays as it is."""
    if not isinstance(rows, list):
        return rows
    return [
        [cell.get(name) if isinstance(cell, dict) else cell for cell in row] for row in rows if isinstance(row, list)
    ]


def _checked(seconds: Any, metres: Any, question: MatrixQuestion) -> MatrixAnswer:
    shape = len(question.origins), len(question.destinations)
    found_s = _table(seconds, shape, "times")
    found_m = np.full(shape, np.nan) if metres is None else _table(metres, shape, "distances")
    return MatrixAnswer(np.where(np.isnan(found_s), np.inf, found_s), found_m)


def _table(rows: Any, shape: tuple[int, int], what: str) -> Floats:
    """A table of numbers, NaN for null; raises MatrixFailed for another shape or for what is no time."""
    if not isinstance(rows, list) or len(rows) != shape[0] or not all(isinstance(row, list) for row in rows):
        raise MatrixFailed("shape", f"{what}: not {shape[0]} rows")
    if any(len(row) != shape[1] for row in rows):
        raise MatrixFailed("shape", f"{what}: not {shape[1]} in every row")
    for row in rows:
        for cell in row:
            good = isinstance(cell, int | float) and not isinstance(cell, bool) and 0 <= cell <= LONGEST_S
            if cell is not None and not good:
                raise MatrixFailed("malformed", f"{what}: something is neither null nor a number from 0")
    return np.array([[math.nan if cell is None else float(cell) for cell in row] for row in rows]).reshape(shape)
