"""The build report: what a city holds, and what the import met and left out."""

from __future__ import annotations

from typing import Any

import numpy as np

from routing.roads.city.network import RoadNetwork
from routing.roads.hierarchy.graphs import TurnGraph
from routing.roads.streets import SHUT

PARTS_NAMED = 5
"""Parts beside the main network that are named, the longest first."""


def build_report(city: RoadNetwork) -> dict[str, Any]:
    """What a city holds, and what the import met and left out, as JSON values."""
    streets = city.streets
    open_edges = (streets.drive_ms != SHUT).any(axis=1)
    return {
        "nodes": streets.nodes,
        "edges": streets.edges,
        "kilometres": round(float(streets.length_cm.sum(dtype="int64")) / 1e5, 1),
        "profiles": dict(zip(streets.profiles, open_edges.sum(axis=1).tolist(), strict=True)),
        "kilometres_by_profile": {
            name: round(float(streets.length_cm[open_].sum(dtype="int64")) / 1e5, 1)
            for name, open_ in zip(streets.profiles, open_edges, strict=True)
        },
        "parts_beside": {name: city.graph(name).parts_beside for name in streets.profiles},
        "largest_parts_beside": {name: parts_beside(city, name) for name in streets.profiles},
        "kilometres_without_return": dict(streets.facts.get("kilometres_without_return", {})),
        "missing_references": int(streets.facts.get("missing_references", 0)),
        "turn_restrictions": int(streets.facts.get("turn_restrictions", 0)),
        "restrictions_honoured": int(streets.facts.get("restrictions_honoured", 0)),
        "restrictions_skipped": dict(streets.facts.get("restrictions_skipped", {})),
        "impossible_ways": list(streets.facts.get("impossible_ways", [])),
        "country": str(streets.facts.get("country", "")),
        "drives_on_the_left": bool(streets.facts.get("drives_on_the_left", False)),
        "cannot_tell": list(streets.facts.get("cannot_tell", [])),
        "not_understood": dict(streets.facts.get("not_understood", {})),
        **{name: int(streets.facts.get(name, 0)) for name in ("old_versions", "deleted_ways", "impossible_nodes")},
        "signals": int(streets.facts.get("signals", 0)),
        "barriers": int(streets.facts.get("barriers", 0)),
        "barriers_shut": dict(streets.facts.get("barriers_shut", {})),
        "label_entries": city.hierarchy.label_entries,
        "deepest_label": city.hierarchy.width,
        "south_west": [round(float(streets.lat.min()), 5), round(float(streets.lng.min()), 5)],
        "north_east": [round(float(streets.lat.max()), 5), round(float(streets.lng.max()), 5)],
        "weathers": sorted(city.notes.get("weather", {})),
        "digest": city.digest,
        "attribution": city.attribution,
    }


def parts_beside(city: RoadNetwork, profile: str) -> list[str]:
    """The longest parts that a profile's main network cannot reach and come back from: a street of each, and km."""
    graph, s = city.graph(profile), city.streets
    if not isinstance(graph, TurnGraph):
        return []
    island = graph.turns.island
    told = []
    for part in range(1, min(graph.parts_beside, PARTS_NAMED) + 1):
        mine = np.flatnonzero(island == part)
        if not len(mine):
            continue
        named = mine[[bool(s.names[s.name[edge]]) for edge in mine.tolist()]]
        longest = max((named if len(named) else mine).tolist(), key=lambda edge: (int(s.length_cm[edge]), -edge))
        km = float(s.length_cm[mine].sum(dtype="int64")) / 1e5
        told.append(f"{s.names[s.name[longest]] or f'way {int(s.way[longest])}'} ({km:.2f} km)")
    return told
