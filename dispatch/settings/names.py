"""Settings under names of earlier versions.

Whatever was written under them is read for ever: journals, run and scenario folders, catalogues, snapshots.  Where
people write them, in files and with `--set`, they are accepted with a word about the present name until 0.4.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from dispatch.errors import InvalidSetting

__all__ = ["BOOLEANS", "FORMER", "former_names", "renamed"]

FORMER: Mapping[str, str] = MappingProxyType(
    {
        "prices.promise": "prices.late_from",
        "prices.metre": "prices.drive_per_metre",
        "prices.skip": "prices.unserved",
        "rules.batch_scope": "rules.mix",
        "rules.grow_until": "rules.add_orders_until",
        "rules.overdue_s": "rules.overdue_grace_s",
        "rules.silent_store_s": "rules.store_silence_s",
        "rules.swap_until": "rules.remove_orders_until",
        "rules.unseen_s": "rules.route_ack_timeout_s",
    }
)
"""The present name of each setting that had another one."""

BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def renamed(item: tuple[str, Any]) -> tuple[str, Any]:
    """A setting by its present name, with the value that means the same there; raises InvalidSetting."""
    key, value = item
    if key == "prices.promise":
        text = str(value).strip().lower()
        if text not in BOOLEANS:
            hint = f"It is called {FORMER[key]} now: promise | placement."
            raise InvalidSetting(f"{key}={text}: not a bool", field=key, hint=hint)
        value = "promise" if BOOLEANS[text] else "placement"
    return FORMER.get(key, key), value


def former_names(keys: Iterable[str]) -> list[str]:
    """What people who wrote `keys` should know, a sentence each; raises InvalidSetting for one under both its names."""
    written = set(keys)
    old = [key for key in FORMER if key in written]
    for key in old:
        if FORMER[key] in written:
            raise InvalidSetting(f"{key} and {FORMER[key]} are one setting", field=key, hint=f"Keep {FORMER[key]}.")
    return [f"{key} is called {FORMER[key]} now; the old name goes in 0.4.0." for key in old]
