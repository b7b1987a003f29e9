"""What of a SIP flow's agreement its streams are made from."""

from dataclasses import dataclass, replace

from mcu.legs.leg import StreamCodec
from signalling.media.codecs import Codec
from signalling.media.negotiated import NegotiatedMedia
from signalling.offer_answer.agreement import Flow


@dataclass(frozen=True, slots=True)
class FlowStreams:
    """The streams of a flow, those that are only held included.

    Args:
        media: made for ``Incoming``, ``Outgoing`` and ``Feedback``: ``receives`` and ``sends`` say
            whether there is a stream, and one codec is received at a time.
        source, output: as the engine sees them; None where there is no stream.
    """

    media: NegotiatedMedia
    source: StreamCodec | None
    output: StreamCodec | None

    @property
    def payload_type(self) -> int:
        """Of what is received now."""
        return next(iter(self.media.receive_codecs))


def flow_streams(flow: Flow, before: FlowStreams | None, payload_type: int | None) -> FlowStreams:
    """The streams of a flow.

    Args:
        before: of the agreement before; what is held now and stood there stays.
        payload_type: what came last; None: nothing yet.
    """
    media = flow.media
    received = media.receive_codecs
    if payload_type is None or payload_type not in received:
        payload_type = next(iter(received))
    codec = received[payload_type]
    held = before.media if before is not None else None
    receives = media.receives or (held is not None and held.receives)
    send_codec = media.send_codec or (held.send_codec if held is not None else None)
    sends = send_codec is not None
    made = replace(
        media,
        receives=receives,
        sends=sends,
        receive_codecs={payload_type: codec},
        send_codec=send_codec,
        local_ssrc=flow.ssrc,
        local_rtx_ssrc=flow.rtx_ssrc,
    )
    return FlowStreams(
        made,
        _stream_codec(codec, flow) if receives else None,
        _stream_codec(send_codec, flow) if send_codec is not None else None,
    )


def _stream_codec(codec: Codec, flow: Flow) -> StreamCodec:
    return StreamCodec(
        name=codec.name,
        clock_rate=codec.clock_rate,
        channels=codec.channels,
        parameters=codec.parameters,
        max_width=codec.max_width,
        max_height=codec.max_height,
        max_fps=codec.max_fps,
        max_bitrate_bps=_lower(flow.media.max_bitrate_bps, codec.max_bitrate_bps),
        packet_ms=flow.ptime_ms,
        single_nal=codec.name == "h264" and codec.parameters.get("packetization-mode") != "1",
    )


def _lower(*limits: int) -> int:
    """The lowest of limits, of which 0 is none."""
    return min((one for one in limits if one), default=0)
