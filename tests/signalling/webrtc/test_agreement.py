from dataclasses import replace

import pytest

from signalling.media.codecs import ACCEPTED_CODECS
from signalling.media.negotiated import OfferRefused
from signalling.webrtc.agreement import LocalSide


def test_a_lite_agent_without_candidates_cannot_be_reached(local: LocalSide) -> None:
    with pytest.raises(ValueError, match="candidate"):
        replace(local, candidates=())


def test_a_refusal_says_what_would_be_taken() -> None:
    refused = OfferRefused("no", "media[1]")
    assert str(refused) == refused.detail == "no"
    assert refused.field == "media[1]"
    assert refused.accepted_codecs == ACCEPTED_CODECS
    assert any(codec.startswith("opus") for codec in ACCEPTED_CODECS)
    assert any(codec.startswith("H264") for codec in ACCEPTED_CODECS)
