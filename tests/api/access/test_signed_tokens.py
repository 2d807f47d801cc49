"""Signed statements: ours alone, for one purpose, and unharmed by any tampering."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from api.common.signed_tokens import opened, signed

SECRET = b"s" * 32
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_what_was_signed_comes_back(value: Any) -> None:
    token = signed(SECRET, "quote", value)
    assert opened(SECRET, "quote", token) == value
    assert opened(SECRET, "track", token) is None and opened(b"t" * 32, "quote", token) is None
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from("AZaz09-_.!"), st.sampled_from(["o1", "x" * 400]))
def test_a_changed_letter_is_noticed(at: int, letter: str, value: str) -> None:
    token = signed(SECRET, "quote", value)
    at %= len(token)
    changed = token[:at] + letter + token[at + 1 :]
    if changed != token:
        # The last letter of a base64 group may carry bits that decode to nothing: then it is the same statement.
        assert opened(SECRET, "quote", changed) in (None, value)


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_nonsense_is_nothing(text: str) -> None:
    assert opened(SECRET, "quote", text) is None
