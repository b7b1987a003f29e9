"""Pictures of now."""

from tests.mcu.api.live import JPEG, Api


async def test_pictures(api: Api) -> None:
    await api.province()
    await api.call("POST", "/bridges", {"id": "dark", "name": "Tối", "unit": "tinh"}, status=201)
    path = f"/conferences/{await api.conference('tinh-a', 'dark')}"
    for picture in ("views/main.jpg", "participants/tinh-a/picture.jpg"):
        reply = await api.call("GET", f"{path}/{picture}", status=200)
        assert reply.body == JPEG
        assert reply.headers["Content-Type"] == "image/jpeg"
        assert reply.headers["Cache-Control"] == "no-store"
    for nothing in (
        "views/chair.jpg",
        "views/moon.jpg",
        "participants/dark/picture.jpg",
        "participants/nobody/picture.jpg",
    ):
        assert (await api.call("GET", f"{path}/{nothing}", status=404)).kind == "not-found"
    dark = await api.call("GET", f"{path}/participants/dark/picture.jpg", status=404)
    assert dark.json["detail"] == "Tối (dark) shows nothing now; ask again when it does."
    chair = await api.call("GET", f"{path}/views/chair.jpg", status=404)
    assert chair.json["detail"] == "The view 'chair' shows nothing now; ask again when it does."
    room = await api.token("bridge", bridge="tinh-a")
    await api.call("GET", f"{path}/participants/tinh-a/picture.jpg", token=room, status=200)
    await api.call("GET", f"{path}/participants/dark/picture.jpg", token=room, status=403)
    await api.call("GET", f"{path}/views/main.jpg", token=room, status=403)
