"""Which characters can disguise a name."""

from mcu.disguise import disguise_in


def test_marks_that_change_the_order_of_a_text_are_named() -> None:
    marks = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
    for mark in marks:
        assert f"U+{mark:04X}" in (disguise_in(f"Xã {chr(mark)}evil") or "")


def test_letters_of_all_kinds_are_not() -> None:
    for text in ("", "Xã Diên Khánh", "Đặc khu Trường Sa", "\u05d0\u0628", "👨\u200d👩", "a\u0323"):
        assert disguise_in(text) is None
