"""Traffic tables in TOML: read, and refused with the line that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.errors import InvalidInput, UnreadableFile
from tests.kit.roads.drawing import Drawn

GOOD = """
starts_at = 06:00:00
slot_s = 900
[zones]
centre = [[42, -9], [42, -7], [40, -7], [40, -9]]
[[speed]]
from = 07:30:00
to = 09:00:00
class = ["primary"]
factor = 0.5
[[speed]]
from = 23:45:00
to = 06:30:00
zone = "centre"
profiles = ["car"]
factor = 2.0
"""


def test_a_traffic_file(town: Drawn, tmp_path: Path) -> None:
    file = tmp_path / "traffic.toml"
    file.write_text(GOOD)
    town.network.set_traffic(file)

    def at(clock: str) -> float:
        hour, minute = clock.split(":")
        return town.seconds("A", "B", at=86_400 * 9 + int(hour) * 3600 + int(minute) * 60)

    assert [at("07:29"), at("07:30"), at("08:59"), at("09:00")] == pytest.approx([7.5, 15.0, 15.0, 7.5])
    assert [at("23:44"), at("23:45"), at("00:10"), at("06:29"), at("06:30")] == pytest.approx(
        [7.5, 3.75, 3.75, 3.75, 7.5]
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("06:00:00\nslot", "1.5\nslot", "starts_at"),
        ("slot_s = 900", "slot_s = 7", "slot_s"),
        ("slot_s = 900", "slot_s = 900\nslots = 3", "slots"),
        ("factor = 0.5", "factor = 0", "factor"),
        ("factor = 0.5", "factor = -0.5", "factor"),
        ("factor = 0.5", "factr = 0.5", "factr"),
        ('["car"]', '["rocket"]', "rocket"),
        ('["primary"]', "[3]", "3"),
        ('zone = "centre"', 'zone = "center"', "center"),
        ("07:30:00", "07:31:00", "slot"),
        ("[[42, -9], [42, -7], [40, -7], [40, -9]]", "[[42, -9]]", "corners"),
        ("[zones]", "[zones", "TOML"),
    ],
)
def test_wrong_traffic_files(town: Drawn, tmp_path: Path, old: str, new: str, told: str) -> None:
    file = tmp_path / "traffic.toml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(InvalidInput, match=told) as caught:
        town.network.set_traffic(file)
    assert caught.value.details["file"] == str(file)
    assert town.network.version == 1


def test_a_missing_traffic_file(town: Drawn, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        town.network.set_traffic(tmp_path / "none.toml")
