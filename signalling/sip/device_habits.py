"""How devices answer challenges: who knows MD5 alone, and who answers none at all."""

from collections import OrderedDict
from collections.abc import Iterable
from itertools import islice
from typing import Final, TypeVar

MAX_DEVICES: Final = 10_000
"""That are remembered of each kind; the one that was silent for longest is forgotten."""
SILENT_AFTER: Final = 3
"""Challenges in a row that a device leaves unanswered before it is said to answer none: the first
may have been for an algorithm it does not know."""

Device = tuple[str, str]
"""The address it comes from, and its user."""
Value = TypeVar("Value")


class DeviceHabits:
    """What is remembered of devices, by ``Device``. Cost: O(1) each."""

    def __init__(self) -> None:
        self._puzzled: OrderedDict[Device, bool] = OrderedDict()
        """Was challenged and has not answered yet; True: more than once."""
        self._of_md5_alone: OrderedDict[Device, bool] = OrderedDict()
        self._unanswered: OrderedDict[Device, int] = OrderedDict()

    def gives_up(self, device: Device, *, unanswered: bool) -> bool:
        """Whether it gives up where anything but MD5 is offered.

        Args:
            unanswered: it comes without credentials; when it does so again, that is taken for it.
        """
        known = self._puzzled.get(device)
        if unanswered:
            known = known is not None
            _keep(self._puzzled, device, known)
        return known is True

    def challenged(self, device: Device) -> None:
        """It came without credentials, and is of an account."""
        _keep(self._unanswered, device, self._unanswered.get(device, 0) + 1)

    def answered(self, device: Device) -> None:
        """It has answered a challenge of ours, rightly or not."""
        self._unanswered.pop(device, None)

    def verified(self, device: Device, algorithm: str) -> None:
        """It has answered rightly."""
        gives_up = self._puzzled.get(device)
        if gives_up is False:
            del self._puzzled[device]
        elif gives_up and algorithm == "MD5":
            _keep(self._of_md5_alone, device, True)

    def is_silent(self, device: Device) -> bool:
        """Whether it has left several challenges unanswered, one upon another."""
        return self._unanswered.get(device, 0) >= SILENT_AFTER

    def of_md5_alone(self) -> frozenset[Device]:
        """Those that sign in, but only where MD5 alone is offered."""
        return frozenset(self._of_md5_alone)

    def restore(self, of_md5_alone: Iterable[Device]) -> None:
        """Take in what ``of_md5_alone`` has told before a restart."""
        for device in islice(of_md5_alone, MAX_DEVICES):
            self._puzzled[device] = self._of_md5_alone[device] = True


def _keep(where: OrderedDict[Device, Value], device: Device, value: Value) -> None:
    where[device] = value
    where.move_to_end(device)
    if len(where) > MAX_DEVICES:
        where.popitem(last=False)
