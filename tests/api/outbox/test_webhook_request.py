"""One webhook request: where it may go, and receivers that misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from api.outbox.webhook_addresses import UnsafeTarget, check_url, is_public, pin
from api.outbox.webhook_request import Post, ReceiverAnswer
from api.outbox.webhook_signature import new_secret
from tests.kit.service.receivers import (
    NOW,
    drips,
    floods,
    never,
    numbers,
    receiver,
    resolver_of,
    says,
    takes_and_drips,
    takes_and_hangs_up,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook", "ftp://example.com/", "https://user:pass@example.com/", "https://example.com/#x",
        "https:///nohost", "https://exa mple.com/", "https://example.com:0/", "https://example.com:99999/",
        "https://example.com/" + "a" * 2048, "http://localhost/", "https://[::1", "gopher:x", "",
        "https://example.com:22/", "https://example.com:444/", "https://10.1.2.3/", "https://169.254.169.254:8443/",
        "https://127.0.0.1/", "https://[::1]/", "https://[fec0::1]/", "https://localhost/", "https://LOCALHOST.:8443/",
        "https://printer.local/", "https://metadata.google.internal/",
    ],
)  # fmt: skip
def test_urls_that_may_not_be_registered(url: str) -> None:
    with pytest.raises(UnsafeTarget) as unsafe:
        check_url(url)
    assert unsafe.value.details["field"] == "url"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1",
        "2002:7f00:0001::", "64:ff9b::a9fe:a9fe", "192.0.2.1", "not an address",
        "fec0::1", "3fff::1", "3fff:fff::1", "5f00::1", "100::1", "2001:20::1", "2001:db8::1", "192.88.99.1",
        "198.18.0.1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


async def test_the_address_that_was_checked_is_the_one_that_is_called() -> None:
    pinned = await pin("https://hooks.example.com/in?a=1", resolver_of("93.184.216.34"))
    assert pinned == ("https://93.184.216.34:443/in?a=1", "hooks.example.com", "hooks.example.com")
    pinned = await pin("https://hooks.example.com:8443", resolver_of("2606:4700::1111"))
    assert pinned == ("https://[2606:4700::1111]:8443/", "hooks.example.com:8443", "hooks.example.com")


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    for addresses in (("93.184.216.34", "10.0.0.1"), ("169.254.169.254",), ()):
        with pytest.raises(UnsafeTarget):
            await pin("https://hooks.example.com/", resolver_of(*addresses))
    with pytest.raises(UnsafeTarget):
        await pin("https://rebind.example.com/", resolver_of("127.0.0.1"))
    assert (await pin("http://127.0.0.1:9/x", resolver_of("127.0.0.1"), development=True)).url == "http://127.0.0.1:9/x"


async def test_a_name_that_rebinds_is_caught_at_the_second_request_and_the_first_goes_to_the_checked_address() -> None:
    answers = [["93.184.216.34"], ["10.0.0.7"]]
    called: list[httpx.Request] = []

    async def resolve(host: str, port: int) -> list[str]:
        return answers.pop(0)

    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    def answer(request: httpx.Request) -> httpx.Response:
        called.append(request)
        return httpx.Response(204, content=nothing())

    post = Post("https://r.example.com/h", clock=lambda: NOW, resolve=resolve, transport=httpx.MockTransport(answer))
    assert (await post.send([new_secret()], "evt_1", b"{}")).is_taken
    assert (await post.send([new_secret()], "evt_2", b"{}")) == ReceiverAnswer(None, "unsafe_target")
    assert [request.url.host for request in called] == ["93.184.216.34"]
    assert called[0].headers["host"] == "r.example.com"
    assert called[0].extensions["sni_hostname"] == "r.example.com"


HOSTILE = {
    "takes it, then drips": (takes_and_drips, ReceiverAnswer(200)),
    "takes it, then hangs up": (takes_and_hangs_up, ReceiverAnswer(202)),
    "comes back by date": (
        says(b"HTTP/1.1 503 No\r\nRetry-After: Sun, 15 Jun 2025 15:08:00 GMT\r\nContent-Length: 0\r\n\r\n"),
        ReceiverAnswer(503, "", 80),
    ),
    "slow": (never, ReceiverAnswer(None, "timeout")),
    "drips": (drips, ReceiverAnswer(None, "timeout")),
    "floods": (floods, ReceiverAnswer(200)),
    "hangs up": (says(b""), ReceiverAnswer(None, "RemoteProtocolError")),
    "garbage": (says(b"\x00\xff\r\n\r\n"), ReceiverAnswer(None, "RemoteProtocolError")),
    "gone": (says(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), ReceiverAnswer(410)),
    "broken": (says(b"HTTP/1.1 500 No\r\nRetry-After: 77\r\nContent-Length: 0\r\n\r\n"), ReceiverAnswer(500, "", 77)),
    "moved": (
        says(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
        ReceiverAnswer(302),
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_whatever_a_receiver_does_is_an_answer(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    handler, expected = HOSTILE[kind]
    monkeypatch.setattr("api.outbox.webhook_request._READ_OUT_S", 0.05)
    async with receiver(handler) as url:
        patience_s = 0.4 if expected.problem == "timeout" else 60.0
        post = Post(url, clock=lambda: NOW, resolve=numbers, development=True, timeout_s=patience_s)
        assert await post.send([new_secret()], "evt_1", b"{}") == expected
        await post.close()


async def test_a_receiver_that_is_not_there_is_an_answer() -> None:
    async with receiver(never) as url:
        pass
    post = Post(url, clock=lambda: NOW, resolve=numbers, development=True, timeout_s=60.0)
    assert (await post.send([new_secret()], "evt_1", b"{}")).problem == "ConnectError"
