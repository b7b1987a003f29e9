from mcu.engine.video_process.memory import SETTINGS, environment


def test_what_an_operator_has_set_stays() -> None:
    chosen = environment({"GLIBC_TUNABLES": "glibc.malloc.check=1", "LANG": "vi_VN.UTF-8"})
    assert chosen["GLIBC_TUNABLES"] == "glibc.malloc.check=1"
    assert chosen["LANG"] == "vi_VN.UTF-8"
    assert chosen["MALLOC_TOP_PAD_"] == SETTINGS["MALLOC_TOP_PAD_"]
    assert environment({})["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
