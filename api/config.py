"""How a service is run: address, data folder, what it serves, and the engine's settings, from one TOML file.

    [service]            [engine]                      [travel]
    port = 8080          "rules.round_s" = 5           kind = "straight"
                                                       metres_per_minute = { bike = 250 }

The engine's settings are those of every scenario (`halfhour config show`); they open an empty ledger and change, from
then on, only as journalled inputs.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator

from dispatch.calendar.local_time import zone_of
from dispatch.settings.presets import among
from dispatch.settings.settings import Settings
from routing.errors import InvalidInput, UnreadableFile

FILES = ("file", "traffic")
"""Keys of [travel] that name a file, beside the configuration unless the path is absolute."""


GIVE_UP, GIVE_UP_S = "rules.give_up_s", 7200
"""In a live city no order waits for ever; days that are replayed end."""


class _ConfigBlock(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServiceConfig(_ConfigBlock):
    """Address, limits and habits of the service itself."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    root_path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = ""
    """Where a proxy shows the service, as /dispatch: links carry it, and a request may or may not."""
    proxies: tuple[str, ...] = ()
    """Addresses whose X-Forwarded-For and X-Forwarded-Proto are believed, and whose connections are not counted."""
    most_connections: int = Field(default=10_000, ge=8)
    """Connections open at once; one address has at most half.  Fewer where the process may have few file handles."""
    frame: Literal["wgs84", "plane"] = "wgs84"
    time_zone: str = "UTC"
    """IANA name of the market's time zone: exports, figures and times of day in the market's files are in it."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    radius_m: int = Field(default=30_000, ge=100, le=500_000)
    """An order whose drop lies further from its store than this is outside the service area."""
    needs: tuple[str, ...] = ("cool_box", "hot_box", "large_bag", "age_check", "cash")
    """Names of what an order may need of its rider, in the order of their bits."""
    store_enter_s: int = Field(default=60, ge=0, le=3600)
    store_exit_s: int = Field(default=30, ge=0, le=3600)
    drop_enter_s: int = Field(default=60, ge=0, le=3600)
    drop_exit_s: int = Field(default=30, ge=0, le=3600)
    quote_s: int = Field(default=300, ge=10, le=86_400)
    """A quote is good for so long."""
    longest_wait_s: int = Field(default=7200, ge=1800)
    """Orders that would wait longer than this behind those that are there are refused with no_capacity."""
    most_open_orders: int = Field(default=20_000, ge=1)
    """Orders beyond this are refused with no_capacity."""
    most_waiting: int = Field(default=256, ge=1)
    """Commands that may wait for the ledger at once; more are refused with overloaded."""
    development: bool = False
    """Webhooks may call this machine itself, by plain http.  Never where others can register one."""
    keep_s: int = Field(default=7 * 86_400, ge=86_400)
    """Answers to idempotency keys and notices are kept for so long."""
    promise_file: str | None = None
    """What promises begin with where the ledger has learnt nothing yet: a file of `halfhour promise fit`."""
    secret_file: str | None = None
    """Where the secret that signs tokens and links is kept; FOLDER.secret beside the ledger's folder, if not named."""
    rider_contact: Annotated[str, Field(min_length=1, max_length=200)] = "your operator's dispatch desk"
    """Whom riders ask to take a decision about them back: a name, a phone number, an address."""
    live_speeds: bool = False
    """Whether positions of riders under way change the speeds of the streets that they are on, for an hour at most."""
    most_threads: int | None = Field(default=None, ge=1, le=64)
    """A search takes up to so many threads while its backlog needs them; always `search.threads`, if not named."""
    snapshot_every: int = Field(default=5_000, ge=100)
    """A snapshot is folded every so many entries, in a busy city no sooner than a minute after the last."""

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            zone_of(name)
        except InvalidInput as problem:
            raise ValueError(f"{problem.message}. {problem.hint}") from None
        return name


class Config(_ConfigBlock):
    """One configuration file."""

    service: ServiceConfig = Field(default_factory=lambda: ServiceConfig())
    engine: dict[str, Any] = {}
    travel: dict[str, Any] = {"kind": "straight", "detour": 1.3, "metres_per_minute": {"default": 250.0}}

    _file: str = PrivateAttr("")

    def engine_settings(self, *, ordered: bool = False) -> Settings:
        """The settings an empty ledger begins with; raises InvalidSetting.

        `ordered`: also where thresholds lie in the wrong order, which matters to no ledger that has settings already.
        """
        try:
            return Settings().with_values({GIVE_UP: GIVE_UP_S, **self.engine}, ordered=ordered)
        except InvalidInput as problem:
            if self._file:
                problem.details.setdefault("file", self._file)
            raise


def read_config(path: Path | None) -> Config:
    """The configuration in a TOML file (None: all defaults); raises UnreadableFile or InvalidInput naming the field."""
    if path is None:
        return Config()
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise UnreadableFile(f"no configuration can be read: {problem}", file=str(path)) from problem
    try:
        config = Config.model_validate(among(value, "engine"))
    except InvalidInput as problem:
        problem.details.setdefault("file", str(path))
        raise
    except ValidationError as problem:
        first = problem.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{name}: {first['msg']}", code="invalid_setting", field=name, file=str(path)) from problem
    config._file = str(path)
    config.engine_settings()
    travel = dict(config.travel)
    for key in FILES:
        if travel.get(key):
            file = path.parent / str(travel[key])
            if not file.is_file():
                raise UnreadableFile("this file is missing", file=str(file), hint=f"travel.{key} names it.")
            travel[key] = str(file)
    if isinstance(travel.get("answers"), str) and travel["answers"]:
        travel["answers"] = str(path.parent / travel["answers"])
    service = config.service
    if service.promise_file is not None:
        service = service.model_copy(update={"promise_file": str(path.parent / service.promise_file)})
    return config.model_copy(update={"travel": travel, "service": service})
