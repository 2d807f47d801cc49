"""The examples for running the service say nothing that the service does not understand."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from api.config import read_config
from api.observe.metrics import Metrics
from api.observe.watchdog import BEAT_S
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


# --- alarms ---------------------------------------------------------------------------------------------------------

RULES = [rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
BOARD = json.loads((FOLDER / "dashboard.json").read_text())


def _metrics() -> set[str]:
    """The name of every series that the service has, with what a histogram or a counter adds to it."""
    found = {"up"}
    for family in text_string_to_metric_families(Metrics().text().decode()):
        ends = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",)}.get(family.type, ("",))
        found |= {family.name + end for end in ends}
    return found


def _named(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:halfhour_\w+|up)\b", expression))


def test_alarms_and_the_dashboard_name_metrics_that_the_service_has() -> None:
    expressions = [rule["expr"] for rule in RULES]
    expressions += [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    for expression in expressions:
        assert _named(expression) and _named(expression) <= _metrics(), expression


def test_every_alarm_has_its_line_in_the_runbook_and_every_line_its_alarm() -> None:
    page = (FOLDER.parents[1] / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (Halfhour\w+)$", page, flags=re.MULTILINE) == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["annotations"]["summary"] in page
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_takes_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(FOLDER / "alerts.yml")], check=True, capture_output=True)
