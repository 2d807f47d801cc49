"""A city in one file: streets and hierarchy as a plain .npz, written whole or not at all."""

from __future__ import annotations

import json
import tempfile
import zipfile
import zlib
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from routing.errors import UnreadableFile
from routing.roads.errors import WrongVersion
from routing.roads.hierarchy import Hierarchy
from routing.roads.streets import Streets

FORMAT = "halfhour-roads"
VERSION = 1
HINT = "Make one with `halfhour roads build`."
_TOPOLOGY = tuple(each.name for each in fields(Hierarchy) if each.init)


def save_city(path: Path, streets: Streets, hierarchy: Hierarchy, notes: dict[str, Any]) -> None:
    """Write a city; `path` appears only once the file is complete.

    `notes`: JSON values kept beside the arrays (the tables of the profiles).
    """
    header: dict[str, Any] = {"format": FORMAT, "version": VERSION, "notes": notes}
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for each in fields(Streets):
        value = getattr(streets, each.name)
        if isinstance(value, np.ndarray):
            arrays[f"streets.{each.name}"] = value
        else:
            header[each.name] = list(value) if isinstance(value, tuple) else value
    for name in _TOPOLOGY:
        arrays[f"hierarchy.{name}"] = getattr(hierarchy, name)
    text = json.dumps(header, ensure_ascii=False, default=dict).encode()
    arrays["header"] = np.frombuffer(text, dtype=np.uint8)
    # Beside the target, so that the last step is a rename within one file system.
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        unfinished = Path(file.name)
        try:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.close()
            unfinished.chmod(0o644)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def load_city(path: Path) -> tuple[Streets, Hierarchy, dict[str, Any]]:
    """Read a city: streets, hierarchy and notes.

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
                    hint="Build it anew with `halfhour roads build`.",
                )
            streets: dict[str, Any] = {
                each.name: file[f"streets.{each.name}"]
                if f"streets.{each.name}" in file
                else tuple(header[each.name])
                if isinstance(header[each.name], list)
                else header[each.name]
                for each in fields(Streets)
            }
            topology = [file[f"hierarchy.{name}"] for name in _TOPOLOGY]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise UnreadableFile(f"the city file cannot be read: {error}", file=str(path)) from error
    return Streets(**streets), Hierarchy(*topology), header["notes"]
