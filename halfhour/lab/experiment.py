"""An experiment as its file declares it: what is replayed, on which days, and what is judged how."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from dispatch.settings.settings import Settings, describe, text_of
from halfhour.policies import RECORDED, choose
from halfhour.report.kpi_table import BY_KEY
from routing.errors import InvalidInput, UnreadableFile
from sim.invent.lunch_peak import DaySize
from sim.scenario import Reality

KEYS = (
    "name", "policies", "recipe", "scenarios", "invented", "seeds", "settings", "least_effect", "alpha", "looks",
    "units", "truth",
)  # fmt: skip
SIZES = ("stores", "riders", "orders", "hours", "scarcity", "rain")
UNITS = ("days", "blocks")
MOST_RUNS = 100_000


class InvalidExperiment(InvalidInput):
    """An experiment file that asks for what cannot be; details name file and field."""

    code = "invalid_experiment"


class Arm(NamedTuple):
    """One configuration that is replayed on every block; the first is the reference."""

    name: str
    policy: str
    recipe: str | None
    settings: tuple[tuple[str, Any], ...]
    policy_sha256: str
    """Of the file of a policy of one's own, else empty."""


class InventedDays(NamedTuple):
    """Days drawn from seeds, a city each."""

    name: str
    seeds: tuple[int, ...]
    size: DaySize


@dataclass(frozen=True)
class Experiment:
    """A checked experiment file."""

    file: Path
    name: str
    arms: tuple[Arm, ...]
    scenarios: tuple[Path, ...]
    invented: tuple[InventedDays, ...]
    seeds: tuple[int, ...]
    least_effect: Mapping[str, float]
    """By figure: the smallest difference that would matter; these figures are judged."""
    alpha: float = 0.05
    looks: tuple[int, ...] = ()
    """Numbers of blocks after which results are judged; alpha is divided among them."""
    units: str = "days"
    """What counts once: days (where there are several), or blocks of a day and a seed."""
    truth: Mapping[str, float] = field(default_factory=dict)
    """Luck laid over every day, by the keys of a scenario's [truth]."""
    stated: Mapping[str, Any] = field(default_factory=dict)
    """The file's content."""

    @property
    def blocks(self) -> int:
        """How many blocks of a day and a seed there are."""
        return (len(self.scenarios) + sum(len(days.seeds) for days in self.invented)) * len(self.seeds)


def read_experiment(path: Path) -> Experiment:
    """The experiment in a TOML file; raises UnreadableFile, InvalidExperiment, and what policies and settings raise."""
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise UnreadableFile(f"no experiment can be read: {problem}", file=str(path)) from problem
    return _ExperimentReader(path, value).experiment()


