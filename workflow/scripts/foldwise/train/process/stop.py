"""Signals that ask a job to save and leave. Standard library only: set before heavy imports."""

import signal
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
EXIT_STOPPED = 75  # EX_TEMPFAIL of sysexits.h: run the same again, it goes on from where it was.


class Stopped(SystemExit):
    """Leaves the process with EXIT_STOPPED after the state has been saved."""

    def __init__(self) -> None:
        super().__init__(EXIT_STOPPED)


class Stop:
    """`requested` names the signal that asked to stop, or is None.

    The handler only takes a note: the loop saves between two steps, where the state is whole.
    """

    def __init__(self) -> None:
        self.requested: str | None = None

    def listen(self) -> "Stop":
        """Take note of SIGTERM, SIGINT and SIGUSR1 from now on."""
        for number in SIGNALS:
            signal.signal(number, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = signal.Signals(number).name
