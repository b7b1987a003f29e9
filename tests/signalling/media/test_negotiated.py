from dataclasses import replace

import pytest

from signalling.media.codecs import ACCEPTED_CODECS, Codec
from signalling.media.negotiated import NegotiatedMedia, OfferRefused

PCMA = Codec("pcma", 8, 8000, 1)
SOUND = NegotiatedMedia("", "audio", "audio", True, True, {8: PCMA}, PCMA)


@pytest.mark.parametrize(
    ("receives", "sends", "direction"),
    [
        (True, True, "sendrecv"),
        (True, False, "recvonly"),
        (False, True, "sendonly"),
        (False, False, "inactive"),
    ],
)
def test_direction(receives: bool, sends: bool, direction: str) -> None:
    assert replace(SOUND, receives=receives, sends=sends).direction == direction


def test_the_codec_whichever_direction_it_flows_in() -> None:
    assert replace(SOUND, sends=False, send_codec=None).codec == PCMA


def test_a_refusal_says_what_would_be_taken() -> None:
    refused = OfferRefused("no", "media[1]")
    assert (str(refused), refused.field) == ("no", "media[1]")
    assert refused.accepted_codecs == ACCEPTED_CODECS
