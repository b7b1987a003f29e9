"""What the report's font has, and what stands for the rest."""

import pytest
import typst

from mcu.operations.printable import BLOCKS, MARK, is_printable, printable


def test_the_font_has_all_that_is_called_printable() -> None:
    signs = " ".join(chr(at) for block in BLOCKS for at in block if is_printable(chr(at)))
    source = """#set document(title: "x")
#set text(font: "Libertinus Serif")
#sys.inputs.signs
#strong(sys.inputs.signs)"""

    def compile_with(text: str) -> bytes | list[bytes]:
        return typst.compile(
            source.encode(),
            sys_inputs={"signs": text},
            ignore_system_fonts=True,
            pdf_standards=["a-2b"],
        )

    assert compile_with(signs + MARK)
    with pytest.raises(typst.TypstError):
        compile_with("\u6587")


def test_what_it_has_not_is_marked_wherever_it_stands() -> None:
    given = {"name": "Xã Vạn Ninh \u6587", "rows": [["a\x12b", 7, None, "\U0001f600"], ("x\ny",)]}
    assert printable(given) == {
        "name": f"Xã Vạn Ninh {MARK}",
        "rows": [[f"a{MARK}b", 7, None, MARK], ["x\ny"]],
    }
