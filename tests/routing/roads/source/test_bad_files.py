"""Files as users have them: read right, with what was left out counted, or refused in words and no city left."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from halfhour.commands import main

NODES = "".join(
    f'<node id="{k}" version="1" lat="{lat}" lon="{lng}"/>'
    for k, (lat, lng) in enumerate([(41.0, -8.0), (41.001, -8.0), (41.001, -7.999), (41.0, -7.999)], start=1)
)


def way(number: int, refs: str, more: str = 'version="1"', name: str = "") -> str:
    nodes = "".join(f'<nd ref="{ref}"/>' for ref in refs.split())
    tags = f'<tag k="highway" v="residential"/><tag k="name" v="{name or number}"/>'
    return f'<way id="{number}" {more}>{nodes}{tags}</way>'


STREET = way(10, "1 2 3 4")
NEWER = way(10, "1 2", 'version="2"')
BOLLARD = '<node id="5" version="1" lat="41.0" lon="-7.998"><tag k="barrier" v="bollard"/></node>'
GOOD = f'<osm version="0.6">{NODES}{STREET}</osm>'


def build(capsys: pytest.CaptureFixture[str], file: Path, out: Path) -> tuple[int, Any, str]:
    status = 0
    try:
        main(["roads", "build", str(file), "--out", str(out), "--profile", "car", "--json"])
    except SystemExit as leaving:
        status = int(leaving.code or 0)
    told = capsys.readouterr()
    return status, json.loads(told.out) if told.out else None, told.err


REFUSED = {
    "page.osm": ("<html><body>429 Too many requests</body></html>", "unreadable_file"),
    "cut.osm": (GOOD[: len(GOOD) - 90], "unreadable_file"),
    "query.json": ('{"version": 0.6, "elements": []}', "unreadable_file"),
    "remark.osm": ('<osm version="0.6"><remark>runtime error: Query timed out</remark></osm>', "no_roads"),
    "nodes.osm": (f'<osm version="0.6">{NODES}</osm>', "no_roads"),
    "ways.osm": (f'<osm version="0.6">{STREET}</osm>', "no_roads"),
    "no_number.osm": (GOOD.replace('lat="41.0"', 'lat="nan"', 1), "unreadable_file"),
    "no_reference.osm": (GOOD.replace('nd ref="', 'nd ref="x', 1), "unreadable_file"),
    "page.geojson": ('{"type": "FeatureCollection", "features": []}', "unreadable_file"),
    "empty.osm": ("", "unreadable_file"),
    "relations.osm": (
        '<osm version="0.6"><relation id="1"><member type="way" ref="5" role="from"/>'
        '<tag k="type" v="restriction"/><tag k="restriction" v="no_left_turn"/></relation></osm>',
        "no_roads",
    ),
    "outside.osm": (GOOD.replace('lat="41', 'lat="98'), "no_roads"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, capsys: Any, tmp_path: Path) -> None:
    text, code = REFUSED[name]
    file = tmp_path / name
    file.write_text(text)
    status, _, err = build(capsys, file, tmp_path / "city.npz")
    assert (status, f"[{code}]" in err, name in err) == (2, True, True), err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing is left behind"


def test_a_cut_archive_is_refused(capsys: Any, tmp_path: Path) -> None:
    file = tmp_path / "cut.osm.gz"
    packed = gzip.compress((GOOD + " " * 5000).encode(), mtime=0)
    file.write_bytes(packed[: len(packed) * 2 // 3])
    status, _, err = build(capsys, file, tmp_path / "city.npz")
    assert (status, "[unreadable_file]" in err) == (2, True)
    assert not (tmp_path / "city.npz").exists()


READ = {
    "ways_first.osm": (f'<osm version="0.6">{STREET}{NODES}</osm>', {"kilometres": 0.3, "missing_references": 0}),
    "below_zero.osm": (
        GOOD.replace('node id="', 'node id="-').replace('nd ref="', 'nd ref="-'),
        {"kilometres": 0.3, "missing_references": 0},
    ),
    "versions.osm": (
        f'<osm version="0.6">{NODES}{way(10, "1 2 3 4")}{NEWER}'
        "</osm>",
        {"kilometres": 0.1, "old_versions": 1, "deleted_ways": 0},
    ),
    "twice.osm": (f'<osm version="0.6">{NODES}{STREET}{STREET}</osm>', {"kilometres": 0.3}),
    "gate_removed.osm": (
        f'<osm version="0.6">{NODES}{BOLLARD}'
        f'<node id="5" version="2" lat="41.0" lon="-7.998"/>{way(10, "1 2 3 4 5")}</osm>',
        {"barriers": 0, "barriers_shut": {"car": 0}},
    ),
    "gate.osm": (
        f'<osm version="0.6">{NODES}{BOLLARD}'
        f'{way(10, "1 2 3 4 5")}</osm>',
        {"barriers": 1, "barriers_shut": {"car": 1}},
    ),
    "restriction_removed.osm": (
        f'<osm version="0.6">{NODES}{STREET}<relation id="1" version="3" visible="false">'
        '<tag k="type" v="restriction"/><tag k="restriction" v="no_u_turn"/></relation></osm>',
        {"turn_restrictions": 0},
    ),
    "deleted.osm": (
        f'<osm version="0.6">{NODES}{way(10, "1 2")}<way id="11" version="2" visible="false"/></osm>',
        {"kilometres": 0.1, "deleted_ways": 1},
    ),
    "change.osc": (
        f'<osmChange version="0.6"><create>{NODES}{STREET}{way(11, "1 3")}</create>'
        '<delete><way id="11" version="2"/></delete></osmChange>',
        {"kilometres": 0.3, "deleted_ways": 1},
    ),
    "border.osm": (
        f'<osm version="0.6">{NODES}{way(10, "1 2 9")}</osm>', {"missing_references": 1, "impossible_nodes": 0}
    ),
    "one_outside.osm": (
        f'<osm version="0.6">{NODES}<node id="5" version="1" lat="98.0" lon="-8.0"/>{way(10, "1 2 5")}</osm>',
        {"missing_references": 0, "impossible_nodes": 1},
    ),
    "far_node.osm": (
        f'<osm version="0.6">{NODES}<node id="5" version="1" lat="0.0" lon="0.0"/>{STREET}{way(11, "1 5")}</osm>',
        {"kilometres": 0.3, "impossible_ways": [11]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_read_and_counted(name: str, capsys: Any, tmp_path: Path) -> None:
    text, wanted = READ[name]
    file = tmp_path / name
    file.write_text(text)
    status, told, err = build(capsys, file, tmp_path / "city.npz")
    assert status == 0, err
    assert {key: told[key] for key in wanted} == wanted


@pytest.mark.parametrize("sign", [1, -1])
def test_a_compressed_file_whose_ways_come_first(sign: int, capsys: Any, tmp_path: Path) -> None:
    osmium = pytest.importorskip("osmium")
    file = tmp_path / "ways_first.osm.pbf"
    writer = osmium.SimpleWriter(str(file))
    refs = [sign * k for k in (1, 2)]
    writer.add_way(osmium.osm.mutable.Way(id=sign * 10, version=1, nodes=refs, tags={"highway": "residential"}))
    for ref, lat in zip(refs, (41.0, 41.001), strict=True):
        writer.add_node(osmium.osm.mutable.Node(id=ref, version=1, location=(-8.0, lat)))
    writer.close()
    status, told, err = build(capsys, file, tmp_path / "city.npz")
    assert status == 0, err
    assert (told["kilometres"], told["missing_references"]) == (0.1, 0)
