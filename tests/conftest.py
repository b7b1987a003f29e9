"""Settings of the whole test run."""

from hypothesis import settings

# How long an example takes says something of the machine, not of the program. The same examples
# in every run: a test that fails does so for everybody. New ones are what `make fuzz` is for, and
# `pytest --hypothesis-profile=search`.
settings.register_profile("mcu", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("mcu")
