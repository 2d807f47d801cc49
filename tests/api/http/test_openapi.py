"""The OpenAPI document: complete, true to its own schemas, and the one that is committed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.access.rules import routes_without_rule
from api.application import document, document_text, new_app

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
ROLES = {"orders", "riders", "kitchens", "ops", "admin", "rider", "kitchen"}
OPEN = {"/healthz", "/readyz", "/v1/track/{token}"}


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


DOCUMENT = document()
OPERATIONS = list(_operations())
NAMES = [f"{verb} {path}" for path, verb, _ in OPERATIONS]


def test_no_route_is_without_an_access_rule() -> None:
    assert list(routes_without_rule(new_app("1"))) == []


def test_what_is_committed_is_what_the_service_says() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == document_text(), "run `halfhour openapi > docs/openapi.json`"


def test_operation_ids_are_unique_and_speakable() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids)) and all(name.strip("_").replace("_", "").isalnum() for name in ids)


@pytest.mark.parametrize(("path", "verb", "operation"), OPERATIONS, ids=NAMES)
def test_every_operation_is_described_and_says_whom_it_is_open_to(path: str, verb: str, operation: Any) -> None:
    assert operation["tags"] and operation["summary"] and operation["description"]
    roles = {role for rule in operation.get("security", ()) for role in rule["bearer"]}
    assert roles <= ROLES and (bool(roles) != (path in OPEN))
    codes = set(operation["responses"])
    assert any(code.startswith("2") for code in codes)
    if roles:
        assert {"401", "403", "429"} <= codes


def _contents(operation: Any) -> Iterator[tuple[str, Any]]:
    holders = {"body": operation.get("requestBody", {})}
    holders |= {code: answer for code, answer in operation["responses"].items() if code.startswith("2")}
    for name, holder in holders.items():
        if "application/json" in holder.get("content", {}):
            yield name, holder["content"]["application/json"]


@pytest.mark.parametrize(("path", "verb", "operation"), OPERATIONS, ids=NAMES)
def test_every_example_fits_its_schema(path: str, verb: str, operation: Any) -> None:
    for name, content in _contents(operation):
        assert content.get("schema"), f"{name} has no schema"
        example = content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]
        schema = {**content["schema"], "components": DOCUMENT["components"]}
        errors = [error.message for error in Draft202012Validator(schema).iter_errors(example)]
        assert errors == [], (name, json.dumps(example))
        assert example not in ({}, None) or name == "body", f"an example that says nothing: {name}"


def test_unknown_fields_are_refused_in_every_body() -> None:
    for path, verb, operation in OPERATIONS:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        schema = content["schema"]
        choices = [choice for choice in schema.get("anyOf", [schema]) if choice.get("type") != "null"]
        (choice,) = choices
        known = DOCUMENT["components"]["schemas"][choice["$ref"].rsplit("/", 1)[1]]
        assert known.get("additionalProperties") is False, f"{verb} {path}"
