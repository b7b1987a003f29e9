"""SRTP of SIP legs."""

from dataclasses import replace

from signalling.offer_answer import Sdes
from tests.peers.sip_media import SipWorld, send_audio


def test_keys_with_an_identifier_are_opened() -> None:
    """MKIs (RFC 3711 3.1) in what a room sends, in both kinds of profile."""
    for suite, tag, rtcp_tag in (
        ("AES_CM_128_HMAC_SHA1_80", 10, 10),
        ("AES_CM_128_HMAC_SHA1_32", 4, 10),
        ("AEAD_AES_128_GCM", 0, 0),
    ):
        world = SipWorld()
        room = world.call(suite=suite)
        world.run(0.1)
        agreed = room.agreed
        flow = agreed.flows[0]
        assert isinstance(flow.security, Sdes)
        with_mki = replace(flow, security=replace(flow.security, remote_mki_bytes=2))
        room.leg.update(replace(agreed, flows=(with_mki,)), world.time.now)
        send_raw = room.send_raw

        def insert(data: bytes, port: int, source: int, host: str | None = None) -> None:
            at = len(data) - (rtcp_tag if 192 <= data[1] <= 223 else tag)  # noqa: B023
            send_raw(data[:at] + b"\0\7" + data[at:], port, source, host)  # noqa: B023

        room.send_raw = insert  # type: ignore[method-assign]
        send_audio(world, room, 10)
        room.report("audio", world.time.now)
        world.run(0.1)
        assert len(room.recorder.audio) == 10
        dropped = room.leg.statistics(0).dropped
        assert not [one for one in dropped if one.startswith("srt")]
