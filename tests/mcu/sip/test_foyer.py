"""What waiting callers get is coded once for all of them."""

import numpy as np
import pytest

from mcu.engine.audio_bus import EncodingKey
from mcu.engine.pool import InlinePool
from mcu.media.payload import MAX_PAYLOAD_BYTES
from mcu.media.rendition import FanOut, RenditionKey
from mcu.sip.foyer import MAX_CODED, CodedSounds, Foyer, Pictures
from mcu.sip.pin_picture import PinScene, draw
from mcu.sip.pin_sounds import make_sounds
from mixer.audio.block import Int16Block
from mixer.codecs.audio import AudioCodecName, make_decoder
from mixer.codecs.video import VideoDecoder

SOUNDS = make_sounds()


def made() -> Foyer:
    return Foyer(SOUNDS, FanOut(lambda delay_s, run: None), InlinePool())


def sounds_of(foyer: Foyer, key: EncodingKey) -> CodedSounds:
    found: list[CodedSounds] = []
    foyer.code_sounds(key, found.append)
    return found[0]


def pictures_of(foyer: Foyer, scene: PinScene, key: RenditionKey) -> list[Pictures]:
    found: list[Pictures] = []
    foyer.code_picture(scene, key, found.append)
    return found


def picture_key(codec: str = "h264", *, single_nal: bool = False) -> RenditionKey:
    return RenditionKey("video", "pin", codec, 640, 360, 400_000, single_nal=single_nal)


@pytest.mark.parametrize("codec", ["opus", "g722", "pcma", "pcmu"])
def test_sounds_are_what_was_meant_in_every_codec(codec: AudioCodecName) -> None:
    coded = sounds_of(made(), EncodingKey(codec))
    decoder = make_decoder(codec)
    heard: Int16Block = np.concatenate([decoder.decode(coded.encode(one)) for one in SOUNDS.prompt])
    meant = np.concatenate(SOUNDS.prompt)
    wanted, found = (np.abs(np.fft.rfft(one)) for one in (meant, heard[: len(meant)]))
    match = np.dot(wanted, found) / np.linalg.norm(wanted) / np.linalg.norm(found)
    assert match > 0.95


def test_sounds_are_coded_once() -> None:
    foyer = made()
    assert sounds_of(foyer, EncodingKey("pcma")) is sounds_of(foyer, EncodingKey("pcma"))
    # How much sound a packet holds is nothing to its encoder.
    assert sounds_of(foyer, EncodingKey("pcma", packet_ms=40)) is sounds_of(
        foyer, EncodingKey("pcma")
    )


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_each_picture_stands_alone_and_shows_the_scene(codec: str) -> None:
    scene = PinScene(entered=3, notice="wrong", tries=2)
    ((first, *others),) = pictures_of(made(), scene, picture_key(codec))
    meant = draw(scene, 640, 360).planes.y.astype(int)
    for coded in (first, *others):
        (shown,) = VideoDecoder(codec).decode(coded) or [None]
        assert shown is not None
        luma = shown.to_ndarray()[:360].astype(int)
        assert np.abs(luma - meant).mean() < 4
    if codec == "h264":
        assert first != others[0]


def test_pictures_for_single_nal_units_are_cut() -> None:
    (pictures,) = pictures_of(made(), PinScene(), picture_key(single_nal=True))
    for picture in pictures:
        units = [unit for unit in picture.split(b"\0\0\1") if unit]
        assert max(map(len, units)) <= MAX_PAYLOAD_BYTES + 1


def test_pictures_are_coded_once_and_few_are_kept() -> None:
    foyer = made()
    key = RenditionKey("video", "pin", "h264", 320, 180, 100_000)
    (first,) = pictures_of(foyer, PinScene(), key)
    assert pictures_of(foyer, PinScene(), key)[0] is first
    for tries in range(MAX_CODED):
        pictures_of(foyer, PinScene(tries=tries + 1), key)
    assert pictures_of(foyer, PinScene(), key)[0] is not first


def test_what_cannot_be_coded_is_done_without() -> None:
    assert pictures_of(made(), PinScene(), RenditionKey("video", "pin", "h265", 640, 360)) == []
