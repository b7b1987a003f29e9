"""What is wrong with a configuration, said so that the reader can repair it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault.

    Args:
        key: dotted path of the key (``http.port``, ``units[3].parent``); empty for the whole file.
        reason: a sentence without the key.
        origin: where the value stands (``mcu.yaml line 3``, ``environment MCU_HTTP__PORT``).
    """

    key: str
    reason: str
    origin: str = ""

    def __str__(self) -> str:
        """``origin: key: reason``, leaving out what is empty."""
        return ": ".join(part for part in (self.origin, self.key, self.reason) if part)


class ConfigurationError(Exception):
    """A configuration that cannot be used; ``problems`` is never empty."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SettingsError(ConfigurationError):
    """The settings file or the environment is unusable."""


class SiteError(ConfigurationError):
    """The description of an installation is unusable."""
