"""A readiness check from the operator's choice to the table, with a real page in a room."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.peers.chromium_page import ChromiumPage, picture
from tests.peers.daemon import ADMIN_TOKEN, Daemon

pytestmark = pytest.mark.timeout(240)

REFUSE = ("fault", "missing")
BUSY = {"busy-here", "small", "slow", "capacity-up", "no-picture"}
LENIENT = {
    "width": 320, "height": 180, "fps": 4, "uplink_bps": 50_000, "downlink_bps": 20_000,
    "loss_percent": 40, "jitter_ms": 2_000, "round_trip_ms": 5_000,
}  # fmt: skip
"""What the browser sends, whatever else the machine does meanwhile."""
NAMES = {"dien-khanh": "Xã Diên Khánh", "truong-sa": "Đặc khu Trường Sa"}
QUICK = {
    "MCU_READINESS__REACH_S": "20",
    "MCU_READINESS__MEASURE_S": "12",
    "MCU_READINESS__CONFIRM_S": "10",
}


async def test_a_room_is_checked_and_another_is_not_there(tmp_path: Path) -> None:
    async with (
        Daemon(tmp_path / "data", environment=QUICK) as daemon,
        ChromiumPage() as room,
        ChromiumPage() as console,
    ):
        contact = {"name": "Trần Thị Bình", "phone": "0258 3822 111"}
        await daemon.register(NAMES, contact=contact, standard=LENIENT)
        token = (await daemon.call("POST", "/bridges/dien-khanh/token"))["token"]
        await room.page.goto(f"{daemon.url}/join#token={token}&auto=1")

        desk = console.page
        await desk.goto(f"{daemon.url}/#token={ADMIN_TOKEN}")
        await desk.get_by_role("link", name="Kiểm tra kỹ thuật").click()
        await desk.locator("select").select_option("unit:khanh-hoa")
        await desk.get_by_role("button", name="Kiểm tra ngay").click()
        here = desk.locator("tr[data-bridge=dien-khanh]")
        away = desk.locator("tr[data-bridge=truong-sa]")
        await expect(here).to_contain_text("Đang đo", timeout=60_000)
        await expect(away).to_contain_text("Đang gọi")

        # Somebody in the room hears the tone.
        await picture(room.page, "readiness-join")
        await room.page.get_by_role("button", name="Nghe rõ").click()
        await expect(room.page.locator(".hints")).to_contain_text("đã ghi nhận trả lời")

        await expect(away).to_contain_text("không liên lạc được", timeout=90_000)
        await expect(away.get_by_role("link", name="0258 3822 111")).to_be_visible()
        verdict = here.get_by_role("cell").first
        await expect(verdict).to_contain_text(re.compile("^(Đạt|Không đạt)"), timeout=90_000)
        await picture(desk, "readiness-table")
        check = desk.url.rpartition("/")[2]
        found = await daemon.call("GET", f"/readiness-checks/{check}")
        [measured] = [each for each in found["rooms"] if each["bridge"] == "dien-khanh"]
        assert measured["confirmation"] == "heard"
        assert measured["measured"]["sound"]["seconds"] > 1
        # Its microphone beeps twice a second: that is neither silence nor overdriven. It is go,
        # unless this machine was too busy to measure it or to code its pictures.
        refused = {each["code"] for each in measured["findings"] if each["weight"] in REFUSE}
        assert refused <= BUSY
        assert (measured["verdict"] == "go") == (not refused)
        assert "Mozilla" in measured["measured"]["configuration"]["user_agent"]
        # Where rooms were met is no meeting: it is over, and the list never showed it.
        assert (await daemon.call("GET", "/conferences?state=running"))["items"] == []

        # By mouse, and the keys go on there: a button that is gone leaves the focus to its row.
        none = desk.locator(".readiness-progress .badge", has_text="0 ")
        await expect(none.and_(desk.locator(".bad, .good"))).to_have_count(0)
        await away.get_by_role("button", name="Kiểm tra lại").click()
        await expect(away).to_contain_text("Đang gọi")
        await expect(away).to_be_focused()
        await expect(away).to_contain_text("không liên lạc được", timeout=90_000)
        await desk.locator(".readiness-progress").click()  # the focus is nowhere
        await expect(away).not_to_be_focused()
        await desk.keyboard.press("c")
        await expect(away).to_contain_text("Đang gọi")
        await expect(away).to_contain_text("không liên lạc được", timeout=90_000)
        await desk.keyboard.press("ArrowUp")
        await expect(desk.locator("tr[data-bridge]").first).to_be_focused()
        await desk.keyboard.press("?")
        await expect(desk.get_by_role("dialog")).to_contain_text("Kiểm tra lại điểm cầu đang chọn")
        await expect(desk.get_by_role("dialog")).not_to_contain_text("hình chủ tọa")
        await desk.keyboard.press("Escape")

        # By keyboard: what was measured, then the absent room once more.
        await here.focus()
        await desk.keyboard.press("Enter")
        await expect(desk.locator(".readiness-details")).to_contain_text("Trễ khứ hồi")
        await away.focus()
        await desk.keyboard.press("c")
        await expect(away).to_contain_text("Đang gọi")
        await desk.get_by_role("button", name="EN").click()
        await expect(away).to_contain_text("Is called")
        await picture(desk, "readiness-again")
        await desk.get_by_role("button", name="End the check").click()
        await expect(away).to_contain_text("the check was cancelled")
