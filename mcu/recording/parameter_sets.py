"""What of an H.264 stream must stay the same within a file: its parameter sets (7.4.1.2.1)."""

from mcu.media.h264 import split_annex_b

NAL_SPS = 7
NAL_PPS = 8


def parameter_sets(access_unit: bytes) -> tuple[bytes, ...]:
    """The sequence and picture parameter sets of an access unit in Annex B, in their order.

    Returns: empty for a picture that brings none.
    Cost: one search through ``access_unit``.
    """
    return tuple(
        unit for unit in split_annex_b(access_unit) if unit and unit[0] & 0x1F in (NAL_SPS, NAL_PPS)
    )
