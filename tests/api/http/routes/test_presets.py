"""Presets of a running city: shown before, changed by one input, undone by one, and never more than asked for."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api.config import GIVE_UP, GIVE_UP_S
from api.ledger.recovery import recover
from api.ledger.sqlite.reader import SqliteReader
from api.ledger.upkeep.verifying import verify
from dispatch.board.board import Board
from dispatch.settings.presets import PRESETS
from dispatch.settings.settings import Settings
from halfhour.live.live_export import export
from sim.sources import open_scenario
from tests.kit.service.running import Running, order, running, with_city
from tests.kit.service.serving import serving
from tests.kit.service.typed import typed

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def shown(run: Running, name: str) -> dict[str, Any]:
    found = (await run.ops.get("/v1/presets")).json()
    assert [one["preset"] for one in found] == list(PRESETS) and all(one["about"].endswith(".") for one in found)
    return next(one for one in found if one["preset"] == name)


def said(folder: Path, kind: str) -> list[dict[str, Any]]:
    reader = SqliteReader(folder)
    found = [entry.input for entry in reader.entries() if entry.input["kind"] == kind]
    reader.close()
    return found


async def test_a_preset_is_shown_before_changed_by_one_input_and_undone_by_one(tmp_path: Path) -> None:
    async with running(tmp_path, engine={"preset": "balanced", "prices.late_per_s": 150}) as run:
        before = run.host.board.settings
        preview = await shown(run, "thrifty")
        assert preview["changes"] == [
            {"setting": "prices.late_fixed", "now": 80_000, "then": 90_000},
            {"setting": "prices.scarce_work_per_s", "now": -60, "then": 0},
        ]
        assert preview["kept"] == [{"setting": "prices.late_per_s", "now": 150, "then": 110}]
        assert run.host.board.settings == before and not preview["in_force"], "looking changes nothing"

        answer = (await run.ops.put("/v1/preset", json={"preset": "thrifty"})).json()
        assert answer == {key: preview[key] for key in ("preset", "changes", "kept")}
        settings = run.host.board.settings
        assert settings == before.with_values({"preset": "thrifty", "prices.late_per_s": 150})
        assert (await shown(run, "thrifty"))["in_force"]
        assert (await run.ops.get("/v1/settings")).json()["prices.late_fixed"]["preset"] == 90_000

        await run.ops.put("/v1/settings/prices.late_fixed", json={"value": "70000"})
        back = (await run.ops.post("/v1/preset/undo")).json()
        assert back["preset"] == "balanced" and [one["setting"] for one in back["changes"]] == [
            "prices.scarce_work_per_s"
        ], "what somebody has set since stays"
        assert run.host.board.settings == before.with_values({"prices.late_fixed": 70_000})
    assert [(item["preset"], len(item["values"])) for item in said(tmp_path, "PresetChosen")] == [
        ("thrifty", len(PRESETS["thrifty"].values) - 1), ("balanced", len(PRESETS["thrifty"].values) - 2),
    ]  # fmt: skip
    assert verify(tmp_path).entries > 0


async def test_what_was_set_singly_goes_only_where_that_is_asked_for(tmp_path: Path) -> None:
    async with running(tmp_path, engine={"preset": "door", "prices.late_per_s": 150}) as run:
        await run.ops.put("/v1/preset", json={"preset": "balanced", "overwrite": True})
        assert run.host.board.settings == Settings().with_values({GIVE_UP: GIVE_UP_S, "preset": "balanced"})
        await run.ops.post("/v1/preset/undo")
        assert run.host.board.settings == Settings().with_values(
            {GIVE_UP: GIVE_UP_S, "preset": "door", "prices.late_per_s": 150}
        )


async def test_what_was_chosen_outlives_what_the_name_stands_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path / "city") as run:
        await with_city(run)
        await run.ops.put("/v1/settings/preset", json={"value": "on_time"})
        await run.orders.post("/v1/deliveries", json=order())
        lived = run.host.board.settings
    monkeypatch.setitem(PRESETS, "on_time", PRESETS["on_time"]._replace(values={"prices.late_fixed": 1}))  # type: ignore[arg-type]
    for path in (tmp_path / "city").glob("snapshot-*"):
        path.unlink()
    reader = SqliteReader(tmp_path / "city")
    board = recover(reader, Settings()).board
    reader.close()
    assert board.settings == lived and lived.preset == "on_time"
    assert Board.load(board.places, board.dump()).dump() == board.dump()
    export(tmp_path / "city", tmp_path / "day")
    (news,) = open_scenario(tmp_path / "day").news
    assert dict(news.values)["prices.late_per_s"] == "800"  # type: ignore[attr-defined]


async def test_wrong_presets_are_typed_and_nothing_happens(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        answer = await run.ops.put("/v1/preset", json={"preset": "on-time"})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_setting")
        assert "on_time" in answer.text and answer.json()["field_errors"][0]["field"] == "preset"
        answer = await run.ops.post("/v1/preset/undo")
        assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_undo")
        assert (await run.orders.get("/v1/presets")).status_code == 403
    assert said(tmp_path, "PresetChosen") == []


def test_operations_choose_a_preset_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    run = partial(typed, capsys)

    def confirm(text: str, abort: bool = False) -> bool:
        asked.append(text)
        return True

    async def go() -> None:
        async with running(tmp_path, engine={"preset": "balanced"}) as city, serving(city.app) as url:
            reach = ("--url", url, "--key", city.keys["ops"])
            status, text = await run("admin", "preset", *reach)
            assert status == 0 and "balanced" in text and "(in force)" in text
            monkeypatch.setattr("typer.confirm", confirm)
            status, text = await run("admin", "preset", "on_time", *reach)
            assert status == 0 and asked == ["Go on under on_time?"]
            assert "prices.late_per_s: 110 -> 800" in text and "admin preset --undo" in text
            status, text = await run("admin", "preset", "--undo", "door", *reach)
            assert status == 2 and "door goes without --undo" in text
            status, text = await run("admin", "preset", "--undo", *reach)
            assert "goes on under the preset balanced" in text
            assert (await run("admin", "preset", "thrify", *reach)) == (
                2, "Error: there is no preset 'thrify'. Did you mean thrifty? [invalid_setting]\n"
            )  # fmt: skip
            assert city.host.board.settings == Settings().with_values({GIVE_UP: GIVE_UP_S, "preset": "balanced"})

    asyncio.run(go())
