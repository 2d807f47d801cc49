"""Small OpenStreetMap files written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

STEP = 0.001
"""Degrees between neighbouring nodes: about 111 m to the north."""


def write_osm(
    path: Path,
    ways: Sequence[tuple[Sequence[int], Mapping[str, str]]],
    node_tags: Mapping[int, Mapping[str, str]] | None = None,
    missing: Sequence[int] = (),
    restrictions: int = 0,
) -> Path:
    """Write a file in which node k lies at k steps north (k // 100 steps east); nodes in `missing` are left out."""
    nodes = sorted({ref for refs, _ in ways for ref in refs} - set(missing))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="by hand">']
    for ref in nodes:
        lat, lng = 41 + ref % 100 * STEP, -8 + ref // 100 * STEP
        lines.append(f'<node id="{ref}" version="1" lat="{lat:.7f}" lon="{lng:.7f}">')
        lines += _tags((node_tags or {}).get(ref, {}))
        lines.append("</node>")
    for number, (refs, tags) in enumerate(ways, start=1000):
        lines.append(f'<way id="{number}" version="1">')
        lines += [f'<nd ref="{ref}"/>' for ref in refs]
        lines += _tags(tags)
        lines.append("</way>")
    for number in range(restrictions):
        lines.append(f'<relation id="{number + 1}" version="1">')
        lines += _tags({"type": "restriction", "restriction": "no_left_turn"})
        lines.append("</relation>")
    lines.append("</osm>")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _tags(tags: Mapping[str, str]) -> list[str]:
    return [f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items()]
