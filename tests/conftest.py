"""Settings of all tests."""

import signal

from hypothesis import settings

# A shell's background jobs ignore Ctrl-C and would hand that down to what the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples each time: what fails here fails everywhere, and on the next run too.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")
