"""Whatever names and reasons there are, a request can be told."""

from hypothesis import given
from hypothesis import strategies as st

from signalling.bfcp.attributes import MAX_ATTRIBUTE_BYTES
from signalling.bfcp.board import MAX_FLOORS_OF_REQUEST, SERVER_USER, Request
from signalling.bfcp.registry import RequestStatus
from signalling.bfcp.status import MAX_NAME_BYTES, cut, describe, user_of

words = st.none() | st.text(max_size=80)


@given(words, words, words, words)
def test_the_longest_texts_fit(
    name: str | None, asker: str | None, reason: str | None, information: str | None
) -> None:
    floors = tuple(range(MAX_FLOORS_OF_REQUEST))
    request = Request(1, 2, 3, floors, 1, 2, information, RequestStatus.ACCEPTED, 255, reason)
    assert len(bytes(describe(request, name, asker))) <= MAX_ATTRIBUTE_BYTES


def test_the_longest_of_all_fit() -> None:
    floors = tuple(range(MAX_FLOORS_OF_REQUEST))
    longest = "đ" * 200
    request = Request(1, 2, 3, floors, 1, 2, longest, RequestStatus.ACCEPTED, 255, longest)
    assert len(bytes(describe(request, longest, longest))) <= MAX_ATTRIBUTE_BYTES


def test_names_are_cut_between_characters() -> None:
    assert cut("Điện Biên", 5) == "Điệ"[:2]
    assert cut(None, 5) is None
    assert user_of(3, "ệ" * 40).name == "ệ" * (MAX_NAME_BYTES // 3)


def test_what_the_server_holds_has_the_name_of_whom_it_holds_it_for() -> None:
    request = Request(
        1, SERVER_USER, SERVER_USER, (1,), 1, status=RequestStatus.GRANTED, reason="Cam Lâm"
    )
    told = describe(request, None, None)
    assert told.beneficiary is not None
    assert (told.beneficiary.id, told.beneficiary.name) == (0, "Cam Lâm")
    assert told.overall is not None
    assert told.overall.information is None
