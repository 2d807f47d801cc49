"""One webhook request: signed, to a pinned address, without redirects, with little time and a bounded answer."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from api.common.retry_after import wait_s
from api.outbox.webhook_addresses import Resolver, UnsafeTarget, pin
from api.outbox.webhook_signature import signed_headers

if TYPE_CHECKING:
    import httpx

__all__ = ["Post", "ReceiverAnswer"]

_LONGEST_ANSWER = 16 * 1024
_READ_OUT_S = 1.0
"""An answer that is longer, or takes longer, costs the receiver its connection, never the message."""


class ReceiverAnswer(NamedTuple):
    """How a try ended: a status, or None with the kind of failure; `retry_after_s` where the receiver asked for it."""

    status: int | None
    problem: str = ""
    retry_after_s: int = 0

    @property
    def is_taken(self) -> bool:
        """True where the receiver has said 2xx."""
        return self.status is not None and 200 <= self.status < 300


class Post:
    """Sends messages to one URL.

    Each receiver has a Post of its own: connections are kept by address, and one that was made to one name must never
    carry the messages of another that happens to live at the same address.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], float],
        resolve: Resolver,
        development: bool = False,
        timeout_s: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        import httpx  # a fifth of a second that a service without webhooks need not spend

        self.url = url
        self._clock = clock
        self._resolve = resolve
        self._development = development
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=_trusted(),
            timeout=httpx.Timeout(timeout_s, connect=min(3.0, timeout_s)),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Closes every connection."""
        await self._http.aclose()

    async def send(self, secrets: Iterable[str], message_id: str, body: bytes) -> ReceiverAnswer:
        """Tries once and never raises: whatever a receiver does wrong is an Answer."""
        import httpx

        try:
            async with asyncio.timeout(self._timeout_s):  # a slow-drip answer evades the read timeout
                return await self._send(secrets, message_id, body)
        except UnsafeTarget as unsafe:
            return ReceiverAnswer(None, unsafe.code)
        except TimeoutError:
            return ReceiverAnswer(None, "timeout")
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, UnicodeError) as failure:
            return ReceiverAnswer(None, type(failure).__name__)

    async def _send(self, secrets: Iterable[str], message_id: str, body: bytes) -> ReceiverAnswer:
        import httpx

        pinned = await pin(self.url, self._resolve, development=self._development)
        headers = {
            "host": pinned.host_header,
            "content-type": "application/json",
            "user-agent": "halfhour-webhooks",
            **signed_headers(secrets, message_id, int(self._clock()), body),
        }
        request = self._http.build_request(
            "POST", pinned.url, content=body, headers=headers, extensions={"sni_hostname": pinned.server_name}
        )
        response = await self._http.send(request, stream=True)
        try:
            with suppress(TimeoutError, httpx.HTTPError, httpx.StreamError):
                async with asyncio.timeout(_READ_OUT_S):
                    await _read_out(response)
        finally:
            await response.aclose()
        # The status line is the answer: what follows it changes nothing.
        return ReceiverAnswer(response.status_code, "", wait_s(response.headers.get("retry-after", ""), self._clock()))


async def _read_out(response: httpx.Response) -> None:
    """Reads a short answer, so that its connection serves again."""
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > _LONGEST_ANSWER:
            return


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The usual authorities, loaded once: every receiver has a client, and each would load them again."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)
