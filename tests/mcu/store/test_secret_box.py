"""Sealed secrets: only with the key, only for their owner; keys change without loss."""

import base64
import json
import stat

import pytest

from mcu.store.errors import StoreUnavailable
from mcu.store.secret_box import CannotOpen, Sealed, SecretBox


@pytest.fixture
def box(tmp_path):
    return SecretBox(tmp_path / "secrets.key")


def test_opened_again_by_another_process(box, tmp_path):
    sealed = box.seal("mật khẩu", "room")
    assert b"m\xe1\xba\xadt" not in sealed.data
    assert SecretBox(tmp_path / "secrets.key").open(sealed, "room") == "mật khẩu"
    assert box.seal("mật khẩu", "room").data != sealed.data


def test_the_key_file_is_for_its_owner(box, tmp_path):
    box.seal("secret", "room")
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_not_for_another_owner_nor_changed(box):
    sealed = box.seal("secret", "room")
    with pytest.raises(CannotOpen):
        box.open(sealed, "other")
    with pytest.raises(CannotOpen):
        box.open(Sealed(sealed.key_id, sealed.data[:-1] + b"\0"), "room")
    with pytest.raises(CannotOpen):
        box.open(Sealed(sealed.key_id, b""), "room")


def test_without_its_key(box, tmp_path):
    sealed = box.seal("secret", "room")
    (tmp_path / "secrets.key").unlink()
    with pytest.raises(CannotOpen):
        box.open(sealed, "room")


def test_rotated_and_dropped(box):
    old = box.seal("secret", "room")
    assert box.rotate() != old.key_id
    new = box.seal("secret", "room")
    assert new.key_id != old.key_id
    assert box.open(old, "room") == "secret"
    box.drop(())
    assert box.open(new, "room") == "secret"
    with pytest.raises(CannotOpen):
        box.open(old, "room")
    assert box.key_ids() == (new.key_id,)


def test_a_box_without_a_key_has_none(box):
    assert box.key_ids() == ()
    box.drop(())
    assert box.key_ids() == ()


@pytest.mark.parametrize("text", ["", "[]", '{"current": "a", "keys": {}}', "\x00"])
def test_damaged_key_files_are_said(box, tmp_path, text):
    (tmp_path / "secrets.key").write_text(text)
    with pytest.raises(StoreUnavailable, match="damaged"):
        box.seal("secret", "room")


def test_a_key_of_another_length(box, tmp_path):
    document = {"current": "a", "keys": {"a": "YWJj"}}
    (tmp_path / "secrets.key").write_text(json.dumps(document))
    with pytest.raises(StoreUnavailable):
        box.seal("secret", "room")


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(StoreUnavailable):
        SecretBox(tmp_path / "nowhere" / "secrets.key").seal("secret", "room")


def test_keys_for_other_purposes(box, tmp_path):
    id_, key = box.derive("one")
    assert SecretBox(tmp_path / "secrets.key").derive("one") == (id_, key)
    assert box.derive("other")[1] != key
    assert base64.b64encode(key).decode() not in (tmp_path / "secrets.key").read_text()
    box.rotate()
    assert box.derive("one")[1] != key
    assert box.derive("one", id_) == (id_, key)
    box.drop(())
    with pytest.raises(CannotOpen):
        box.derive("one", id_)


def test_an_id_without_a_file_is_no_key(box):
    with pytest.raises(CannotOpen):
        box.derive("one", "0badc0de")
