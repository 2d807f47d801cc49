"""A city in one file: streets and hierarchy as a plain .npz, written whole or not at all."""

from __future__ import annotations

import json
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np

from routing.errors import InvalidInput, UnreadableFile
from routing.roads.errors import WrongVersion
from routing.roads.hierarchy.graphs import CrossingGraph, Graph, TurnGraph
from routing.roads.hierarchy.hierarchy import Hierarchy
from routing.roads.hierarchy.metric import AnyHierarchy
from routing.roads.hierarchy.turn_hierarchy import TurnHierarchy
from routing.roads.streets import Streets
from routing.roads.turns.turns import Turns

FORMAT = "halfhour-roads"
VERSION = 3
HINT = "Make one with `halfhour roads build`."
_PLAIN = tuple(each.name for each in fields(Hierarchy) if each.init)
_TURNED = tuple(each.name for each in fields(TurnHierarchy) if each.init)


_NEEDED = tuple(each.name for each in fields(Streets) if each.default is MISSING and each.default_factory is MISSING)
_TURNS = tuple(each.name for each in fields(Turns))


def save_city(path: Path, streets: Streets, graphs: Mapping[str, Graph], notes: dict[str, Any]) -> None:
    """Write a city; `path` appears only once the file is complete.

    `notes`: JSON values kept beside the arrays (the tables of the profiles).  Raises InvalidInput where something that
    is no file has the name (/dev/null: a rename would put the city in its place).
    """
    if path.exists() and not path.is_file():
        raise InvalidInput(f"{path} is no file that a city can be written to", code="bad_option", file=str(path))
    header: dict[str, Any] = {"format": FORMAT, "version": VERSION, "notes": notes}
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for each in fields(Streets):
        value = getattr(streets, each.name)
        if isinstance(value, np.ndarray):
            arrays[f"streets.{each.name}"] = value
        else:
            header[each.name] = list(value) if isinstance(value, tuple) else value
    header["hierarchies"] = _pack_graphs(graphs, arrays, header)
    text = json.dumps(header, ensure_ascii=False, default=dict).encode()
    arrays["header"] = np.frombuffer(text, dtype=np.uint8)
    # Beside the target, so that the last step is a rename within one file system.
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        unfinished = Path(file.name)
        try:
            _write_arrays(file, arrays)
            file.close()
            unfinished.chmod(0o644)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def _write_arrays(file: Any, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """As numpy's savez_compressed, at the level that takes least time: half the size of the arrays and less."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, array in arrays.items():
            with packed.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def _pack_graphs(graphs: Mapping[str, Graph], arrays: dict[str, Any], header: dict[str, Any]) -> list[int]:
    """Put hierarchies and turns among the arrays; return the number of every profile's hierarchy."""
    kept: list[AnyHierarchy] = []
    numbers = []
    for p, graph in enumerate(graphs.values()):
        number = next((k for k, one in enumerate(kept) if one is graph.hierarchy), len(kept))
        numbers.append(number)
        if number == len(kept):
            kept.append(graph.hierarchy)
            for name in _PLAIN if isinstance(graph.hierarchy, Hierarchy) else _TURNED:
                arrays[f"hierarchy{number}.{name}"] = getattr(graph.hierarchy, name)
        if isinstance(graph, TurnGraph):
            header[f"conditions{p}"] = list(graph.turns.conditions)
            for name in _TURNS:
                if name != "conditions":
                    arrays[f"turns{p}.{name}"] = getattr(graph.turns, name)
    return numbers


def _unpack_graphs(file: Any, header: dict[str, Any], streets: Streets) -> dict[str, Graph]:
    numbers: list[int] = header["hierarchies"]
    if "hierarchy0.arc" in file:
        plain = Hierarchy(*(file[f"hierarchy0.{name}"] for name in _PLAIN))
        graph: Graph = CrossingGraph(streets, plain)
        return dict.fromkeys(streets.profiles, graph)
    kept = [TurnHierarchy(*(file[f"hierarchy{k}.{name}"] for name in _TURNED)) for k in range(max(numbers) + 1)]
    graphs: dict[str, Graph] = {}
    for p, profile in enumerate(streets.profiles):
        arrays = {name: file[f"turns{p}.{name}"] for name in _TURNS if name != "conditions"}
        turns = Turns(**arrays, conditions=tuple(header[f"conditions{p}"]))
        graphs[profile] = TurnGraph(streets, turns, kept[numbers[p]])
    return graphs


def load_city(path: Path) -> tuple[Streets, dict[str, Graph], dict[str, Any]]:
    """Read a city: streets, the graph of every profile, and notes.

    Raises UnreadableFile for a file that is missing, cut off or something else, WrongVersion for one that another
    version of the format wrote.
    """
    if not path.is_file():
        raise UnreadableFile("there is no such file", file=str(path))
    if not zipfile.is_zipfile(path):
        raise UnreadableFile("this is no city file, or half of one", file=str(path), hint=HINT)
    try:
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(bytes(file["header"])) if "header" in file else {}
            if header.get("format") != FORMAT:
                raise UnreadableFile("this is no city file", file=str(path), hint=HINT)
            if header.get("version") != VERSION:
                raise WrongVersion(
                    f"the city file is of version {header.get('version')}, this program reads {VERSION}",
                    file=str(path),
                    hint="Build it again with `halfhour roads build`.",
                )
            given: dict[str, Any] = {
                each.name: file[f"streets.{each.name}"]
                if f"streets.{each.name}" in file
                else tuple(header[each.name])
                if isinstance(header[each.name], list)
                else header[each.name]
                for each in fields(Streets)
                # What a file does not hold yet has its default.
                if f"streets.{each.name}" in file or each.name in header
            }
            missing = [name for name in _NEEDED if name not in given]
            if missing:
                raise UnreadableFile(f"the city file has no {missing[0]}", file=str(path), hint=HINT)
            streets = Streets(**given)
            graphs = _unpack_graphs(file, header, streets)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise UnreadableFile(f"the city file cannot be read: {error}", file=str(path)) from error
    return streets, graphs, header["notes"]
