"""SIGTERM and SIGHUP end the driver and leave its jobs running."""

import os
import signal
import threading
import time
from typing import Any

# Seconds after which a signal that has ended nothing is sent again.
AGAIN = 10


class EndSignals:
    """`name` of the signal that came; `leaving` once the driver is on its way out."""

    def __init__(self) -> None:
        self.name, self.came_at, self.leaving = "", 0.0, False

    def catch(self) -> None:
        """From the first job on: Snakemake's scheduler sets its own handler before that."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
                    signal.signal(number, self.handle)

    def handle(self, number: int, _frame: Any) -> None:
        """End the main thread, once."""
        if self.leaving:
            return
        # Nothing is logged here: the main thread may be at writing a line, which is not reentrant.
        self.name, self.came_at = signal.Signals(number).name, time.time()
        raise SystemExit(1)

    def insist(self) -> None:
        """Send the signal again: code in `__del__` swallows what a handler raises there."""
        if self.name and not self.leaving and time.time() > self.came_at + AGAIN:
            os.kill(os.getpid(), signal.Signals[self.name])
