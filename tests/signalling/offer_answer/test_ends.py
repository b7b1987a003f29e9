import pytest

from signalling.offer_answer.ends import Ends, read_ends
from signalling.offer_answer.refusal import SectionRefused
from tests.signalling.offer_answer.ends_of_calls import SESSION, audio, offer

WITHOUT = tuple(line for line in SESSION if not line.startswith("c="))


def read(
    *lines: str, session: tuple[str, ...] = SESSION, port: int = 4000, mux: bool = False
) -> Ends:
    described = offer(audio(*lines, port=port), session=session)
    return read_ends(described, described.media[0], mux=mux)


def test_of_the_session() -> None:
    assert read() == Ends("IP4", ("198.51.100.7", 4000), ("198.51.100.7", 4001), zeros=False)


def test_of_the_section() -> None:
    assert read("c=IN IP4 198.51.100.8").remote == ("198.51.100.8", 4000)
    ends = read("c=IN IP6 2001:db8::8", session=WITHOUT)
    assert (ends.family, ends.remote) == ("IP6", ("2001:db8::8", 4000))


def test_nowhere() -> None:
    with pytest.raises(SectionRefused, match="no c="):
        read(session=WITHOUT)


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("a=rtcp:5000", ("198.51.100.7", 5000)),
        ("a=rtcp:5000 IN IP4 198.51.100.9", ("198.51.100.9", 5000)),
        ("a=rtcp:9 IN IP4 0.0.0.0", ("198.51.100.7", 9)),
        ("a=rtcp:5000 IN IP4 224.0.0.9", ("198.51.100.7", 5000)),
        # What cannot be read counts as absent.
        ("a=rtcp:", ("198.51.100.7", 4001)),
        ("a=rtcp:70000", ("198.51.100.7", 4001)),
        ("a=rtcp:5000 IN IP4 room.example", ("198.51.100.7", 4001)),
    ],
)
def test_control(attribute: str, expected: tuple[str, int]) -> None:
    assert read(attribute).remote_rtcp == expected


def test_control_on_one_port() -> None:
    assert read("a=rtcp:5000", mux=True).remote_rtcp == ("198.51.100.7", 4000)


def test_no_port_is_above_the_last() -> None:
    assert read(port=65535).remote_rtcp is None


@pytest.mark.parametrize(("line", "family"), [("IP4 0.0.0.0", "IP4"), ("IP6 ::", "IP6")])
def test_zeros(line: str, family: str) -> None:
    ends = read(f"c=IN {line}")
    assert (ends.family, ends.remote, ends.remote_rtcp, ends.zeros) == (family, None, None, True)


@pytest.mark.parametrize(
    "line",
    ["IP4 224.2.1.1/127", "IP4 239.0.0.1", "IP6 ff15::101", "IP4 255.255.255.255", "IP4 a/3"],
)
def test_multicast_is_refused(line: str) -> None:
    with pytest.raises(SectionRefused, match="multicast"):
        read(f"c=IN {line}")


@pytest.mark.parametrize(
    ("line", "family"),
    [("IP4 room.example", "IP4"), ("IP6 room.example", "IP6"), ("IP6 fe80::1%eth0", "IP6")],
)
def test_what_only_the_peers_packets_tell(line: str, family: str) -> None:
    assert read(f"c=IN {line}") == Ends(family, None, None, zeros=False)  # type: ignore[arg-type]


def test_the_address_says_its_family_whatever_is_written_beside() -> None:
    assert read("c=IN IP4 2001:db8::8").family == "IP6"