class _ExperimentReader:
    def __init__(self, path: Path, value: dict[str, Any]) -> None:
        self.path = path
        self.value = value
        self._known(value, KEYS, "")

    def experiment(self) -> Experiment:
        experiment = Experiment(
            file=self.path,
            name=self._text("name", self.path.stem),
            arms=self._arms(),
            scenarios=self._scenarios(),
            invented=self._invented(),
            seeds=self._seeds(self.value.get("seeds", 1), "seeds"),
            least_effect=self._least_effect(),
            alpha=self._alpha(),
            units=self._units(),
            truth=self._truth(),
            stated=self.value,
        )
        if not experiment.blocks:
            raise self.fail(
                "there is no day", "scenarios", "Name scenario folders, or invent days: [invented] days = 16."
            )
        if len(experiment.arms) < 2:
            raise self.fail("there is one configuration", "settings", "Name two policies, or two values of a setting.")
        runs = experiment.blocks * len(experiment.arms)
        if runs > MOST_RUNS:
            raise self.fail(f"{runs:,} runs are more than {MOST_RUNS:,}", "seeds", "Take fewer days, seeds or values.")
        return Experiment(**{**vars(experiment), "looks": self._looks(experiment.blocks)})

    def fail(self, message: str, key: str, hint: str = "") -> InvalidExperiment:
        return InvalidExperiment(message, file=str(self.path), field=key, hint=hint)

    def _known(self, value: Mapping[str, Any], known: Sequence[str], where: str) -> None:
        for key in value:
            if key not in known:
                raise self.fail(f"there is no {key}", f"{where}{key}", nearest_name(key, known))

    # --- what is replayed ---------------------------------------------------------------------------------------

    def _arms(self) -> tuple[Arm, ...]:
        recipe = self._text("recipe", "") or None
        policies = self._texts("policies", ["halfhour"])
        stated = self._table("settings")
        grid = {key: self._values(key, value) for key, value in stated.items()}
        arms = []
        for policy, chosen in itertools.product(policies, itertools.product(*grid.values())):
            settings = dict(zip(grid, chosen, strict=True))
            self._checked(lambda values=settings: Settings().with_values(values, ordered=False), "settings")
            varied = [f"{key}={text_of(value)}" for key, value in settings.items() if len(grid[key]) > 1]
            own = recipe if policy == "halfhour" else None
            arm = Arm(" ".join([policy, *varied]), policy, own, tuple(settings.items()), self._sha256(policy, own))
            arms.append(arm)
        return tuple(arms)

    def _sha256(self, policy: str, recipe: str | None) -> str:
        """Of the file of a policy of one's own; the recorded one comes with the day."""
        if policy == RECORDED:
            return ""
        return str(self._checked(lambda: choose(policy, recipe=recipe), "policies").described.get("sha256", ""))

    def _values(self, key: str, value: Any) -> list[Any]:
        self._checked(lambda: describe(key) if key != "preset" else None, f"settings.{key}")
        values = value if isinstance(value, list) else [value]
        if not values or any(isinstance(one, dict | list) for one in values) or len(set(values)) < len(values):
            raise self.fail("is no list of different values", f"settings.{key}", "Write one value, or [2, 3].")
        return values

    def _scenarios(self) -> tuple[Path, ...]:
        found: list[Path] = []
        for pattern in self._texts("scenarios", []):
            paths = _matching(pattern, self.path.parent)
            if not paths:
                raise self.fail(f"{pattern!r} names nothing", "scenarios", "Paths are seen from the experiment's file.")
            found += paths
        if len(set(found)) < len(found):
            raise self.fail("a scenario is named twice", "scenarios", "Name every day once.")
        return tuple(found)

    def _invented(self) -> tuple[InventedDays, ...]:
        value = self.value.get("invented", [])
        tables = [value] if isinstance(value, dict) else value
        if not isinstance(tables, list) or any(not isinstance(one, dict) for one in tables):
            raise self.fail(
                "must be a table, or several", "invented", "Write [invented], or [[invented]] for each kind."
            )
        found = []
        for number, table in enumerate(tables, start=1):
            self._known(table, ("name", "days", *SIZES), "invented.")
            name = str(table.get("name", "invented" if len(tables) == 1 else f"invented{number}"))
            sizes = {key: table[key] for key in SIZES if key in table}
            if not name.replace("-", "").replace("_", "").isalnum():
                raise self.fail(f"{name!r} is no name", "invented.name", "Write letters, digits, - and _.")
            size = self._checked(lambda values=sizes: DaySize(**values), "invented")
            found.append(InventedDays(name, self._seeds(table.get("days", 1), "invented.days"), size))
        if len({days.name for days in found}) < len(found):
            raise self.fail("two kinds of invented days have one name", "invented.name", "Give each a name of its own.")
        return tuple(found)

    def _truth(self) -> dict[str, float]:
        stated = self._table("truth")
        self._known(stated, tuple(item.name for item in dataclasses.fields(Reality) if item.name != "travel"), "truth.")
        self._checked(lambda: Reality(**stated), "truth")
        return stated

    def _seeds(self, value: Any, key: str) -> tuple[int, ...]:
        """A count (seeds from 1 on), or a list of different seeds."""
        seeds = list(range(1, value + 1)) if _is_whole(value) and 1 <= value <= MOST_RUNS else value
        whole = isinstance(seeds, list) and seeds and all(_is_whole(seed) and seed >= 0 for seed in seeds)
        if not whole or len(set(seeds)) < len(seeds):
            raise self.fail(f"{value!r} is no number of seeds", key, "Write 8 for seeds 1 to 8, or a list of seeds.")
        return tuple(seeds)

    # --- how it is judged ---------------------------------------------------------------------------------------

    def _least_effect(self) -> dict[str, float]:
        stated = self._table("least_effect")
        self._known(stated, tuple(BY_KEY), "least_effect.")
        for key, value in stated.items():
            if not _is_number(value) or not 0 < value < math.inf:
                raise self.fail(f"{value!r} is no effect", f"least_effect.{key}", "Write a number above 0.")
        if not stated:
            raise self.fail(
                "is missing: no figure would be judged",
                "least_effect",
                "Say before looking which difference would matter: [least_effect] click_to_door_mean_s = 15.",
            )
        return {key: float(value) for key, value in stated.items()}

    def _alpha(self) -> float:
        alpha = self.value.get("alpha", 0.05)
        if not _is_number(alpha) or not 0 < alpha < 1:
            raise self.fail(f"{alpha!r} is no level", "alpha", "Write a number between 0 and 1, such as 0.05.")
        return float(alpha)

    def _looks(self, blocks: int) -> tuple[int, ...]:
        looks = self.value.get("looks", [blocks])
        whole = isinstance(looks, list) and looks and all(_is_whole(look) for look in looks)
        if not whole or looks != sorted(set(looks)) or looks[0] < 2 or looks[-1] > blocks:
            if "looks" not in self.value:
                raise self.fail("one block tells nothing of noise", "seeds", "Take several days, or several seeds.")
            raise self.fail(
                f"{looks!r} are no looks at {blocks} blocks",
                "looks",
                f"Write rising numbers of blocks from 2 to {blocks}.",
            )
        return tuple(looks)

    def _units(self) -> str:
        units = self._text("units", "days")
        if units not in UNITS:
            raise self.fail(f"{units!r} is no unit", "units", f"Choose one of {', '.join(UNITS)}.")
        return units

    # --- values -------------------------------------------------------------------------------------------------

    def _checked(self, build: Any, key: str) -> Any:
        try:
            return build()
        except InvalidInput as problem:
            details = {"field": key, **problem.details, "file": str(self.path)}
            raise type(problem)(problem.message, code=problem.code, hint=problem.hint, **details) from problem
        except (TypeError, ValueError) as problem:
            raise self.fail(f"cannot be understood: {problem}", key) from problem

    def _text(self, key: str, default: str) -> str:
        value = self.value.get(key, default)
        if not isinstance(value, str):
            raise self.fail(f"{value!r} is no text", key, f'Write {key} = "..." in quotes.')
        return value

    def _texts(self, key: str, default: list[str]) -> list[str]:
        value = self.value.get(key, default)
        if (
            not isinstance(value, list)
            or any(not isinstance(one, str) for one in value)
            or len(set(value)) < len(value)
        ):
            raise self.fail("is no list of different texts", key, f'Write {key} = ["...", "..."].')
        return value

    def _table(self, key: str) -> dict[str, Any]:
        value = self.value.get(key, {})
        if not isinstance(value, dict):
            raise self.fail("must be a table", key, f"Begin it with [{key}].")
        return value


def _matching(pattern: str, home: Path) -> list[Path]:
    """The paths that a pattern names, as seen from `home`; in the order of their names."""
    anchor = Path(pattern).anchor
    relative = pattern.removeprefix(anchor)
    return sorted(Path(anchor or home).glob(relative)) if relative else []


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def nearest_name(name: str, known: Iterable[str]) -> str:
    """A hint that names what was meant, or else all there is."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"Did you mean {found[0]}?" if found else f"Known are {', '.join(known)}."
