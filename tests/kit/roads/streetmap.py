"""Street maps drawn for a question: nodes by letter on a grid of 100 m, ways along them, relations, as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from routing.cells import METRES_PER_DEGREE

LAT, LNG = 0.0, 20.0
"""At the equator a degree is as long either way."""
STEP_M = 100.0


@dataclass(frozen=True)
class StreetMap:
    """A drawing: rows of letters, each a node; `ways` as (letters, tags), the name of each being its letters.

    `nodes`: tags of nodes; `turns`: relations as (from way, via, to way, tags), ways by their letters.
    """

    drawing: str
    ways: Sequence[tuple[str, Mapping[str, str]]]
    nodes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    turns: Sequence[tuple[str, str, str, Mapping[str, str]]] = ()

    @property
    def places(self) -> dict[str, tuple[float, float]]:
        """(lat, lng) of every letter; a letter two columns on lies 100 m east, one line down 100 m south."""
        lines = [line for line in self.drawing.split("\n") if line.strip()]
        metre = 1.0 / METRES_PER_DEGREE
        return {
            letter: (LAT - r * STEP_M * metre, LNG + c / 2 * STEP_M * metre)
            for r, line in enumerate(lines)
            for c, letter in enumerate(line)
            if letter.isalpha()
        }

    def at(self, spot: str) -> tuple[float, float]:
        """(lat, lng) of a letter, of a spot between two ("A-B:25" lies 25 m from A), or beside ("A+30": 30 m north)."""
        places = self.places
        if "+" in spot:
            base, _, north = spot.partition("+")
            lat, lng = self.at(base)
            return lat + float(north) / METRES_PER_DEGREE, lng
        if ":" not in spot:
            return places[spot]
        ends, metres = spot.split(":")
        (a, b), (c, d) = places[ends[0]], places[ends[2]]
        share = float(metres) / (((c - a) ** 2 + (d - b) ** 2) ** 0.5 * METRES_PER_DEGREE)
        return a + (c - a) * share, b + (d - b) * share

    def write(self, path: Path) -> Path:
        """Write the map as an OpenStreetMap file."""
        lines = ['<osm version="0.6">']
        number = {letter: k for k, letter in enumerate(self.places, start=1)}
        for letter, (lat, lng) in self.places.items():
            tags = _tags(self.nodes.get(letter, {}))
            lines.append(f'<node id="{number[letter]}" version="1" lat="{lat:.7f}" lon="{lng:.7f}">{tags}</node>')
        for k, (letters, tags) in enumerate(self.ways, start=100):
            refs = "".join(f'<nd ref="{number[letter]}"/>' for letter in letters)
            lines.append(f'<way id="{k}" version="1">{refs}{_tags({"name": letters, **tags})}</way>')
        way = {letters: k for k, (letters, _) in enumerate(self.ways, start=100)}
        for k, (first, via, last, tags) in enumerate(self.turns, start=900):
            middle = f'type="way" ref="{way[via]}"' if via in way else f'type="node" ref="{number[via]}"'
            lines.append(
                f'<relation id="{k}" version="1"><member type="way" ref="{way[first]}" role="from"/>'
                f'<member {middle} role="via"/><member type="way" ref="{way[last]}" role="to"/>'
                f"{_tags({'type': 'restriction', **tags})}</relation>"
            )
        path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
        return path


def _tags(tags: Mapping[str, str]) -> str:
    return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())
