"""Encryption of the few secrets that must be read again (AES-256-GCM, a key file beside the store).

Whoever copies the database alone (a backup, a stolen disk image of it) learns nothing; whoever
copies ``data_dir`` as a whole does. The key file is made at first use, for its owner's eyes only.
"""

import base64
import json
import os
import secrets
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mcu.sentences import sentence
from mcu.store.errors import StoreUnavailable

KEY_FILE_NAME = "secrets.key"
"""The file's name beside the database: ``{"current": id, "keys": {id: base64 of 32 bytes}}``."""

NONCE_BYTES = 12
MODE = 0o600


class CannotOpen(Exception):  # noqa: N818 - what is the case
    """A secret cannot be read: its key is gone, or it was tampered with."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted secret: nonce and ciphertext, and the id of the key."""

    key_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _Keys:
    current: str
    keys: dict[str, bytes]


class SecretBox:
    """Seals and opens; the key file is read anew each time, as another process may rotate keys."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def seal(self, secret: str, owner: str) -> Sealed:
        """Encrypt; only with the same ``owner`` can it be opened again.

        Raises:
            StoreUnavailable: the key file cannot be made or read.
        """
        keys = self._read() or self._write(_add_key({}))
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(keys.keys[keys.current]).encrypt(nonce, secret.encode(), owner.encode())
        return Sealed(keys.current, nonce + sealed)

    def open(self, sealed: Sealed, owner: str) -> str:
        """Decrypt.

        Raises:
            CannotOpen: see there. StoreUnavailable: the key file cannot be read.
        """
        keys = self._read()
        key = None if keys is None else keys.keys.get(sealed.key_id)
        if key is None:
            raise CannotOpen(f"the key {sealed.key_id} is not in {self._path.name}")
        nonce, data = sealed.data[:NONCE_BYTES], sealed.data[NONCE_BYTES:]
        try:
            return AESGCM(key).decrypt(nonce, data, owner.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise CannotOpen("it was not sealed with this key for this owner") from error

    def derive(self, purpose: str, key_id: str | None = None) -> tuple[str, bytes]:
        """A key for another purpose, and the id of the key it comes from (RFC 5869, one block).

        Args:
            key_id: of that key; None: the current one, which is made where there is none.
        Raises:
            CannotOpen: there is no such key any more. StoreUnavailable: the key file cannot be
                made or read.
        """
        keys = self._read()
        if keys is None and key_id is None:
            keys = self._write(_add_key({}))
        chosen = key_id if key_id is not None or keys is None else keys.current
        key = None if keys is None or chosen is None else keys.keys.get(chosen)
        if key is None or chosen is None:
            raise CannotOpen(f"the key {key_id} is not in {self._path.name}")
        return chosen, HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(key)

    def rotate(self) -> str:
        """Make a new key, with which everything is sealed from now on; gives its id.

        The old ones stay until ``drop`` is told which are still in use.

        Raises:
            StoreUnavailable.
        """
        before = self._read()
        return self._write(_add_key({} if before is None else before.keys)).current

    def drop(self, kept: Collection[str]) -> None:
        """Forget keys but the current one and those in ``kept``.

        Raises:
            StoreUnavailable.
        """
        keys = self._read()
        if keys is not None:
            left = {id_: key for id_, key in keys.keys.items() if id_ in {*kept, keys.current}}
            self._write(_Keys(keys.current, left))

    def key_ids(self) -> tuple[str, ...]:
        """Ids of the keys there are, the current one first.

        Raises:
            StoreUnavailable.
        """
        keys = self._read()
        if keys is None:
            return ()
        return (keys.current, *(id_ for id_ in keys.keys if id_ != keys.current))

    def _read(self) -> _Keys | None:
        try:
            document = json.loads(self._path.read_text(encoding="ascii"))
            keys = {str(id_): base64.b64decode(key) for id_, key in document["keys"].items()}
            if any(len(key) != 32 for key in keys.values()) or document["current"] not in keys:
                raise ValueError("a key is missing or has another length")
            return _Keys(document["current"], keys)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._unusable("it is damaged: put back a backup of it") from error

    def _write(self, keys: _Keys) -> _Keys:
        """Write a file beside it and put it in its place: there is always a whole one."""
        coded = {id_: base64.b64encode(key).decode() for id_, key in keys.keys.items()}
        document = json.dumps({"current": keys.current, "keys": coded}) + "\n"
        try:
            # Made by mkstemp with mode 0600.
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=".secrets-")
            try:
                with os.fdopen(descriptor, "w", encoding="ascii") as file:
                    os.fchmod(file.fileno(), MODE)
                    file.write(document)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self._path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        return keys

    def _unusable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(sentence("store.key", path=self._path, reason=reason))


def _add_key(keys: dict[str, bytes]) -> _Keys:
    id_ = secrets.token_hex(4)
    return _Keys(id_, {**keys, id_: AESGCM.generate_key(256)})
