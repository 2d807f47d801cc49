"""Logs as JSON lines, without personal data."""

from __future__ import annotations

import json
import logging
import time
import traceback
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    pass


_FIELDS = (
    "method", "route", "status", "ms", "tenant", "key_id", "round", "cause", "work", "seq", "code", "step",
    "webhook_id", "orders", "riders", "seconds", "count", "exit_status",
)  # fmt: skip
"""What a log line may carry beside its text; anything else that is handed over is left out."""


class JsonLines(logging.Formatter):
    """One JSON object a line.  An exception shows its type and its frames; its text stays out, it may quote a body."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])[-12:]
            line["frames"] = [f"{frame.name} at {_module(frame.filename)}:{frame.lineno}" for frame in frames]
        return json.dumps(line, default=str)


def _module(filename: str) -> str:
    return "/".join(filename.rsplit("/", 2)[-2:])


def log_json(stream: TextIO, level: int = logging.INFO) -> None:
    """Sends all logs to `stream` as JSON lines; the server's own request log, which would show paths, is silenced."""
    # What no line carries need not be found out: who called, in which thread and process.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"
    logging.getLogger("httpx").setLevel(logging.WARNING)
