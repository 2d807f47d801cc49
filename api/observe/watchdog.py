"""What ends a loop that no longer turns: the kernel by processor time, systemd by the clock; both restart it.

A loop that computes without end (an interpreter without memory does) runs no code of ours any more.  So the kernel
counts the processor time since the last beat and ends the process by itself; a process that is only stopped, or waits
for a disk, uses none.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import socket
from typing import NoReturn

BEAT_S = 2.0
SPIN_S = 30.0
"""Seconds of processor time without a beat after which the process ends."""
OUT_OF_MEMORY_EXIT = 71


class Watchdog:
    """Beats while the loop turns, and tells systemd (where it has started us) how we are."""

    def __init__(self, address: str | None = None, *, spin_s: float = SPIN_S) -> None:
        """`address`: of systemd's socket (None: what it has put into the environment)."""
        self._address = os.environ.get("NOTIFY_SOCKET") if address is None else address
        self._spin_s = spin_s
        self._beating: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to beat."""
        if hasattr(signal, "setitimer"):
            faulthandler.register(signal.SIGVTALRM, chain=True)  # where it was, then the end
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    async def stop(self) -> None:
        """Ends the beat; nobody is missed any more."""
        self.say("STOPPING=1")
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    async def _beat(self) -> None:
        while True:
            self.say("WATCHDOG=1")
            if hasattr(signal, "setitimer"):
                signal.setitimer(signal.ITIMER_VIRTUAL, self._spin_s)
            await asyncio.sleep(BEAT_S)

    def say(self, text: str) -> None:
        """Tells systemd, as sd_notify does; nothing happens where nobody listens."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sink:
            sink.setblocking(False)
            try:
                sink.sendto(text.encode(), address)
            except OSError:
                return


def out_of_memory() -> NoReturn:
    """Ends the process at once: nothing it does without memory can be trusted; what was acknowledged is on the disk."""
    os.write(2, b"out of memory: the process ends\n")
    os._exit(OUT_OF_MEMORY_EXIT)
