"""Ctrl-C and the queue's SIGTERM end a run at once, also inside a long library call.

Python handles a signal only between its own instructions, so that a mesh of a minute
would be finished first. A watching thread ends the process when that takes too long.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fem_spe.errors import InterruptedRunError

_GRACE = 1.5  # s for Python to end the run in order
MESSAGE = (
    "interrupted; nothing finished is lost: run the same command again, with --restart where a run "
    "in time was on its way"
)


@contextmanager
def ended_by_signals() -> Iterator[threading.Event]:
    """In the block, SIGINT and SIGTERM raise `InterruptedRunError`, or end the process soon.

    The event that it gives is set then: a library may turn the error into one of its own.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    done = threading.Event()
    received = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.set()
        raise InterruptedRunError(MESSAGE)

    def watch() -> None:
        while not done.is_set():
            byte = os.read(read, 1)
            if byte and byte[0] in (signal.SIGINT, signal.SIGTERM):
                if not done.wait(_GRACE):
                    os.write(2, f"fem-spe: {MESSAGE}\n".encode())
                    os._exit(InterruptedRunError.exit_code)
                return

    before = {s: signal.signal(s, interrupt) for s in (signal.SIGINT, signal.SIGTERM)}
    wakeup = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield received
    finally:
        done.set()
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.write(write, b"\0")
        watcher.join()
        os.close(read)
        os.close(write)
