"""Tokens: only administrators, only within their reach, secrets shown once."""

from tests.mcu.api.live import Api


async def test_a_token_is_issued_listed_and_revoked(api: Api) -> None:
    await api.province()
    body = {"name": "Trực tỉnh", "role": "operator", "unit": "tinh"}
    made = await api.call("POST", "/tokens", body, status=201)
    secret, token = made.json["token"], made.json["id"]
    await api.call("GET", "/units", token=secret, status=200)
    listed = await api.call("GET", "/tokens", status=200)
    assert {item["id"] for item in listed.json["items"]} == {"bootstrap", token}
    assert secret not in listed.body.decode()
    one = await api.call("GET", f"/tokens/{token}", status=200)
    assert "token" not in one.json
    assert one.json["last_used_at"] is not None
    await api.call("DELETE", f"/tokens/{token}", status=204)
    await api.call("GET", "/units", token=secret, status=401)
    gone = await api.call("GET", f"/tokens/{token}", status=200)
    assert gone.json["revoked_at"] is not None
    await api.call("DELETE", "/tokens/nothing", status=404)


async def test_a_name_may_be_left_out_as_on_the_command_line(api: Api) -> None:
    issued = (await api.call("POST", "/tokens", {"role": "admin"}, status=201)).json
    assert issued["name"] == ""


async def test_what_a_token_must_have(api: Api) -> None:
    await api.province()
    for body, field in (
        ({"name": "a", "role": "king"}, "$.role"),
        ({"name": "a", "role": "bridge"}, "$.bridge"),
        ({"name": "a", "role": "bridge", "bridge": "xa-1-a", "unit": "xa-1"}, "$.unit"),
        ({"name": "a", "role": "operator", "unit": "nowhere"}, "$.unit"),
        ({"name": "a", "role": "bridge", "bridge": "nowhere"}, "$.bridge"),
        ({"name": " ", "role": "admin"}, "$.name"),
    ):
        assert (await api.call("POST", "/tokens", body, status=422)).fields == [field], body


async def test_an_administrator_of_a_unit_issues_nothing_beyond_it(api: Api) -> None:
    await api.province()
    admin = await api.token("admin", unit="xa-1")
    for body, status in (
        ({"name": "a", "role": "operator", "unit": "xa-1"}, 201),
        ({"name": "a", "role": "bridge", "bridge": "xa-1-a"}, 201),
        ({"name": "a", "role": "operator", "unit": "tinh"}, 403),
        ({"name": "a", "role": "admin"}, 403),
        ({"name": "a", "role": "bridge", "bridge": "xa-2-a"}, 403),
        ({"name": "a", "role": "bridge", "bridge": "nowhere"}, 404),
        ({"name": "a", "role": "bridge"}, 422),
    ):
        await api.call("POST", "/tokens", body, token=admin, status=status)
    await api.call("GET", "/tokens/bootstrap", token=admin, status=403)
    await api.call("DELETE", "/tokens/bootstrap", token=admin, status=403)
    listed = await api.call("GET", "/tokens", token=admin, status=200)
    assert "bootstrap" not in {item["id"] for item in listed.json["items"]}


async def test_others_do_not_manage_tokens(api: Api) -> None:
    await api.province()
    for role in ("operator", "technician", "observer"):
        token = await api.token(role, unit="tinh")
        await api.call("GET", "/tokens", token=token, status=403)
