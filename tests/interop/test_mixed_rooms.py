"""Rooms that are not alike in one conference: H.264 and VP8, without camera, without microphone."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from PIL import Image

from mixer.video.tile import Tile
from tests.peers.chromium_room import GREEN, RED, ChromiumRoom
from tests.peers.daemon import Daemon
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.meeting import difference, meeting
from tests.peers.waiting import until, until_read

pytestmark = pytest.mark.timeout(120)

NAMES = {
    "h264": "UBND xã Diên Khánh",
    "vp8-cam": "Phường Vĩnh Nguyên",
    "khong-may-quay": "Đặc khu Trường Sa",
    "dien-thoai": "Xã Vạn Ninh",
}
H264_HZ, BLIND_HZ, PHONE_HZ = 1010.0, 2130.0, 440.0
RED_AT, GREEN_AT, CARD_AT, PHONE_AT = (0.25, 0.2), (0.75, 0.2), (0.25, 0.7), (0.75, 0.7)


async def test_rooms_of_all_kinds_meet(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(Daemon(tmp_path / "data"))
        held = await stack.enter_async_context(meeting(daemon, NAMES))
        await held.arrange("2x2", *NAMES)

        async def room(bridge: str, name: str, hz: float, codec: str, *kinds: str) -> ChromiumRoom:
            folder = tmp_path / bridge
            folder.mkdir()
            colour = RED if name == "red" else GREEN
            made = await stack.enter_async_context(ChromiumRoom(folder, colour, hz))
            await made.join(
                daemon.url, held.id, held.tokens[bridge], codec=f"video/{codec}", kinds=kinds
            )
            return made

        h264 = await room("h264", "red", H264_HZ, "H264", "audio", "video")
        mute = await room("vp8-cam", "green", 700.0, "VP8", "video")
        blind = await room("khong-may-quay", "red", BLIND_HZ, "H264", "audio")
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        phone = await rooms.join(
            held.id, held.tokens["dien-thoai"], tone_hz=PHONE_HZ, video=False, decodes=True
        )
        await held.until_states(**dict.fromkeys(["h264", "vp8_cam", "dien_thoai"], "connected"))

        # All that have a screen see both cameras, whatever codec they came in.
        for watching in (h264, mute, blind):
            await watching.wait_for_picture()
            await watching.wait_for_colours({RED_AT: RED, GREEN_AT: GREEN})
        codecs = [await watching.statistics() for watching in (h264, mute, blind)]
        received = [{v for k, v in found.items() if k.startswith("codec_")} for found in codecs]
        assert ["video/H264" in one for one in received] == [True, False, True]
        assert ["video/VP8" in one for one in received] == [False, True, False]

        # Everybody hears whoever has a microphone, but not itself; nobody hears the camera only.
        await h264.wait_for_tones([BLIND_HZ, PHONE_HZ])
        await mute.wait_for_tones([H264_HZ, BLIND_HZ, PHONE_HZ])
        await blind.wait_for_tones([H264_HZ, PHONE_HZ])

        def hears_the_others_alone() -> bool:  # a gap on a busy machine sounds at all frequencies
            others = min(phone.heard_db(H264_HZ), phone.heard_db(BLIND_HZ))
            return others > 60 and phone.heard_db(PHONE_HZ) < 25

        await until(hears_the_others_alone, 0.05)
        roster = await held.roster()
        assert roster["vp8-cam"]["level_db"] in (None, -127)

        # Who has no camera is a card with a name.
        def cards(picture: Image.Image) -> bool:
            return all(
                difference(picture, slot, Tile("no_video", NAMES[bridge], speaking=True)) < 4.0
                for slot, bridge in ((2, "khong-may-quay"), (3, "dien-thoai"))
            )

        picture = await until_read(held.picture, cards)
        picture.save(tmp_path / "mixed.png")

        # One encoder for each codec, one decoder for each camera.
        metrics = await daemon.metrics()
        assert metrics['mcu_encoders{kind="video"}'] == 2
        assert metrics['mcu_decoders{kind="video"}'] == 2
        for bridge, sources in (
            ("h264", {"audio", "video"}),
            ("vp8-cam", {"video"}),
            ("khong-may-quay", {"audio"}),
            ("dien-thoai", {"audio"}),
        ):
            reading = await held.leg(roster[bridge]["legs"][0])
            streams = {k for k, one in reading["received"].items() if one["packets"]}
            assert streams == sources, bridge
