"""The examples for running the service say nothing that the service does not understand."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path

from typer.testing import CliRunner

from api.settings import read_config
from api.watchdog import BEAT_S
from halfhour.commands import build

FOLDER = Path(__file__).parents[2] / "examples" / "deploy"


def test_the_configuration_is_read_and_means_what_it_says() -> None:
    config = read_config(FOLDER / "halfhour.toml")
    assert (config.service.port, config.service.radius_m) == (8080, 8000)
    assert config.engine_settings().rules.round_s == 5
    assert set(config.travel["metres_per_minute"]) == {"default", "bike", "scooter"}


def test_the_unit_and_the_image_call_the_command_with_options_that_it_has() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(FOLDER / "halfhour.service")
    words = shlex.split(unit["Service"]["ExecStart"])
    image = (FOLDER / "Dockerfile").read_text()
    assert "UNTESTED" in image.splitlines()[0]
    help_page = CliRunner().invoke(build("serve"), ["serve", "--help"]).output
    assert words[1] == "serve"
    for option in [word for word in words if word.startswith("--")] + ["--host", "--config", "--data"]:
        assert option in help_page
        assert option in image or option in words


def test_systemd_is_told_when_the_service_is_ready_and_that_its_loop_turns() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(FOLDER / "halfhour.service")
    service = unit["Service"]
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    assert int(service["WatchdogSec"]) >= 4 * BEAT_S and "LimitAS" not in service
    assert "AF_UNIX" in service["RestrictAddressFamilies"], "it is told through such a socket"
