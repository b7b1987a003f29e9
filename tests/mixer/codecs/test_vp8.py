from mixer.codecs.vp8 import BUFFER_SECONDS, encoder_options


def test_a_key_frame_is_bound_to_half_the_buffer() -> None:
    percent = int(encoder_options(25)["max-intra-rate"])
    assert percent / 100 / 25 <= BUFFER_SECONDS / 2 + 3 / 25
    assert encoder_options(25)["deadline"] == "realtime"
