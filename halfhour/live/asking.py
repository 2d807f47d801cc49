"""One question to a running service, for commands; its refusals are errors of ours."""

from __future__ import annotations

from typing import Any

from routing.errors import HalfhourError


def ask(url: str, key: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON answer of `url`; raises HalfhourError where nobody answers, or as the service refuses."""
    import httpx

    try:
        answer = httpx.request(method, url + path, json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30)
    except httpx.TransportError as problem:
        raise HalfhourError(
            f"nobody answers at {url}", code="service_unreachable", hint="Is it running? `halfhour serve` starts one."
        ) from problem
    found: Any = answer.json()
    if answer.status_code >= 400:
        fields = [error["field"] for error in found.get("field_errors", ())]
        details = {"field": fields[0]} if fields else {}
        raise HalfhourError(str(found.get("detail")), code=str(found.get("code", "refused")), **details)
    return found
