"""From the wheel to the first quote of one's own stores: an empty environment, empty caches, two CSV files.

    python -m benchmarks.live.first_quote [--most-s 180] [--out benchmarks/results]

What a stranger types on docs/first-quote.md is done in a folder of its own: an environment is made, the wheel installed
(from a folder: the download does not count), the service started, stores and riders imported, a quote asked for.  Each
step is timed.  Status 1 where the quote came later than `--most-s` after the first step; times are figures on two quiet
cores only, so that processor seconds are told beside them.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.live.ports import free_port
from benchmarks.published import publish
from benchmarks.resumable import ROOT

STORES = "store_id,lat,lng,name,mean_ready_s,tenants\n" + "".join(
    f"kitchen-{k},{48.13 + k / 500:.3f},{11.56 + k / 400:.4f},Kitchen {k},600,acme\n" for k in range(1, 7)
)
RIDERS = "rider_id,lat,lng,name\n" + "".join(
    f"rider-{k},{48.13 + k / 600:.4f},{11.57 + k / 500:.3f},Rider {k}\n" for k in range(1, 9)
)
CITY = '[travel]\nkind = "straight"\ndetour = 1.3\nmetres_per_minute = { default = 250.0 }\n'
QUOTE = {
    "external_delivery_id": "first",
    "pickup_store_id": "kitchen-1",
    "dropoff": {"location": {"lat": 48.139, "lng": 11.576}},
}
INSTALL = ("pip", "install", "halfhour")
COMMANDS = (
    ("halfhour", "admin", "tenant", "acme", "--name", "Acme"),
    ("halfhour", "admin", "tenant", "operator"),
    ("halfhour", "admin", "key", "acme", "--scope", "orders"),
    ("halfhour", "admin", "key", "operator", "--scope", "admin"),
)
SERVE = ("halfhour", "serve", "--config", "city.toml")
IMPORTS = (
    ("halfhour", "admin", "store", "--import", "stores.csv"),
    ("halfhour", "admin", "rider", "--import", "riders.csv"),
)
"""What the page says to type; options that keep a run apart from others (folder, port) are added to them."""
READY_WAIT_S = 3600.0


class Stranger:
    """Somebody with a wheel, two tables and nothing else."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.folder, self.wheels = folder, wheels
        self.bin = folder / "venv" / "bin"
        self.steps: list[tuple[str, float, float]] = []
        self.port = free_port()
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL", "NUMBA"))
        }
        self.world = kept | {
            "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache"), "XDG_DATA_HOME": str(folder / "data"),
            "HALFHOUR_SECRET_FILE": str(folder / "secret"),
        }  # fmt: skip

    def timed(self, what: str, do: Callable[[], Any]) -> Any:
        """Does one step and keeps its seconds: on the wall, and of the processor for programs that have ended."""
        before, cpu = time.monotonic(), _cpu_s()
        found = do()
        self.steps.append((what, round(time.monotonic() - before, 1), round(_cpu_s() - cpu, 1)))
        print(f"{what:34} {self.steps[-1][1]:8.1f} s {self.steps[-1][2]:8.1f} s of processor", flush=True)
        return found

    def run(self, *words: str) -> str:
        """One command that must succeed; what it printed."""
        words = (str(self.bin / words[0]), *words[1:])
        done = subprocess.run(words, cwd=self.folder, env=self.world, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(words)}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def install(self) -> None:
        """An environment, and the wheel in it."""
        plain = (sys.executable, "-m", "venv", str(self.folder / "venv"))
        subprocess.run(plain, check=True, env=self.world)
        self.run(*INSTALL[:2], "--quiet", "--no-index", "--find-links", str(self.wheels), INSTALL[2])

    def settle(self) -> dict[str, str]:
        """Files of one's own, tenants and keys by scope."""
        for name, text in (("city.toml", CITY), ("stores.csv", STORES), ("riders.csv", RIDERS)):
            (self.folder / name).write_text(text, encoding="utf-8")
        said = [self.run(*words, "--data", "live") for words in COMMANDS]
        return {"orders": _key(said[2]), "admin": _key(said[3])}

    def serve(self) -> subprocess.Popen[bytes]:
        """The service, once it listens."""
        words = (str(self.bin / SERVE[0]), *SERVE[1:], "--data", "live", "--port", str(self.port))
        log = (self.folder / "serve.log").open("wb")
        service = subprocess.Popen(words, cwd=self.folder, env=self.world, stdout=log, stderr=log)
        ends = time.monotonic() + READY_WAIT_S
        while time.monotonic() < ends and service.poll() is None:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=5).status_code == 200:
                    return service
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise SystemExit(f"the service does not listen\n{(self.folder / 'serve.log').read_text()}")

    @property
    def url(self) -> str:
        """Where the service answers."""
        return f"http://127.0.0.1:{self.port}"

    def begin(self, key: str) -> None:
        """Every rider begins a shift: without one nobody could take an order."""
        for line in RIDERS.splitlines()[1:]:
            rider_id, head = line.partition(",")[0], {"Authorization": f"Bearer {key}"}
            httpx.post(f"{self.url}/v1/riders/{rider_id}/shift", headers=head, timeout=60).raise_for_status()

    def ask(self, key: str) -> dict[str, Any]:
        """The first quote: when the order would be there, by the plans of now."""
        head = {"Authorization": f"Bearer {key}"}
        answer = httpx.post(f"{self.url}/v1/quotes", json=QUOTE, headers=head, timeout=READY_WAIT_S)
        if answer.status_code != 200:
            raise SystemExit(f"no quote: {answer.status_code} {answer.text}")
        found: dict[str, Any] = answer.json()
        if not found.get("dropoff_at"):
            raise SystemExit(f"a quote without an instant: {found}")
        return found


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _key(said: str) -> str:
    return next(word for word in said.split() if word.startswith("hh_"))


