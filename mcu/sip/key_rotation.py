"""``mcu sip rotate-key``: a new key for the secrets that are kept encrypted, beside a daemon."""

import sys
from pathlib import Path

from mcu.store.secret_box import KEY_FILE_NAME
from mcu.store.store import Store


async def rotate(path: Path) -> None:
    """Seal every secret of the store at ``path`` anew; a running daemon goes on undisturbed.

    Raises:
        StoreUnavailable: nothing is lost; repeat it.
    """
    store = await Store.open(path)
    try:
        count = await store.sip_secrets.rotate_key()
    finally:
        await store.close()
    where = path.with_name(KEY_FILE_NAME)
    print(f"{count} secret(s) encrypted with a new key in {where}", file=sys.stderr)
