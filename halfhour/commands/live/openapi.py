"""`halfhour openapi`: the API's document, without a service."""

from __future__ import annotations

import sys

EXAMPLE = "halfhour openapi > openapi.json"


def openapi() -> None:
    """Print the OpenAPI document of the live service, with an example for every operation."""
    from api.application import document_text

    sys.stdout.write(document_text())
