"""City files: what is saved comes back, other files are refused, a failed save leaves nothing."""

from __future__ import annotations

import itertools
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from routing.errors import InvalidInput, UnreadableFile
from routing.roads import RoadNetwork
from routing.roads.city import storage
from routing.roads.errors import InvalidTraffic, OutsideTraffic, WrongVersion
from tests.kit.roads.drawing import draw
from tests.kit.roads.graphs import random_city


@pytest.fixture(scope="module")
def city() -> RoadNetwork:
    return random_city(3).network()


def test_a_city_comes_back_as_it_was(city: RoadNetwork, tmp_path: Path) -> None:
    city.notes["weather"] = {"rain": {"car": 0.9}}
    city.save(tmp_path / "city.npz")
    again = RoadNetwork.load(tmp_path / "city.npz")
    every = np.arange(city.streets.nodes)
    np.testing.assert_array_equal(
        again.travel_ms(every, every, profile="car"), city.travel_ms(every, every, profile="car")
    )
    assert again.profiles == city.profiles
    assert again.digest == city.digest
    assert again.notes == {"weather": {"rain": {"car": 0.9}}}
    np.testing.assert_array_equal(again.hierarchy.position, city.hierarchy.position)


def test_a_city_opens_with_the_traffic_it_was_saved_with(tmp_path: Path) -> None:
    town = draw("A-B")
    town.network.save(tmp_path / "dry.npz")
    table = tmp_path / "traffic.toml"
    table.write_text("starts_at = 0\nslot_s = 300\nslots = 2\n[[speed]]\nfrom = 00:05:00\nfactor = 0.5\n")
    town.network.save(tmp_path / "wet.npz", traffic=table, weather="rain")
    dry, wet = RoadNetwork.load(tmp_path / "dry.npz"), RoadNetwork.load(tmp_path / "wet.npz")
    assert (dry.version, wet.version) == (1, 1)
    assert dry.digest == town.network.digest != wet.digest
    node = [town.node["A"]], [town.node["B"]]
    times = [int(network.travel_ms(*node, profile="car", at=300)[0, 0]) for network in (dry, wet)]
    # Half the speed by the table, nine tenths by the rain.
    assert times[1] == round(times[0] / 0.5 / 0.9)
    with pytest.raises(OutsideTraffic):
        wet.travel_ms(*node, profile="car", at=600)
    with pytest.raises(InvalidTraffic, match="frogs"):
        town.network.save(tmp_path / "frogs.npz", weather="frogs")
    assert not (tmp_path / "frogs.npz").exists()
    # Saved again without, it opens calm.
    wet.save(tmp_path / "again.npz")
    assert RoadNetwork.load(tmp_path / "again.npz").digest == dry.digest


def test_saving_twice_gives_the_same_hierarchy(city: RoadNetwork) -> None:
    again = random_city(3).network()
    np.testing.assert_array_equal(again.hierarchy.up, city.hierarchy.up)
    np.testing.assert_array_equal(again.hierarchy.position, city.hierarchy.position)


def test_a_file_of_another_version(city: RoadNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "VERSION", 99)
    city.save(tmp_path / "city.npz")
    monkeypatch.undo()
    with pytest.raises(WrongVersion, match="version 99") as caught:
        RoadNetwork.load(tmp_path / "city.npz")
    assert caught.value.details["file"] == str(tmp_path / "city.npz")


def test_files_that_are_no_city(city: RoadNetwork, tmp_path: Path) -> None:
    city.save(tmp_path / "city.npz")
    whole = (tmp_path / "city.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.savez(tmp_path / "array.npz", header=np.frombuffer(json.dumps({"format": "x"}).encode(), dtype=np.uint8))
    damaged = bytearray(whole)
    damaged[len(whole) // 3] ^= 0xFF
    (tmp_path / "damaged.npz").write_bytes(damaged)
    for name in ("cut", "text", "other", "array", "damaged", "missing"):
        with pytest.raises(UnreadableFile) as caught:
            RoadNetwork.load(tmp_path / f"{name}.npz")
        assert caught.value.details["file"].endswith(f"{name}.npz")


def test_a_failed_save_leaves_no_file(city: RoadNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*words: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full_disk)
    with pytest.raises(OSError, match="No space"):
        city.save(tmp_path / "city.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_lacks_a_part_is_read_by_default_or_refused(city: RoadNetwork, tmp_path: Path) -> None:
    """Members of the archive, one left out or cut at a time: never anything but a city or one typed error."""
    city.save(tmp_path / "city.npz")
    with zipfile.ZipFile(tmp_path / "city.npz") as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    refused = set()
    for lacking, cut in itertools.product(members, (False, True)):
        file = tmp_path / "lacking.npz"
        with zipfile.ZipFile(file, "w") as packed:
            for name, content in members.items():
                if name != lacking or cut:
                    packed.writestr(name, content[: len(content) // 2] if name == lacking else content)
        try:
            RoadNetwork.load(file)
        except UnreadableFile as error:
            assert error.details["file"] == str(file)
            refused.add((lacking, cut))
    assert {(name, True) for name in members} <= refused
    assert {("streets.lat.npy", False), ("streets.drive_ms.npy", False), ("header.npy", False)} <= refused


def test_what_is_no_file_is_not_replaced(city: RoadNetwork, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInput, match="no file"):
        city.save(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()
    assert len(list(tmp_path.iterdir())) == 1
