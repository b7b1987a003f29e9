"""Settings of the whole test run."""

from hypothesis import settings

# How long an example takes says something of the machine, not of the program.
settings.register_profile("mcu", deadline=None)
settings.load_profile("mcu")
