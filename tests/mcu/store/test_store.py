import gc

from mcu.store.records import Unit
from mcu.store.store import Store


async def test_what_was_written_is_there_the_next_time(path, clock):
    store = await Store.open(path, clock)
    try:
        await store.units.create(Unit("tinh", "Tỉnh", "province"))
        text = await store.tokens.ensure_bootstrap()
    finally:
        await store.close()
    store = await Store.open(path, clock)
    try:
        assert (await store.units.get("tinh")).name == "Tỉnh"
        assert await store.tokens.authenticate(text) is not None
    finally:
        await store.close()


async def test_two_processes_may_open_it_at_once(path, clock):
    daemon, command = await Store.open(path, clock), await Store.open(path, clock)
    try:
        token, text = await command.tokens.create("admin")
        assert await daemon.tokens.authenticate(text) is not None
        await command.tokens.revoke(token.id)
        assert await daemon.tokens.authenticate(text) is None
    finally:
        await command.close()
        await daemon.close()


async def test_nothing_is_left_open(path):
    store = await Store.open(path)
    await store.close()
    del store
    gc.collect()  # an unclosed connection would warn, and warnings are errors
    assert {file.name for file in path.parent.iterdir()} == {"mcu.sqlite3"}
