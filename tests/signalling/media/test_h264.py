import pytest

from signalling.media.h264 import (
    DEFAULT_PROFILE_LEVEL_ID,
    LEVEL_1B,
    PictureLimits,
    ProfileLevel,
    above,
    largest_picture,
    picture_limits,
    positive,
)


def parse(text: str) -> ProfileLevel:
    found = ProfileLevel.parse(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "profile", "level"),
    [
        ("42e01f", "constrained-baseline", 31),
        ("42E01F", "constrained-baseline", 31),
        ("42c01f", "constrained-baseline", 31),
        ("42C02A", "constrained-baseline", 42),
        ("424014", "constrained-baseline", 20),
        ("4d8014", "constrained-baseline", 20),
        ("58c01e", "constrained-baseline", 30),
        ("42001f", "baseline", 31),
        ("428015", "baseline", 21),
        ("58801e", "baseline", 30),
        ("4d001f", "main", 31),
        ("4d400d", "main", 13),
        ("640028", "high", 40),
        ("640c34", "constrained-high", 52),
        ("42f00b", "constrained-baseline", LEVEL_1B),
        ("42e00b", "constrained-baseline", 11),
        ("64000b", "high", 11),
        ("640009", "high", LEVEL_1B),
        (DEFAULT_PROFILE_LEVEL_ID, "baseline", 10),
    ],
)
def test_profiles_and_levels_of_rfc_6184_table_5(text: str, profile: str, level: int) -> None:
    found = parse(text)
    assert (found.profile, found.level) == (profile, level)
    assert str(found) == text.lower()


@pytest.mark.parametrize(
    "text", ["", "42e01", "42e01f0", "42e0zz", "42e000", "42e063", "7a001f", "64ff1f", "42e01f\n"]
)
def test_unknown(text: str) -> None:
    assert ProfileLevel.parse(text) is None


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("42e01f", PictureLimits(1280, 720, 30)),
        ("42e020", PictureLimits(1504, 846, 43)),
        ("42e028", PictureLimits(1920, 1080, 30)),
        ("42e029", PictureLimits(1920, 1080, 30)),
        ("42e02a", PictureLimits(1984, 1116, 60)),
        ("42e016", PictureLimits(848, 476, 12)),
        ("42e00a", PictureLimits(192, 108, 17)),
    ],
)
def test_level_as_a_picture(text: str, limits: PictureLimits) -> None:
    assert picture_limits(parse(text), {}) == limits


def test_parameters_raise_the_level_and_never_lower_it() -> None:
    level = parse("42e01f")
    raised = picture_limits(level, {"max-fs": "8192", "max-mbps": "245760"})
    assert raised == PictureLimits(1920, 1080, 30)
    assert picture_limits(level, {"max-fs": "99", "max-mbps": "1"}) == picture_limits(level, {})
    assert picture_limits(level, {"max-fs": "x", "max-mbps": "-1"}) == picture_limits(level, {})


def test_every_picture_keeps_within_its_budget() -> None:
    for macroblocks in range(1, 4000, 7):
        limits = largest_picture(macroblocks, 0)
        used = -(-limits.width // 16) * -(-limits.height // 16)
        assert used <= macroblocks
        assert limits.height % 2 == 0
        assert limits.width % 16 == 0


def test_nothing_fits() -> None:
    assert largest_picture(0, 100) == PictureLimits(0, 0, 0)


def test_absurd_claims_are_bounded() -> None:
    limits = picture_limits(parse("42e01f"), {"max-fs": "9999999999", "max-mbps": "9999999999"})
    assert limits.width < 10_000
    assert limits.fps <= 60


def test_at_most() -> None:
    assert str(parse("42e034").at_most(40)) == "42e028"
    assert str(parse("42e01f").at_most(40)) == "42e01f"
    assert str(parse("42f00b").at_most(40)) == "42f00b"
    assert parse("42e00b").at_most(LEVEL_1B).level == LEVEL_1B
    assert parse("42f00b").at_most(10).level == 10


@pytest.mark.parametrize(
    ("text", "value"), [(None, 0), ("", 0), ("x", 0), ("5", 5), ("50", 9), ("²", 0), ("1" * 11, 0)]
)
def test_positive(text: str | None, value: int) -> None:
    assert positive(text, 9) == value


def test_what_a_decoder_takes_above_a_level() -> None:
    level = ProfileLevel.parse("42801f")
    assert level is not None
    assert above(level, 40) == {"max-mbps": "245760", "max-fs": "8192", "max-br": "20000"}
    assert above(level, 31) == {}
    assert above(level, 12) == {}
