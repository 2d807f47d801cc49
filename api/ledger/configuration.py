"""A configuration over a ledger that has begun: what does not fit, what is taken, and what the ledger keeps.

A ledger lives by its journal.  Whatever a file says of needs, profiles, frame or settings is refused, or goes into the
journal as an input, or is kept out and said; nothing of it changes in silence what the ledger holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from api.config import FILES, Config
from api.ledger.protocol import NewerLedger
from dispatch.board.board import Board
from dispatch.bounds import MASK_BITS
from dispatch.codec import SCHEMA_VERSION
from dispatch.inputs import Input, NeedsListed, SettingChanged
from dispatch.settings.names import renamed
from dispatch.settings.presets import KEY as PRESET
from dispatch.settings.presets import PRESETS
from dispatch.settings.settings import Settings, describe, text_of
from routing.errors import InvalidInput

Make = Callable[[int], Input]


class Misfit(InvalidInput):
    """A configuration over a ledger that holds something else."""

    code = "configuration_misfit"


def require_readable(header: Mapping[str, Any]) -> None:
    """Raises NewerLedger where this version cannot know what the ledger says."""
    schema = header.get("schema", SCHEMA_VERSION)
    if schema > SCHEMA_VERSION:
        version = header.get("code_version", "a later version")
        raise NewerLedger(
            f"the ledger was written by Halfhour {version} in schema {schema}; this version reads up to "
            f"{SCHEMA_VERSION}",
            hint=f"Start Halfhour {version} or a later one, or restore a backup from before the upgrade.",
        )


def parts_of(config: Config, secrets: Iterable[bytes] = ()) -> dict[str, str]:
    """What all hosts of a market must have alike, each part as a short digest (never the thing itself)."""
    service, travel = config.service, dict(config.travel)
    for name in FILES:
        if travel.get(name):
            travel[name] = hashlib.sha256(Path(str(travel[name])).read_bytes()).hexdigest()
    said: dict[str, Any] = {
        "schema": SCHEMA_VERSION, "frame": service.frame, "needs": list(service.needs), "travel": travel,
        "time_zone": service.time_zone, "currency": service.currency, "radius_m": service.radius_m,
        "stop_times": [service.store_enter_s, service.store_exit_s, service.drop_enter_s, service.drop_exit_s],
        "limits": [service.quote_s, service.longest_wait_s, service.most_open_orders, service.keep_s],
    }  # fmt: skip
    parts = {name: _digest(json.dumps(value, sort_keys=True).encode()) for name, value in said.items()}
    for signs in secrets:  # the first one signs
        parts["secret"] = _digest(signs)
        break
    return parts


def _digest(said: bytes) -> str:
    return hashlib.blake2b(said, digest_size=8, person=b"hh-alike").hexdigest()


def require_alike(theirs: Mapping[str, str], ours: Mapping[str, str], market: str) -> None:
    """Raises Misfit naming the parts in which a host's configuration is not the one that a market is served under."""
    other = sorted(name for name in ours if theirs.get(name, ours[name]) != ours[name])
    if other:
        raise Misfit(
            f"market {market} is served under another configuration: {', '.join(other)} differ", field=other[0],
            hint="Give all its hosts one file and one secret; to change it, start once with --new-configuration.",
        )  # fmt: skip


def require_frame(header: Mapping[str, Any], config: Config) -> None:
    """Raises Misfit where places of the ledger would be read as something else."""
    frame = header.get("frame", config.service.frame)
    if frame != config.service.frame:
        raise Misfit(
            f"the ledger's places lie in the frame {frame!r}, the configuration says {config.service.frame!r}",
            field="service.frame",
            hint=f'Write frame = "{frame}", or name another folder with --data.',
        )


