"""Who asks: tokens, failures, limits."""

from datetime import timedelta

import pytest
from aiohttp.test_utils import make_mocked_request

from mcu.api.auth import Authenticator, bearer_secret
from mcu.api.problem import Problem
from mcu.api.services import ApiLimits
from tests.mcu.api.conftest import MakeApi
from tests.mcu.api.live import ADMIN, Api


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("Bearer abc", "abc"),
        ("bearer  a.b_c~d+/e-f== ", "a.b_c~d+/e-f=="),
        ("Bearer", None),
        ("Bearer a b", None),
        ("Basic abc", None),
        ("Bearer " + "a" * 600, None),
        ("Bearer á", None),
        ("", None),
    ],
)
def test_the_authorization_header(header: str, secret: str | None) -> None:
    assert bearer_secret(header) == secret


async def test_without_a_token(api: Api) -> None:
    reply = await api.call("GET", "/units", token=None, status=401)
    assert reply.kind == "unauthenticated"
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="mcu"'


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic YTpi", "Bearer", "Bearer mcu_x_y"])
async def test_with_a_bad_token(api: Api, header: str) -> None:
    reply = await api.call(
        "GET", "/units", token=None, headers={"Authorization": header}, status=401
    )
    assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]
    assert reply.kind == "unauthenticated"


async def test_revoked_and_expired_tokens(api: Api) -> None:
    token, text = await api.store.tokens.create("admin", name="a")
    await api.call("GET", "/units", token=text, status=200)
    await api.call("DELETE", f"/tokens/{token.id}", status=204)
    await api.call("GET", "/units", token=text, status=401)
    ends = api.clock.utcnow() + timedelta(minutes=5)
    _, short = await api.store.tokens.create("admin", name="b", expires_at=ends)
    await api.call("GET", "/units", token=short, status=200)
    api.clock.advance(301)
    await api.call("GET", "/units", token=short, status=401)


async def test_a_token_that_asks_too_often_waits(make_api: MakeApi) -> None:
    api = await make_api(limits=ApiLimits(requests_per_second=0.5, request_burst=2))
    for _ in range(2):
        await api.call("GET", "/units", status=200)
    reply = await api.call("GET", "/units", status=429)
    assert reply.kind == "rate-limited"
    other = await api.token("admin")
    await api.call("GET", "/units", token=other, status=200)
    api.clock.advance(int(reply.headers["Retry-After"]))
    await api.call("GET", "/units", status=200)


async def test_failed_sign_ins_are_slowed_down_but_good_tokens_are_not(make_api: MakeApi) -> None:
    limits = ApiLimits(failed_sign_ins_per_minute=6, failed_sign_in_burst=2)
    api = await make_api(limits=limits)
    for _ in range(2):
        await api.call("GET", "/units", token="wrong", status=401)
    reply = await api.call("GET", "/units", token="wrong", status=429)
    assert reply.headers["Retry-After"] == "10"
    await api.call("GET", "/units", token=ADMIN, status=200)
    await api.call("GET", "/units", token=None, status=401)
    api.clock.advance(10)
    await api.call("GET", "/units", token="wrong", status=401)


async def test_a_token_in_the_query_is_refused(api: Api) -> None:
    await api.call("GET", f"/units?token={ADMIN}", token=None, status=401)
    reply = await api.call("GET", f"/units?access_token={ADMIN}", status=422)
    assert reply.fields == ["query.access_token"]


async def test_asking_without_any_token_is_limited_by_address(make_api: MakeApi) -> None:
    api = await make_api(limits=ApiLimits(requests_per_second=0.1, request_burst=1))
    await api.call("GET", "/units", token=None, status=401)
    assert (await api.call("GET", "/units", token=None, status=429)).headers["Retry-After"] == "10"
    await api.call("GET", "/units", status=200)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
async def test_all_addresses_of_one_ipv6_subscriber_share_a_limit(
    make_api: MakeApi, headers: dict[str, str]
) -> None:
    limits = ApiLimits(
        requests_per_second=0.1, request_burst=2,
        failed_sign_ins_per_minute=6, failed_sign_in_burst=2,
    )  # fmt: skip
    authenticator = Authenticator((await make_api(limits=limits)).services)
    kinds = []
    for remote in ("2001:db8::1", "2001:db8::2", "2001:db8::ffff:3", "2001:db8:0:1::1"):
        request = make_mocked_request("GET", "/", headers=headers).clone(remote=remote)
        with pytest.raises(Problem) as refusal:
            await authenticator.identify(request)
        kinds.append(refusal.value.kind)
    assert kinds == ["unauthenticated", "unauthenticated", "rate-limited", "unauthenticated"]
