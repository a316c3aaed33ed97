"""Settings of all tests."""

from hypothesis import settings

# The same examples each time: what fails here fails everywhere, and on the next run too.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")
