"""The examples for running the service say nothing that the service does not understand."""

from __future__ import annotations

import asyncio
import configparser
import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from api.config import read_config
from api.observe.metrics import Metrics
from api.observe.watchdog import BEAT_S
from benchmarks.live.ports import free_port
from halfhour.commands import build
from tests.kit.service.running import Running, running
from tests.kit.service.serving import serving

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


# --- several hosts --------------------------------------------------------------------------------------------------


def _options_of(verb: str) -> str:
    return CliRunner().invoke(build(verb), [verb, "--help"], env={"COLUMNS": "200"}).output


def test_hosts_are_started_with_options_that_they_have() -> None:
    options = _options_of("host")
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(FOLDER / "halfhour-host.service")
    hosts = yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text())
    containers = [made["spec"]["template"]["spec"]["containers"] for made in hosts if made["kind"] == "StatefulSet"]
    composed = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    words = [
        *shlex.split(unit["Service"]["ExecStart"].replace("\\\n", " "))[1:],
        *(word for [container] in containers for word in container["args"]),
        *(word for name in ("host-a", "host-b") for word in shlex.split(composed[name]["command"])),
    ]
    asked = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert words.count("host") == 4 and len(asked) > 6 and {word for word in asked if word not in options} == set()


def test_what_adds_and_takes_away_hosts_asks_for_what_they_say() -> None:
    from halfhour.live.host_figures import figures

    said = {family.name for family in text_string_to_metric_families(figures("a", [], []).decode())}
    [scaled] = [
        made for made in yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text()) if made["kind"] == "ScaledObject"
    ]
    asked = set(re.findall(r"halfhour_\w+", scaled["spec"]["triggers"][0]["metadata"]["query"]))
    assert asked and asked <= said


def test_the_map_of_markets_is_made_by_an_option_that_there_is() -> None:
    text = (FOLDER / "haproxy-map.sh").read_text()
    assert "halfhour markets" in text and "--map" in text and "--map" in _options_of("markets")
    assert subprocess.run(["sh", "-n", str(FOLDER / "haproxy-map.sh")], check=False).returncode == 0


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
def test_haproxy_takes_its_file(tmp_path: Path) -> None:
    (tmp_path / "markets.map").touch()
    text = (FOLDER / "haproxy.cfg").read_text().replace("/etc/haproxy/markets.map", str(tmp_path / "markets.map"))
    (tmp_path / "haproxy.cfg").write_text(text.replace("/run/haproxy/admin.sock", str(tmp_path / "socket")))
    words = ["haproxy", "-c", "-f", str(tmp_path / "haproxy.cfg")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


# --- proxies --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed")
def test_caddy_takes_its_file(tmp_path: Path) -> None:
    words = ["caddy", "validate", "--config", str(FOLDER / "Caddyfile"), "--adapter", "caddyfile"]
    home = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    done = subprocess.run(words, capture_output=True, text=True, env=home)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    shutil.which("nginx") is None or shutil.which("openssl") is None, reason="nginx or openssl is not installed"
)
def test_nginx_stands_in_front_of_a_service_as_its_file_says(tmp_path: Path) -> None:
    """TLS, streams as they come, no metrics outside, and an end for who says nothing or opens too much."""
    port, cert, key = free_port(), tmp_path / "dispatch.pem", tmp_path / "dispatch.key"
    subject = ["-subj", "/CN=dispatch.example.com", "-days", "2", "-nodes"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-keyout", str(key), "-out", str(cert), *subject]
    subprocess.run(made, check=True, capture_output=True)

    def configured(url: str) -> Path:
        text = (FOLDER / "nginx.conf").read_text()
        for usual, here in (
            ("127.0.0.1:8080", url.removeprefix("http://")), ("listen 443", f"listen 127.0.0.1:{port}"),
            ("/etc/ssl/dispatch.pem", str(cert)), ("/etc/ssl/dispatch.key", str(key)),
            ("client_header_timeout 10s", "client_header_timeout 1s"),
            ("events {", f"pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log; daemon off; events {{"),
            ("http {", f"http {{ access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;"),
        ):  # fmt: skip
            assert usual in text, usual
            text = text.replace(usual, here)
        (tmp_path / "nginx.conf").write_text(text)
        return tmp_path / "nginx.conf"

    async def look(run: Running) -> None:
        context = ssl.create_default_context(cafile=str(cert))
        headers = {"Authorization": f"Bearer {run.keys['ops']}"}
        base = f"https://dispatch.example.com:{port}"
        transport = httpx.AsyncHTTPTransport(verify=context)
        async with httpx.AsyncClient(transport=_Here(transport), base_url=base, headers=headers, timeout=60) as http:
            async with asyncio.timeout(60):
                while not await _answers(http):
                    await asyncio.sleep(0.05)
            assert (await http.get("/readyz")).json()["ready"] is True
            assert (await http.get("/metrics")).status_code == 404
            async with http.stream("GET", "/v1/stream") as stream:
                assert (await anext(stream.aiter_lines())).startswith("retry")
            named = {"ssl": context, "server_hostname": "dispatch.example.com"}
            silent = await asyncio.open_connection("127.0.0.1", port, **named)  # type: ignore[arg-type]
            silent[1].write(b"GET / HT")
            async with asyncio.timeout(30):
                assert b"200" not in await silent[0].read(), "half a head is ended"

    async def go() -> None:
        async with running(tmp_path / "ledger") as run, serving(run.app) as url:
            words = ["nginx", "-e", str(tmp_path / "error.log"), "-c", str(configured(url))]
            tried = await asyncio.to_thread(subprocess.run, [*words, "-t"], capture_output=True, text=True)
            assert tried.returncode == 0, tried.stderr
            nginx = await asyncio.create_subprocess_exec(*words)
            try:
                await look(run)
            finally:
                nginx.terminate()
                await nginx.wait()

    asyncio.run(go())


class _Here(httpx.AsyncBaseTransport):
    """Finds the name of the certificate on this machine."""

    def __init__(self, inner: httpx.AsyncHTTPTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = request.url.host
        request.url = request.url.copy_with(host="127.0.0.1")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/healthz")).status_code == 200
    except httpx.TransportError:
        return False


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