def require_fit(board: Board, config: Config, profiles: Iterable[str]) -> None:
    """Raises Misfit where riders or orders of the ledger would mean something else, or nothing."""
    known = tuple(profiles)
    lost = [record.rider for record in board.riders.values() if record.rider.profile not in known]
    if lost:
        names = ", ".join(rider.rider_id for rider in lost[:3]) + (" ..." if len(lost) > 3 else "")
        raise Misfit(
            f"{len(lost)} riders of the ledger travel as {lost[0].profile!r}, for which there are no travel times "
            f"any more ({names})",
            field="travel",
            hint=f"Keep the profile {lost[0].profile!r}, or give these riders another one before it goes.",
        )
    if not board.needs and _bits(board) > len(config.service.needs):
        raise Misfit(
            f"riders and orders of the ledger use {_bits(board)} needs, the configuration names "
            f"{len(config.service.needs)}",
            field="service.needs",
            hint="Name all that were named before, in the same order.",
        )
    if len(_named(board, config)) > MASK_BITS:
        raise Misfit(
            f"with these the ledger would know more than {MASK_BITS} needs",
            field="service.needs",
            hint=f"It knows {', '.join(board.needs)}.",
        )


def openings(board: Board, config: Config) -> Iterator[Make]:
    """What of the configuration goes into the journal when a service begins: new needs, and settings read at start."""
    names = _named(board, config)
    if names != board.needs:
        yield partial(_listed, names)
    flat = board.settings.flat()
    for key, value in _stated(config).items():
        if not describe(key).live and flat[key] != value:
            yield partial(_changed, key, str(value))


def differences(board: Board, config: Config) -> list[str]:
    """What a configuration says that the ledger does not follow, a sentence each with the command that changes it."""
    said = []
    flat, preset, stated = board.settings.flat(), config.engine.get(PRESET, ""), _stated(config)
    if preset not in ("", flat[PRESET]):
        under = f"the preset {flat[PRESET]}" if flat[PRESET] else "no preset"
        said.append(f"the ledger goes on under {under}, not {preset}; to change it: halfhour admin preset {preset}")
    elif preset:
        stated = {**PRESETS[preset].values, **stated}
    for key, value in stated.items():
        if describe(key).live and flat[key] != value:
            said.append(
                f"the ledger keeps {key} = {text_of(flat[key])}, not {text_of(value)}; to change it: "
                f"halfhour admin setting {key} {text_of(value)}"
            )
    gone = [name for name in board.needs if name not in config.service.needs]
    if gone:
        said.append(f"{', '.join(gone)} can no longer be asked for; riders and orders that have it keep it")
    return said


def completed(header: Mapping[str, Any], version: str, head: int) -> dict[str, Any] | None:
    """The header of a ledger of an earlier schema, as this version writes it; None where it is of this one.

    `head`: the last entry that an earlier version decided.
    """
    if header.get("schema", SCHEMA_VERSION) >= SCHEMA_VERSION:
        return None
    settings = Settings.stated(header.get("settings") or {}).flat()
    before = {name: header.get(name) for name in ("schema", "code_version")} | {"head": head}
    return {**header, "schema": SCHEMA_VERSION, "code_version": version, "settings": settings, "upgraded_from": before}


def decided_elsewhere(header: Mapping[str, Any], version: str) -> float:
    """Up to which entry another version than `version` may have decided: 0 where it decided them all."""
    if header.get("code_version", version) != version:
        return float("inf")
    before = header.get("upgraded_from")
    return before.get("head", float("inf")) if before else 0


def _named(board: Board, config: Config) -> tuple[str, ...]:
    """The ledger's needs and, behind them, those that the configuration adds."""
    return (*board.needs, *(name for name in config.service.needs if name not in board.needs))


def _bits(board: Board) -> int:
    masks = [record.order.needs for record in board.orders.values()]
    masks += [record.rider.provides for record in board.riders.values()]
    return max((mask.bit_length() for mask in masks), default=0)


def _stated(config: Config) -> dict[str, Any]:
    """The single settings that the configuration states, as they are understood."""
    flat = config.engine_settings().flat()
    return {key: flat[key] for key, _ in map(renamed, config.engine.items()) if key != PRESET}


def _listed(names: tuple[str, ...], at: int) -> Input:
    return NeedsListed(at=at, names=names)


def _changed(key: str, value: str, at: int) -> Input:
    return SettingChanged(at=at, key=key, value=value)