def wheels_in(folder: Path) -> Path:
    """The wheel and all that it needs: the download, which does not count."""
    tools = folder / "tools"
    subprocess.run((sys.executable, "-m", "venv", str(tools)), check=True)
    words = (str(tools / "bin" / "pip"), "wheel", "--quiet", "--wheel-dir", str(folder), str(ROOT))
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tools)
    return folder


def lived(stranger: Stranger) -> tuple[float, dict[str, Any]]:
    """All steps; seconds from the first until the quote, and the quote."""
    began = time.monotonic()
    stranger.timed("environment, pip install", stranger.install)
    keys = stranger.timed("tenants and keys", stranger.settle)
    service = stranger.timed("serve: listens", stranger.serve)
    try:
        stranger.world["HALFHOUR_KEY"] = keys["admin"]
        for words in IMPORTS:
            stranger.timed(" ".join(words[1:3]), lambda words=words: stranger.run(*words, "--url", stranger.url))
        stranger.timed("riders begin", lambda: stranger.begin(keys["admin"]))
        quote = stranger.timed("the first quote", lambda: stranger.ask(keys["orders"]))
        return time.monotonic() - began, quote
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(timeout=120)


def main(arguments: Sequence[str] | None = None) -> int:
    """Live through it once, in a folder that goes afterwards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most-s", type=float, default=180.0, help="seconds until the quote")
    parser.add_argument("--wheels", type=Path, help="a folder with the wheel and all that it needs; else made")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="first-quote-"))
    try:
        stranger = Stranger(folder, chosen.wheels or wheels_in(folder / "wheels"))
        cpu = _cpu_s()
        seconds, quote = lived(stranger)
        cpu = _cpu_s() - cpu
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    said = f"{seconds:.0f} s from an empty environment to the first quote ({cpu:.0f} s of processor, to the end)"
    print(said)
    if chosen.out is not None:
        steps = [{"step": what, "seconds": wall, "cpu_s": spent} for what, wall, spent in stranger.steps]
        result = {"seconds": round(seconds, 1), "cpu_s": round(cpu, 1), "steps": steps, "quote": sorted(quote)}
        lines = [f"{what:34} {wall:8.1f} s" for what, wall, _ in stranger.steps]
        print(publish(chosen.out, "first-quote", result, [*lines, said]))
    return int(seconds > chosen.most_s)


if __name__ == "__main__":
    sys.exit(main())
