"""``mcu serve``: the daemon from its start to the signal that ends it."""

import asyncio
import signal
from collections.abc import Callable

import structlog

from config.problems import SettingsError
from config.settings import Settings
from mcu import logs
from mcu.daemon import Daemon
from mcu.precedence import go_first

log = structlog.get_logger(__name__)


async def serve(
    settings: Settings,
    reload: Callable[[], Settings] | None = None,
    *,
    add_site: bool = False,
) -> int:
    """Run the daemon until SIGTERM or SIGINT.

    Args:
        reload: reads the settings again on SIGHUP; what can change without a restart (the log
            level) does.
        add_site: take ``site`` in also where the registry holds another one.
    Returns: the exit code.
    Raises:
        SettingsError: a setting cannot be used; names the key.
    """
    go_first()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if reload is not None:
        loop.add_signal_handler(signal.SIGHUP, lambda: _reload(reload))
    async with Daemon(settings, add_site=add_site) as daemon:
        log.info("listening", url=daemon.url, media_port=settings.media.port)
        if daemon.bootstrap_token is not None:
            print(
                f"administrator's token, shown this once: {daemon.bootstrap_token}\n"
                f"console: {daemon.url}/#token={daemon.bootstrap_token}",
                flush=True,
            )
        else:
            print(
                f"console: {daemon.url}/ (sign in with your token, or open "
                f"{daemon.url}/#token=TOKEN)",
                flush=True,
            )
        await stop.wait()
        log.info("stopping")
    return 0


def _reload(read: Callable[[], Settings]) -> None:
    try:
        logs.configure(read().logging)
        log.info("reloaded")
    except SettingsError as error:
        for problem in error.problems:
            log.error("reload_refused", problem=str(problem))
