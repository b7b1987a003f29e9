import pytest

from signalling.sdp import Group, Msid, SdpError, SsrcAttribute, SsrcGroup


@pytest.mark.parametrize("text", ["1 cname:a b:c", "4294967295 msid:- x", "7 flag", "153476489"])
def test_ssrc_round_trip(text: str) -> None:
    assert str(SsrcAttribute.parse(text)) == text


@pytest.mark.parametrize("text", ["", "4294967296", "4294967296 cname:a", "x cname:a", "1 :a"])
def test_ssrc_refused(text: str) -> None:
    with pytest.raises(SdpError):
        SsrcAttribute.parse(text)


@pytest.mark.parametrize("text", ["FID 1 2", "SIM 1 2 3", "FID"])
def test_ssrc_group_round_trip(text: str) -> None:
    assert str(SsrcGroup.parse(text)) == text


@pytest.mark.parametrize("text", ["", "FID x", "FID 1 -2", "FID 4294967296"])
def test_ssrc_group_refused(text: str) -> None:
    with pytest.raises(SdpError):
        SsrcGroup.parse(text)


@pytest.mark.parametrize("text", ["BUNDLE 0 1", "LS audio video", "BUNDLE"])
def test_group_round_trip(text: str) -> None:
    assert str(Group.parse(text)) == text


@pytest.mark.parametrize("text", ["", "BUN[DLE 0", "BUNDLE é"])
def test_group_refused(text: str) -> None:
    with pytest.raises(SdpError):
        Group.parse(text)


@pytest.mark.parametrize("text", ["stream", "stream track", "- track"])
def test_msid_round_trip(text: str) -> None:
    assert str(Msid.parse(text)) == text


@pytest.mark.parametrize("text", ["", "a b c"])
def test_msid_refused(text: str) -> None:
    with pytest.raises(SdpError):
        Msid.parse(text)
