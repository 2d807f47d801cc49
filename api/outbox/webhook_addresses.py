"""Where webhooks may go: rules against being used to reach what only this machine can reach.

Only https (plain http to loopback while developing), no credentials in the URL, and every address that the name
resolves to must be public.  The address checked is the address called: the connection is pinned to it, so a name that
resolves differently a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from routing.errors import InvalidInput

__all__ = ["PinnedAddress", "Resolver", "UnsafeTarget", "addresses_of", "check_url", "is_public", "pin"]

Resolver = Callable[[str, int], Awaitable[Iterable[str]]]
_LONGEST = 2048
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
"""The only part of IPv6 that is given out for the open internet; site-local and the like lie elsewhere."""
_SPECIAL = tuple(
    ipaddress.ip_network(text)
    for text in ("3fff::/20", "2001::/23", "2001:db8::/32", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15")
)
"""Documentation, protocol assignments, relays and benchmarks: not all known to every version of `ipaddress`."""
_FIRST_FREE_PORT = 1024


class UnsafeTarget(InvalidInput):
    """A webhook address that we do not call."""

    code = "unsafe_target"


class PinnedAddress(NamedTuple):
    """A target with its address: the URL to connect to, and the name for Host and TLS."""

    url: str
    host_header: str
    server_name: str


def check_url(url: str, *, development: bool = False) -> tuple[str, str, int]:
    """Scheme, host and port of a URL that may be registered; raises UnsafeTarget.  Looks nothing up."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UnsafeTarget("not a URL", field="url") from None
    if len(url) > _LONGEST or any(ord(sign) <= 32 or ord(sign) > 126 for sign in url):
        raise UnsafeTarget(f"a URL has at most {_LONGEST} printable ASCII characters", field="url")
    if parts.scheme != "https" and not (development and parts.scheme == "http" and _is_loopback_name(host)):
        raise UnsafeTarget("webhooks go to https only", field="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise UnsafeTarget("a webhook URL carries neither credentials nor a fragment", field="url")
    if not host or port == 0:
        raise UnsafeTarget("a webhook URL names a host", field="url")
    if port is not None and port != 443 and port < _FIRST_FREE_PORT and not development:
        raise UnsafeTarget(f"webhooks go to port 443, or from {_FIRST_FREE_PORT} on", field="url")
    if not _may_be_public(host) and not (development and _is_loopback_name(host)):
        raise UnsafeTarget("this address is not public", field="url")
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80)


async def pin(url: str, resolve: Resolver, *, development: bool = False) -> PinnedAddress:
    """`url` with its host replaced by a checked address; raises UnsafeTarget, OSError where the name is unknown."""
    scheme, host, port = check_url(url, development=development)
    addresses = list(await resolve(host, port))
    if not addresses:
        raise UnsafeTarget("the host has no address", field="url")
    for address in addresses:  # any private address refuses the host (DNS rebinding)
        if not is_public(address) and not (development and ipaddress.ip_address(address).is_loopback):
            raise UnsafeTarget("the host resolves to an address that is not public", field="url")
    parts = urlsplit(url)
    numeric = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    query = f"?{parts.query}" if parts.query else ""
    host_header = f"[{host}]" if ":" in host else host
    usual_port = 443 if scheme == "https" else 80
    return PinnedAddress(
        f"{scheme}://{numeric}:{port}{parts.path or '/'}{query}",
        host_header if port == usual_port else f"{host_header}:{port}",
        host,
    )


def is_public(address: str) -> bool:
    """True for an address of the open internet, looked at through every way of wrapping an IPv4 one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is None and parsed in _NAT64:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if parsed not in _UNICAST:
            return False
    if any(parsed in network for network in _SPECIAL if network.version == parsed.version):
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def addresses_of(host: str, port: int) -> list[str]:
    """Every address of a host by the system's resolver, which may take its time; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _may_be_public(host: str) -> bool:
    """False where the host itself says that it is not: an address that is not public, or a name of this machine."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal")):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return is_public(host)


def _is_loopback_name(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
