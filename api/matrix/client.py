"""A travel service as we ask it: in batches, bounded in time, size and number, and left alone while it fails."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.common.retry_after import wait_s
from api.matrix.breaker import Breaker, Purse
from api.matrix.errors import MatrixFailed
from api.matrix.forms import FORMS, MatrixAnswer, MatrixQuestion, MatrixRequest
from routing.answers import NO_ANSWER, NO_WAY, UNKNOWN, AnswerBlock, Cells
from routing.cells import centre_of
from routing.errors import InvalidInput
from routing.places import LatLng

if TYPE_CHECKING:
    import httpx

    from dispatch.record.travel_spec import HttpSpec

LONGEST_ANSWER = 32 * 1024 * 1024
LONGEST_WAIT_S = 3600


class Lot(NamedTuple):
    """Cells whose ways are asked for in one question."""

    origins: Cells
    destinations: Cells


def lots_of(origins: Cells, destinations: Cells, missing: NDArray[np.bool_], most_places: int) -> Iterator[Lot]:
    """Questions that ask for exactly the ways that are `missing` (bool[n, m]), each of at most `most_places` places.

    Rows that miss the same columns share their questions.
    """
    rows = np.flatnonzero(missing.any(axis=1))
    patterns = np.packbits(missing[rows], axis=1)
    groups: dict[bytes, list[int]] = {}
    for row, pattern in zip(rows.tolist(), patterns, strict=True):
        groups.setdefault(pattern.tobytes(), []).append(row)
    for members in groups.values():
        columns = np.flatnonzero(missing[members[0]])
        half = max(1, most_places // 2)
        wide = max(1, most_places - min(len(members), half))
        for right in range(0, len(columns), wide):
            part = columns[right : right + wide]
            high = max(1, most_places - len(part))
            for top in range(0, len(members), high):
                yield Lot(origins[members[top : top + high]], destinations[part])


class MatrixClient:
    """Asks one service for the ways between cells; every request is told to `heard(end, ways)`.

    `clock`: seconds that only go forward, for the breaker and the purse; `wall`: epoch seconds of the answers.
    """

    def __init__(
        self,
        spec: HttpSpec,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        heard: Callable[[str, int], None] = lambda end, ways: None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        import httpx  # a fifth of a second that services without one need not spend

        self.spec = spec
        self.breaker = Breaker(clock)
        self.purse = Purse(spec.most_per_minute, clock)
        self._form = FORMS[spec.form]
        self._most_places = spec.most_places
        self._with_metres = True
        self._wall = wall
        self._heard = heard
        self._key = _key_of(spec)
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=ssl.create_default_context(),
            timeout=httpx.Timeout(spec.timeout_s),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Closes every connection."""
        await self._http.aclose()

    def lots(self, origins: Cells, destinations: Cells, missing: NDArray[np.bool_]) -> list[Lot]:
        """What must be asked, in questions of the size that the service takes."""
        return list(lots_of(origins, destinations, missing, self._most_places))

    async def ask(self, lot: Lot) -> AnswerBlock:
        """The ways of one lot for every profile; raises MatrixFailed.

        A lot that is too big for the service, or that holds a place it does not know, is asked in halves; a single way
        it cannot answer is NO_ANSWER.
        """
        answers = [await self._halved(profile, lot) for profile in self.spec.profiles.values()]
        tenths = [
            np.where(np.isnan(one.seconds), NO_ANSWER, np.where(np.isinf(one.seconds), NO_WAY, one.seconds * 10))
            for one in answers
        ]
        metres = [np.where(np.isnan(one.metres), UNKNOWN, one.metres) for one in answers]
        return AnswerBlock(
            lot.origins,
            lot.destinations,
            np.rint(np.stack(tenths)).astype(np.int32),
            np.rint(np.stack(metres)).astype(np.int32),
            int(self._wall()),
        )

    async def _halved(self, profile: str, lot: Lot) -> MatrixAnswer:
        rows, columns = len(lot.origins), len(lot.destinations)
        try:
            return await self._asked(profile, lot)
        except MatrixFailed as problem:
            if problem.why == "no_metres" and self._with_metres:
                self._with_metres = False
                return await self._halved(profile, lot)
            if problem.why not in ("place", "too_big"):
                raise
            if problem.why == "too_big":
                self._most_places = max(2, min(self._most_places, rows + columns - 1))
        if rows == columns == 1:
            return MatrixAnswer(np.full((1, 1), np.nan), np.full((1, 1), np.nan))
        if rows >= columns:
            halves = [lot._replace(origins=part) for part in np.array_split(lot.origins, 2)]
        else:
            halves = [lot._replace(destinations=part) for part in np.array_split(lot.destinations, 2)]
        found = [await self._halved(profile, half) for half in halves]
        axis = 0 if rows >= columns else 1
        return MatrixAnswer(*(np.concatenate(parts, axis=axis) for parts in zip(*found, strict=True)))

    async def _asked(self, profile: str, lot: Lot) -> MatrixAnswer:
        ways = len(lot.origins) * len(lot.destinations)
        origins, destinations = ([LatLng(*centre_of(int(cell))) for cell in cells] for cells in lot)
        question = MatrixQuestion(profile, origins, destinations, self._with_metres)
        try:
            async with asyncio.timeout(self.spec.timeout_s):  # an answer that drips evades the timeout of a read
                status, retry_after_s, text = await self._said(self._form.request(self.spec.url, question))
            answer = self._form.read(status, _json(text, status), question)
        except TimeoutError:
            problem = MatrixFailed("slow", f"no answer within {self.spec.timeout_s:g} s")
        except MatrixFailed as failure:
            problem = failure
            if failure.why == "limited":
                problem.retry_after_s = min(retry_after_s, LONGEST_WAIT_S)
        else:
            self.breaker.succeeded()
            self._heard("ok", ways)
            return answer
        self._heard(problem.why, ways)
        if problem.why not in ("place", "too_big", "no_metres"):
            self.breaker.failed(problem.retry_after_s)
        raise problem

    async def _said(self, request: MatrixRequest) -> tuple[int, int, bytes]:
        """Status, the seconds after which we may come again, and the body of one answer."""
        import httpx

        method, headers, params = "GET" if request.body is None else "POST", {"Accept": "application/json"}, {}
        name, key = self.spec.key_in, self._key
        if key and name.startswith("?"):
            params[name[1:]] = key
        elif key:
            headers[name] = f"Bearer {key}" if name == "Authorization" and " " not in key else key
        url = httpx.URL(request.url)
        url = url.copy_merge_params(params) if params else url
        body = None if request.body is None else json.dumps(request.body).encode()
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self._http.stream(method, url, headers=headers, content=body) as answer:
                text = bytearray()
                async for part in answer.aiter_bytes():
                    text += part
                    if len(text) > LONGEST_ANSWER:
                        raise MatrixFailed("malformed", "the answer is longer than 32 MiB")
                return answer.status_code, wait_s(answer.headers.get("Retry-After", ""), self._wall()), bytes(text)
        except httpx.TimeoutException:
            raise TimeoutError from None
        except httpx.HTTPError as problem:
            raise MatrixFailed("gone", f"no connection: {type(problem).__name__}") from None


def _json(text: bytes, status: int) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        if status != 200:
            return None  # its status says enough
        raise MatrixFailed("malformed", "the answer is no JSON") from None


def _key_of(spec: HttpSpec) -> str:
    if not spec.key_variable:
        return ""
    key = os.environ.get(spec.key_variable, "")
    if not key or not key.isascii() or not key.isprintable():
        raise InvalidInput(
            f"the environment variable {spec.key_variable} holds no key",
            code="no_key",
            field="travel.key_variable",
            hint=f"export {spec.key_variable}=... before you start.",
        )
    return key
