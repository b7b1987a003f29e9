"""Messages that wait for their turn."""

from mcu.sip.inbox import MAX_WAITING, MAX_WAITING_BYTES, Inbox
from signalling.sip import Hop

SOURCE = Hop("udp", "192.0.2.7", 5060)


def test_first_come_first_served_and_no_more_than_so_many() -> None:
    inbox = Inbox()
    assert all(inbox.put(b"%d" % number, SOURCE) for number in range(MAX_WAITING))
    assert not inbox.put(b"one too many", SOURCE)
    assert [inbox.take()[0] for _ in range(2)] == [b"0", b"1"]
    assert inbox.put(b"again", SOURCE)
    assert len(inbox) == MAX_WAITING - 1


def test_no_more_than_so_many_bytes() -> None:
    inbox = Inbox()
    assert inbox.put(bytes(MAX_WAITING_BYTES), SOURCE)
    assert not inbox.put(b"x", SOURCE)
    assert inbox.take() == (bytes(MAX_WAITING_BYTES), SOURCE)
    assert inbox.put(b"x", SOURCE)
    assert len(inbox) == 1
