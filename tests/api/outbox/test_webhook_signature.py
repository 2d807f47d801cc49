"""Signatures of webhooks: those of the standard, worthless after their time, spoilt by any flipped bit."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.outbox.webhook_signature import InvalidSignature, new_secret, signed_headers, verify
from tests.kit.service.receivers import (
    NOW,
)


def test_the_signature_is_the_one_of_the_standard() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the example secret of the Standard Webhooks text
    body = b'{"test": 2432232314}'
    headers = signed_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    content = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("offset", "good"), [(0, True), (299, True), (300, True), (301, False), (-300, True), (-301, False)]
)
def test_a_captured_message_is_worthless_after_the_tolerance(offset: int, good: bool) -> None:
    secret = new_secret()
    headers = signed_headers([secret], "evt_1", NOW, b"{}")
    if good:
        assert verify([secret], headers, b"{}", now=NOW + offset) == "evt_1"
    else:
        with pytest.raises(InvalidSignature):
            verify([secret], headers, b"{}", now=NOW + offset)


def test_in_rotation_either_secret_verifies_and_a_third_does_not() -> None:
    old, new, other = new_secret(), new_secret(), new_secret()
    headers = signed_headers([new, old], "evt_1", NOW, b"{}")
    assert verify([old], headers, b"{}", now=NOW) == verify([new], headers, b"{}", now=NOW) == "evt_1"
    assert verify([other, new], headers, b"{}", now=NOW) == "evt_1"
    with pytest.raises(InvalidSignature):
        verify([other], headers, b"{}", now=NOW)


@given(st.binary(min_size=1, max_size=50), st.integers(0, 399))
def test_no_flipped_bit_passes(body: bytes, bit: int) -> None:
    secret = new_secret()
    headers = signed_headers([secret], "evt_1", NOW, body)
    changed = bytearray(body)
    changed[bit // 8 % len(body)] ^= 1 << bit % 8
    with pytest.raises(InvalidSignature):
        verify([secret], headers, bytes(changed), now=NOW)
    for name, value in (("webhook-id", "evt_2"), ("webhook-timestamp", str(NOW + 1))):
        with pytest.raises(InvalidSignature):
            verify([secret], {**headers, name: value}, body, now=NOW)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-id": "evt_1", "webhook-timestamp": "soon", "webhook-signature": "v1,x"},
        {"webhook-id": "evt_1", "webhook-timestamp": str(NOW), "webhook-signature": ""},
        {"webhook-id": "evt_1", "webhook-timestamp": str(NOW), "webhook-signature": "v2,abc v1,é v1, " + "v1,a " * 99},
    ],
)
def test_malformed_headers_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidSignature):
        verify([new_secret()], headers, b"{}", now=NOW)
