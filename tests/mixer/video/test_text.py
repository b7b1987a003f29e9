import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.video import text

VIETNAMESE = (
    "ĂÂĐÊÔƠƯăâđêôơưÁÀẢÃẠẤẦẨẪẬẮẰẲẴẶÉÈẺẼẸẾỀỂỄỆÍÌỈĨỊÓÒỎÕỌỐỒỔỖỘỚỜỞỠỢÚ"
    "ÙỦŨỤỨỪỬỮỰÝỲỶỸỴấầẩẫậắằẳẵặếềểễệốồổỗộớờởỡợứừửữự"
)


@pytest.mark.parametrize("weight", ["Medium", "SemiBold"])
def test_the_font_has_a_glyph_for_every_vietnamese_letter(weight: text.Weight) -> None:
    font = text.font(weight, 40)
    missing = bytes(font.getmask("\ufffe"))
    for letter in VIETNAMESE:
        assert bytes(font.getmask(letter)) != missing, letter


def test_both_normal_forms_look_the_same() -> None:
    name = "Xã Diên Khánh, huyện Vạn Ninh"
    assert text.clean(unicodedata.normalize("NFD", name)) == text.clean(name) == name


def test_control_and_direction_characters_are_taken_out() -> None:
    assert text.clean("  a\u202e\tb\x00\n c ") == "a b c"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Xã Diên Khánh", "DK"), ("Nha Trang", "NT"), ("Huế", "H"), ("", ""), ("đảo", "Đ")],
)
def test_initials_are_of_the_place(name: str, letters: str) -> None:
    assert text.initials(name) == letters


def test_a_long_name_is_shortened_with_an_ellipsis() -> None:
    name = "Ủy ban nhân dân thị trấn Khánh Vĩnh"
    short = text.shorten(name, "Medium", 14, 120)
    assert short.endswith("…")
    assert name.startswith(short[:-1].rstrip())
    assert text.width_px(short, "Medium", 14) <= 120
    assert text.shorten(name, "Medium", 14, 1000) == name
    assert text.shorten(name, "Medium", 14, 3) == ""


@given(st.text(max_size=200), st.integers(10, 60), st.integers(1, 800))
def test_whatever_is_shortened_fits(name: str, size_px: int, room_px: int) -> None:
    short = text.shorten(text.clean(name), "SemiBold", size_px, room_px)
    assert not short or text.width_px(short, "SemiBold", size_px) <= room_px


def test_wrapped_lines_hold_every_word_or_end_in_an_ellipsis() -> None:
    message = "Đề nghị các điểm cầu kiểm tra micro trước khi phát biểu"
    lines = text.wrap(message, "Medium", 20, 220, 9)
    assert " ".join(lines) == message
    assert all(text.width_px(line, "Medium", 20) <= 220 for line in lines)
    assert text.wrap(message, "Medium", 20, 220, 2)[-1].endswith("…")
