"""A stand-in for travel services: it answers as their documentation says, and misbehaves when told to.

OSRM: https://project-osrm.org/docs/v5.24.0/api/#table-service
Valhalla: https://valhalla.github.io/valhalla/api/matrix/api-reference/
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Point = tuple[float, float]
NO_WAY_BEYOND_M = 40_000
NOWHERE_LAT = 47.0
"""South of it there are no streets."""


def metres(here: Point, there: Point) -> float:
    """Metres of a way: both legs of a corner."""
    down = abs(there[0] - here[0]) * 111_195
    across = abs(there[1] - here[1]) * 111_195 * math.cos(math.radians(here[0]))
    return round(down + across, 1)


def seconds(here: Point, there: Point) -> float | None:
    """Seconds of a way, north of here slower than back; None where there is none."""
    way = metres(here, there)
    if way > NO_WAY_BEYOND_M:
        return None
    return round(way / 5.0 + (17.0 if there[0] > here[0] else 0.0), 1)


@dataclass
class TravelService:
    """What it was asked, and how it behaves."""

    url: str = ""
    behaviour: str = "well"
    """well, slow, html, cut, short, text, negative, 429, 500, 401, huge"""
    most_places: int = 100
    most_pairs: int = 2500
    no_distances: bool = False
    concise: bool = False
    miles: bool = False
    key: str = ""
    requests: int = 0
    ways: int = 0
    asked: list[str] = field(default_factory=list)

    def osrm(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        *_, profile, coordinates = path.split("/")
        self.asked.append(profile)
        points = [(float(b), float(a)) for a, b in (pair.split(",") for pair in coordinates.split(";"))]
        if len(points) > self.most_places:
            return 400, {"code": "TooBig", "message": "Too many table coordinates"}
        if any(lat < NOWHERE_LAT for lat, _ in points):
            return 400, {"code": "NoSegment", "message": "Could not find a matching segment for coordinate 0"}
        if self.no_distances and "distance" in query["annotations"][0]:
            return 400, {"code": "NotImplemented", "message": "Distance tables are not implemented"}
        sources, tos = ([points[int(k)] for k in query[name][0].split(";")] for name in ("sources", "destinations"))
        said = {"code": "Ok", "durations": self.table(seconds, sources, tos), "sources": [], "destinations": []}
        if "distance" in query["annotations"][0]:
            said["distances"] = _table(lambda a, b: metres(a, b) if seconds(a, b) is not None else None, sources, tos)
        return 200, said

    def valhalla(self, body: dict[str, Any]) -> tuple[int, Any]:
        self.asked.append(body["costing"])
        sources, tos = ([(one["lat"], one["lon"]) for one in body[name]] for name in ("sources", "targets"))
        if len(sources) * len(tos) > self.most_pairs:
            return 400, _fault(150, f"Exceeded max locations: {self.most_pairs}")
        if any(lat < NOWHERE_LAT for lat, _ in (*sources, *tos)):
            return 400, _fault(171, "No suitable edges near location")
        unit_m = 1609.344 if self.miles else 1000.0
        units = {"units": "miles" if self.miles else "kilometers"}

        def distance(a: Point, b: Point) -> float | None:
            return None if seconds(a, b) is None else metres(a, b) / unit_m

        times, ways = self.table(seconds, sources, tos), _table(distance, sources, tos)
        if self.concise:
            return 200, {"sources_to_targets": {"durations": times, "distances": ways}, **units}
        rows = [
            [
                {"time": times[i][j], "distance": ways[i][j], "from_index": i, "to_index": j}
                for j in range(len(tos))
            ]
            for i in range(len(sources))
        ]  # fmt: skip
        return 200, {"sources_to_targets": rows, **units}

    def own(self, body: dict[str, Any]) -> tuple[int, Any]:
        self.asked.append(body["profile"])
        sources, tos = ([tuple(one) for one in body[name]] for name in ("sources", "destinations"))
        if len(sources) + len(tos) > self.most_places:
            return 413, {"error": "too many"}
        return 200, {"seconds": self.table(seconds, sources, tos)}

    def table(self, value: Any, sources: list[Any], tos: list[Any]) -> list[list[Any]]:
        self.ways += len(sources) * len(tos)
        return _table(value, sources, tos)


def _table(value: Any, sources: list[Any], tos: list[Any]) -> list[list[Any]]:
    return [[value(a, b) for b in tos] for a in sources]


def _fault(code: int, error: str) -> dict[str, Any]:
    return {"error_code": code, "error": error, "status_code": 400, "status": "Bad Request"}


class _Handler(BaseHTTPRequestHandler):
    service: TravelService

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        self._answer(lambda: self.service.osrm(where.path, parse_qs(where.query)), where.query)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        where = urlsplit(self.path)
        ask = self.service.valhalla if where.path == "/sources_to_targets" else self.service.own
        self._answer(lambda: ask(body), where.query)

    def _answer(self, ask: Any, query: str) -> None:
        service = self.service
        service.requests += 1
        given = (self.headers.get("Authorization", ""), parse_qs(query).get("api_key", [""])[0])
        if service.behaviour == "401" or (service.key and service.key not in given):
            return self._send(401, b"{}")
        if service.behaviour == "429":
            return self._send(429, b'{"message":"Too Many Requests"}', {"Retry-After": "7"})
        if service.behaviour == "500":
            return self._send(500, b"<html>oops</html>")
        if service.behaviour == "html":
            return self._send(200, b"<html>hello</html>")
        if service.behaviour == "slow":
            time.sleep(1.0)
        status, said = ask()
        if status == 200:
            said = _spoilt(service.behaviour, said)
        text = json.dumps(said).encode()
        if service.behaviour == "cut":
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text[: len(text) // 2])
            self.close_connection = True
            return None
        return self._send(status, text)

    def _send(self, status: int, text: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words: Any) -> None:
        pass


def _spoilt(behaviour: str, said: dict[str, Any]) -> Any:
    """The answer with its table of times spoilt."""
    table = next((said[name] for name in ("durations", "seconds") if name in said), None)
    if table is None:
        return said
    if behaviour == "short":
        table.pop()
    elif behaviour == "text":
        table[0][0] = "soon"
    elif behaviour == "negative":
        table[0][0] = -5
    elif behaviour == "list":
        return [1, 2, 3]
    return said


@contextmanager
def travel_service(**more: Any) -> Iterator[TravelService]:
    """A service that listens at an address of its own."""
    service = TravelService(**more)
    handler = type("Handler", (_Handler,), {"service": service, "protocol_version": "HTTP/1.1"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
