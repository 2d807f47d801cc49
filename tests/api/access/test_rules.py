"""Keys, rider tokens and access rules."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from hypothesis import given
from hypothesis import strategies as st

from api.access.keys import LONGEST_TOKEN_S, KeyBook, looks_like_key
from api.access.rules import Caller, Gate, LockedOut, Scope, access, access_public, owned, routes_without_rule
from api.common.api_keys import Key
from api.common.errors import Forbidden, NotFound, Unauthorized
from routing.errors import HalfhourError

SECRET = b"s" * 32
NOW = 1_750_000_000


class Shelf:
    def __init__(self) -> None:
        self.kept: dict[str, Key] = {}

    def load_keys(self) -> list[Key]:
        return list(self.kept.values())

    def save_key(self, key: Key) -> None:
        self.kept[key.key_id] = key


def test_a_key_is_found_until_it_expires_and_only_its_digest_is_kept() -> None:
    shelf = Shelf()
    book = KeyBook(SECRET, shelf)
    text, key = book.make("pizza", {Scope.ORDERS}, NOW, valid_s=60)
    assert text.startswith(f"hh_{key.key_id}_") and looks_like_key(text)
    assert book.find(text, NOW) == key
    assert book.find(text, NOW + 59) == key
    assert book.find(text, NOW + 60) is None
    assert text not in repr(shelf.kept) and text[-46:] not in repr(shelf.kept)


def test_keys_survive_a_restart_on_their_shelf() -> None:
    shelf = Shelf()
    text, key = KeyBook(SECRET, shelf).make("pizza", {Scope.ORDERS, Scope.OPS}, NOW)
    assert KeyBook(SECRET, shelf).find(text, NOW) == key


def test_rotation_overlaps_then_only_the_successor_works() -> None:
    book = KeyBook(SECRET)
    old_text, old = book.make("pizza", {Scope.ORDERS}, NOW)
    new_text, new = book.rotate(old.key_id, NOW, overlap_s=3600)
    assert new.scopes == old.scopes and new.key_id != old.key_id
    assert book.find(old_text, NOW + 3599) is not None and book.find(new_text, NOW + 3599) is not None
    assert book.find(old_text, NOW + 3600) is None
    assert book.find(new_text, NOW + 3600) is not None


def test_every_change_of_a_key_is_counted_so_that_a_look_at_the_shelf_overrules_none() -> None:
    book = KeyBook(SECRET)
    seen = [book.changes]
    _, key = book.make("pizza", {Scope.ORDERS}, NOW)
    seen.append(book.changes)
    _, new = book.rotate(key.key_id, NOW, overlap_s=3600)
    seen.append(book.changes)
    book.revoke(new.key_id, NOW)
    seen.append(book.changes)
    assert seen == sorted(set(seen)), "each is seen by whoever compares"


def test_rotation_never_lengthens_a_key_and_revoking_ends_it_at_once() -> None:
    book = KeyBook(SECRET)
    text, key = book.make("pizza", {Scope.ORDERS}, NOW, valid_s=10)
    book.rotate(key.key_id, NOW, overlap_s=3600)
    assert book.find(text, NOW + 10) is None
    other, kept = book.make("sushi", {Scope.ORDERS}, NOW)
    book.revoke(kept.key_id, NOW)
    assert book.find(other, NOW) is None
    with pytest.raises(KeyError):
        book.revoke("nobody", NOW)


@given(st.integers(3, 59), st.sampled_from("0123456789abcXYZ_"))
def test_the_checksum_finds_every_single_wrong_character(position: int, other: str) -> None:
    text, _ = KeyBook(SECRET).make("pizza", {Scope.ORDERS}, NOW)
    changed = text[:position] + other + text[position + 1 :]
    assert looks_like_key(changed) == (changed == text)


@given(st.text(max_size=80))
def test_no_text_is_mistaken_for_a_key_or_a_token(text: str) -> None:
    book = KeyBook(SECRET)
    for candidate in (text, f"hh_{text}", f"hhr_{text}"):
        assert book.find(candidate, NOW) is None
        assert book.find_rider(candidate, NOW) is None


def test_a_rider_token_names_one_rider_and_runs_out() -> None:
    book = KeyBook(SECRET)
    text, token = book.rider_token("fleet", "anna", NOW, valid_s=100)
    assert book.find_rider(text, NOW + 99) == token and token.rider_id == "anna"
    assert book.find_rider(text, NOW + 100) is None


def test_a_rider_token_of_another_service_or_with_another_rider_is_nothing() -> None:
    book = KeyBook(SECRET)
    text, _ = book.rider_token("fleet", "anna", NOW)
    forged, _ = KeyBook(b"t" * 32).rider_token("fleet", "anna", NOW)
    assert book.find_rider(forged, NOW) is None
    payload = KeyBook(b"t" * 32).rider_token("fleet", "berta", NOW)[0].split(".")[0]
    assert book.find_rider(payload + "." + text.split(".")[1], NOW) is None


def test_renewal_stops_a_day_after_the_first_token() -> None:
    book = KeyBook(SECRET)
    text, token = book.rider_token("fleet", "anna", NOW, valid_s=LONGEST_TOKEN_S * 9)
    assert token.expires_at == NOW + LONGEST_TOKEN_S
    text, token = book.renewed(token, NOW + LONGEST_TOKEN_S - 10)
    assert book.find_rider(text, NOW + LONGEST_TOKEN_S - 1) is not None
    assert book.find_rider(text, NOW + LONGEST_TOKEN_S) is None


def test_a_short_signing_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        KeyBook(b"short")


def test_lockout_counts_failures_per_address_and_spares_valid_keys() -> None:
    now = [float(NOW)]
    book = KeyBook(SECRET)
    text, _ = book.make("pizza", {Scope.ORDERS}, NOW)
    gate = Gate(book, clock=lambda: now[0], failures=3, window_s=60)
    for _ in range(3):
        with pytest.raises(Unauthorized):
            gate.caller("Bearer wrong", "10.0.0.1")
    with pytest.raises(LockedOut) as locked:
        gate.caller("Bearer wrong", "10.0.0.1")
    assert locked.value.details["retry_after_s"] == 60
    assert gate.caller(f"Bearer {text}", "10.0.0.1").tenant == "pizza"
    with pytest.raises(Unauthorized):
        gate.caller("Bearer wrong", "10.0.0.2")
    now[0] += 60
    with pytest.raises(Unauthorized):
        gate.caller("Bearer wrong", "10.0.0.1")


def test_foreign_things_are_not_found_but_the_operator_sees_them() -> None:
    mine = Caller("pizza", frozenset({Scope.ORDERS}), "k1")
    ops = Caller("city", frozenset({Scope.OPS}), "k2")
    owned(mine, "pizza", code="unknown_delivery")
    owned(ops, "pizza", code="unknown_delivery")
    for tenant in ("sushi", None):
        with pytest.raises(NotFound) as missing:
            owned(mine, tenant, code="unknown_delivery", id="d1")
        assert (missing.value.code, missing.value.details) == ("unknown_delivery", {"id": "d1"})
    with pytest.raises(NotFound):
        owned(ops, None, code="unknown_delivery")


def _app() -> tuple[FastAPI, KeyBook]:
    book = KeyBook(SECRET)
    app = FastAPI()
    app.state.application = SimpleNamespace(gate=Gate(book, clock=lambda: float(NOW)))
    router = APIRouter()

    @router.get("/orders")
    async def orders(caller: Annotated[Caller, access(Scope.ORDERS)]) -> str:
        return caller.tenant

    @router.get("/riders/{rider_id}")
    async def rider(rider_id: str, caller: Annotated[Caller, access(Scope.RIDERS, rider=True)]) -> str:
        return caller.rider_id or "operator"

    @router.get("/open", dependencies=[access_public()])
    async def everyone() -> str:
        return "come in"

    app.include_router(router)

    @app.exception_handler(HalfhourError)
    async def problem(request: Request, error: HalfhourError) -> JSONResponse:
        status = {Unauthorized: 401, Forbidden: 403, NotFound: 404}[type(error)]
        return JSONResponse({"code": error.code}, status)

    return app, book


@pytest.mark.parametrize(
    ("path", "scopes", "rider", "status"),
    [
        ("/orders", {Scope.ORDERS}, None, 200),
        ("/orders", {Scope.ADMIN}, None, 200),
        ("/orders", {Scope.RIDERS}, None, 403),
        ("/orders", None, "anna", 403),
        ("/orders", None, None, 401),
        ("/riders/anna", {Scope.RIDERS}, None, 200),
        ("/riders/anna", {Scope.ORDERS}, None, 403),
        ("/riders/anna", None, "anna", 200),
        ("/riders/anna", None, "berta", 404),
        ("/open", None, None, 200),
    ],
)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
async def test_who_reaches_what(path: str, scopes: Any, rider: str | None, status: int) -> None:
    app, book = _app()
    headers = {}
    if scopes is not None:
        headers["Authorization"] = "Bearer " + book.make("pizza", scopes, NOW)[0]
    if rider is not None:
        headers["Authorization"] = "Bearer " + book.rider_token("fleet", rider, NOW)[0]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        assert (await http.get(path, headers=headers)).status_code == status


def test_the_document_names_the_roles_of_each_operation() -> None:
    app, _ = _app()
    paths = app.openapi()["paths"]
    assert paths["/orders"]["get"]["security"] == [{"bearer": ["orders", "admin"]}]
    assert paths["/riders/{rider_id}"]["get"]["security"] == [{"bearer": ["riders", "admin", "rider"]}]
    assert "security" not in paths["/open"]["get"]


def test_a_route_without_a_rule_is_named() -> None:
    app, _ = _app()
    assert list(routes_without_rule(app)) == []

    router = APIRouter()

    @router.post("/forgotten")
    async def forgotten() -> str:
        return "oops"

    app.include_router(router)
    app.get("/too")(forgotten)
    assert sorted(routes_without_rule(app)) == ["GET /too", "POST /forgotten"]
