"""The running application: one service and what its pages read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.console.board_feed import BoardFeed
from api.console.streets import StreetLines
from api.http.commands import Service

__all__ = ["Application", "RunningApplication"]


@dataclass(slots=True, kw_only=True)
class Application(Service):
    """The one object in `app.state.application`."""

    board_feed: BoardFeed
    street_lines: StreetLines

    async def end_streams(self) -> None:
        """End every event stream, those of the board among them."""
        await Service.end_streams(self)
        await self.board_feed.close()


async def _application(request: Request) -> Application:
    application: Application = request.app.state.application
    return application


RunningApplication = Annotated[Application, Depends(_application)]
