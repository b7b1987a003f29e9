"""What tests of the program's outermost layer share."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from mcu.logs import QUIET_LIBRARIES


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Undo what ``mcu.logs.configure`` does to the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    for name in QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.NOTSET)
