"""A PostgreSQL server of our own for tests: on loopback, in a folder that goes with it."""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks.live.ports import free_port

BINARIES = "/usr/lib/postgresql/*/bin"
STARTED_S = 20.0


class Server(NamedTuple):
    """A running server: its address and the folder it lives in."""

    url: str
    folder: Path
    binaries: Path

    def stop(self, how: str = "immediate") -> None:
        """Ends it: `immediate` as a crash does, `fast` in order."""
        _run([str(self.binaries / "pg_ctl"), "-D", str(self.folder / "data"), "-m", how, "-w", "stop"])

    def start(self) -> None:
        """Starts it again where it was."""
        log = self.folder / "log"
        _run([str(self.binaries / "pg_ctl"), "-D", str(self.folder / "data"), "-l", str(log), "-w", "start"])


def binaries() -> Path | None:
    """Where PostgreSQL's programs are, the newest; None where it is not installed."""
    beside = shutil.which("initdb")
    found = sorted(Path("/").glob(BINARIES[1:])) or ([Path(beside).parent] if beside else [])
    return found[-1] if found else None


def require_postgres() -> Path:
    """Skips the test, with a reason, where PostgreSQL or its driver is missing."""
    pytest.importorskip("psycopg", reason="needs psycopg: pip install 'halfhour[postgres]'")
    where = binaries()
    if where is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    if os.geteuid() == 0 and _nobody() is None:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    return where


@contextmanager
def server(*settings: str) -> Iterator[Server]:
    """A new server; `settings` as in postgresql.conf, added to quick and small ones."""
    where = require_postgres()
    folder, port = _folder(), free_port()
    ways = ("-U", "halfhour", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    _run([str(where / "initdb"), "-D", str(folder / "data"), *ways])
    lines = ("listen_addresses = '127.0.0.1'", f"port = {port}", f"unix_socket_directories = '{folder}'", *settings)
    conf = folder / "data" / "postgresql.conf"
    conf.write_text(conf.read_text() + "\n".join((*lines, "shared_buffers = 32MB", "max_connections = 60")) + "\n")
    with _running(folder, port, where) as made:
        yield made


@contextmanager
def standby_of(primary: Server) -> Iterator[Server]:
    """A streaming standby of a server that was started with `STREAMING`."""
    folder, port = _folder(), free_port()
    data = folder / "data"
    source = primary.url.rpartition("/")[0].removeprefix("postgresql://halfhour@").split(":")
    ways = ("-h", source[0], "-p", source[1], "-U", "halfhour", "-D", str(data), "-R", "-X", "stream", "--no-sync")
    _run([str(primary.binaries / "pg_basebackup"), "-c", "fast", *ways])
    with (data / "postgresql.auto.conf").open("a") as conf:
        conf.write(f"\nport = {port}\nunix_socket_directories = '{folder}'\n")
    with _running(folder, port, primary.binaries) as made:
        yield made


STREAMING = ("wal_level = replica", "max_wal_senders = 5", "hot_standby = on", "wal_keep_size = 64MB")


def promote(standby: Server) -> None:
    """Makes a standby the primary."""
    _run([str(standby.binaries / "pg_ctl"), "-D", str(standby.folder / "data"), "-w", "promote"])


def either(one: Server, other: Server, address: str) -> str:
    """The address of a market of `one` by which a writer finds whichever of the two takes writes."""
    name = address.rpartition("/")[2]
    hosts = ",".join(server.url.partition("@")[2].partition("/")[0] for server in (one, other))
    return f"postgresql://halfhour@{hosts}/{name}"


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hh-pg-"))
    who = _nobody() if os.geteuid() == 0 else None
    if who is not None:
        os.chown(folder, who.pw_uid, who.pw_gid)
    return folder


@contextmanager
def _running(folder: Path, port: int, where: Path) -> Iterator[Server]:
    made = Server(f"postgresql://halfhour@127.0.0.1:{port}/postgres", folder, where)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str]) -> None:
    who = _nobody() if os.geteuid() == 0 else None
    demoted = functools.partial(_become, who.pw_uid, who.pw_gid) if who is not None else None
    done = subprocess.run(
        command, preexec_fn=demoted, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def _become(uid: int, gid: int) -> None:
    os.setgid(gid)
    os.setuid(uid)


def _nobody() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


TTL_S = 0.6
"""How long a holder may be silent in tests that wait for it."""


def holding(address: str, **more: Any) -> Any:
    """The ledger of a market, taken; `more` as PostgresLedger takes it, `ttl_s` TTL_S unless said."""
    from api.ledger.postgres.store import PostgresLedger

    return PostgresLedger(address, {"schema": 1}, **({"ttl_s": TTL_S} | more))


def fresh(server: Server, market: str) -> str:
    """The address of a market in a database of its own, with its tables."""
    import psycopg

    from api.ledger.postgres.store import prepare

    name = f"hh_{time.monotonic_ns()}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = f"{server.url.rpartition('/')[0]}/{name}"
    prepare(url)
    return f"{url}#{market}"
