"""The command line. Exit codes: 0 done, 1 failed, 2 unusable arguments or configuration.

Everything heavy is imported inside the command that needs it, so that ``mcu --help`` and
``mcu token`` answer at once.
"""

import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter, validators

from config.problems import ConfigurationError, Problem
from config.sections import OriginUrl
from config.settings import Settings, load

DONE, FAILED, UNUSABLE = 0, 1, 2

# Before numpy is imported: 20 ms of sound are no matrix that several threads should share, and
# OpenBLAS' threads spin while they wait for the next one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

MAX_DAYS = 36_500
"""A token that is to last for longer than a century needs no end."""

Role = Literal["admin", "operator", "technician", "observer", "bridge"]

ConfigFile = Annotated[
    Path | None, Parameter(env_var="MCU_CONFIG", help="YAML file with the settings.")
]
SiteName = Annotated[
    str | None, Parameter(help="Installation to begin with: a preset's name or a YAML file.")
]
Positive = Annotated[int, Parameter(validator=validators.Number(gte=1))]

app = App(
    name="mcu",
    help="MCU for government meetings: rooms join over WebRTC, operators steer over REST.",
    version=lambda: version("government-meeting-mcu"),
    help_format="plaintext",
    result_action="return_value",
)
token_app = App(name="token", help="Make, list and revoke access tokens.")
app.command(token_app)
sip_app = App(name="sip", help="Keys of the secrets with which rooms are called by SIP.")
app.command(sip_app)


@app.command
def serve(
    *,
    config: ConfigFile = None,
    site: SiteName = None,
    add_site: Annotated[
        bool,
        Parameter(negative="", help="Take the site in beside one that the registry holds."),
    ] = False,
) -> int:
    """Run the daemon in the foreground; SIGTERM stops it, SIGHUP reads the settings again."""
    from mcu.check import refuse_busy_ports, refuse_unavailable

    settings = _settings(config, site)
    refuse_unavailable(settings)
    refuse_busy_ports(settings)

    import uvloop

    from mcu.serving import serve as run_daemon

    return uvloop.run(run_daemon(settings, lambda: _read_settings(config, site), add_site=add_site))


@app.command
def demo(*, config: ConfigFile = None) -> int:
    """Run the daemon with a small province, a running conference and software rooms."""
    from mcu.check import refuse_busy_ports

    settings = _settings(config, None, quiet=True)
    refuse_busy_ports(settings)

    import uvloop

    from mcu.demo import run

    return uvloop.run(run(settings))


@app.command
def bridge(
    *,
    server: Annotated[
        str | None, Parameter(env_var="MCU_SERVER", help="Address of the daemon; must be given.")
    ] = None,
    token: Annotated[
        str | None,
        Parameter(
            env_var="MCU_TOKEN",
            help="Access token of a bridge or an operator; must be given, best in the "
            "environment, which hides it from others.",
        ),
    ] = None,
    video: Annotated[str, Parameter(help="'test' for a test picture, or a file.")] = "test",
    audio: Annotated[str, Parameter(help="'tone', 'speech', or a file.")] = "tone",
    count: Annotated[Positive, Parameter(help="How many rooms.")] = 1,
    insecure: Annotated[
        bool, Parameter(negative="", help="Accept a self-signed certificate.")
    ] = False,
    until_input_ends: Annotated[
        bool,
        Parameter(
            negative="",
            help="Leave when standard input ends: for programs that start rooms and may die.",
        ),
    ] = False,
) -> int:
    """Run software rooms that join as a browser would, until interrupted."""
    _settings(None, None, quiet=True)
    _check_given({"--server": ("MCU_SERVER", server), "--token": ("MCU_TOKEN", token)})
    server, token = _checked_address(server or ""), token or ""
    _check_source("--video", video, ("test",))
    _check_source("--audio", audio, ("tone", "speech"))

    import uvloop

    from mcu.bridge.main import run

    try:
        return uvloop.run(
            run(
                server,
                token,
                video=video,
                audio=audio,
                count=count,
                verify_tls=not insecure,
                until_input_ends=until_input_ends,
            )
        )
    except KeyboardInterrupt:
        return DONE  # how a room is left


@app.command
def check(*, config: ConfigFile = None, site: SiteName = None) -> int:
    """Say what is wrong with the configuration, or print what would run."""
    from mcu.check import survey

    report = survey(_settings(config, site))
    for line in report.lines():
        print(line)
    for problem in report.problems:
        _complain(str(problem))
    return UNUSABLE if report.problems else DONE


@token_app.command
def create(
    *,
    role: Annotated[Role, Parameter(help="What the token may do.")],
    unit: Annotated[str | None, Parameter(help="Unit it is good for, with all below it.")] = None,
    bridge: Annotated[str | None, Parameter(help="The room, for role bridge.")] = None,
    name: Annotated[str, Parameter(help="Whose it is, for the list.")] = "",
    days: Annotated[
        int | None,
        Parameter(
            validator=validators.Number(gte=1, lte=MAX_DAYS),
            help="Days until it expires; without: never.",
        ),
    ] = None,
    config: ConfigFile = None,
) -> int:
    """Make an access token and print it, this once."""
    import asyncio

    from mcu import token_commands

    path = token_commands.store_path(_settings(config, None), make=True)
    asyncio.run(token_commands.create(path, role, name=name, unit=unit, bridge=bridge, days=days))
    return DONE


@token_app.command(name="list")
def list_tokens(
    *,
    json: Annotated[bool, Parameter(negative="", help="As JSON, for scripts.")] = False,
    config: ConfigFile = None,
) -> int:
    """List the access tokens, without their secrets."""
    import asyncio

    from mcu import token_commands

    path = token_commands.store_path(_settings(config, None))
    asyncio.run(token_commands.show(path, as_json=json))
    return DONE


@token_app.command
def revoke(token: Annotated[str, Parameter(help="Its id.")], *, config: ConfigFile = None) -> int:
    """End an access token and everything opened with it; a running daemon follows within 15 s."""
    import asyncio

    from mcu import token_commands

    path = token_commands.store_path(_settings(config, None))
    asyncio.run(token_commands.revoke(path, token))
    return DONE


@sip_app.command(name="rotate-key")
def rotate_key(*, config: ConfigFile = None) -> int:
    """Encrypt the stored SIP secrets with a new key; the daemon may run meanwhile."""
    import asyncio

    from mcu import token_commands
    from mcu.sip import key_rotation

    asyncio.run(key_rotation.rotate(token_commands.store_path(_settings(config, None))))
    return DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; faults become sentences, never tracebacks."""
    from mcu.store.errors import StoreError, StoreUnavailable

    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _complain(" ".join(str(error).split()))
        print("see: mcu --help", file=sys.stderr)
        return UNUSABLE
    except ConfigurationError as error:
        for problem in error.problems:
            _complain(str(problem))
        return UNUSABLE
    except StoreError as error:
        _complain(f"{error.field}: {error.reason}" if error.field else error.reason)
        return FAILED if isinstance(error, StoreUnavailable) else UNUSABLE
    except KeyboardInterrupt:
        return FAILED
    except OSError as error:
        _complain(_sentence(error))
        return FAILED
    except Exception as error:  # the last line of defence before a traceback
        logging.getLogger("mcu").debug("unexpected error", exc_info=True)
        _complain(f"unexpected error: {type(error).__name__}: {error}")
        print("for the details: MCU_LOGGING__LEVEL=debug", file=sys.stderr)
        return FAILED
    return code if isinstance(code, int) else DONE


def _settings(config: Path | None, site: str | None, *, quiet: bool = False) -> Settings:
    """Read the settings and let the log follow them.

    Args:
        quiet: only warnings are logged where no level is set, as what the command prints itself
            is what matters.
    """
    from mcu import logs

    settings = _read_settings(config, site)
    if quiet and "level" not in settings.logging.model_fields_set:
        logging_settings = settings.logging.model_copy(update={"level": "warning"})
        settings = settings.model_copy(update={"logging": logging_settings})
    logs.configure(settings.logging)
    return settings


def _read_settings(config: Path | None, site: str | None) -> Settings:
    return load(config, os.environ, {"site": site} if site is not None else None)


def _check_given(options: dict[str, tuple[str, str | None]]) -> None:
    """Refuse what is missing, all of it at once; ``options``: option → (variable, value)."""
    problems = [
        Problem(option, f"is missing; give it, or set {variable} in the environment")
        for option, (variable, value) in options.items()
        if not value
    ]
    if problems:
        raise ConfigurationError(problems)


def _checked_address(server: str) -> str:
    """Refuse what cannot be a daemon's address, before waiting for it to appear."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(OriginUrl).validate_python(server)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigurationError([Problem("--server", reason)]) from error


def _check_source(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known and not Path(value).is_file():
        reason = f"{value!r} is neither {' nor '.join(known)} nor a file"
        raise ConfigurationError([Problem(option, reason)])


def _complain(text: str) -> None:
    for line in text.splitlines():
        print(f"mcu: {line}", file=sys.stderr)


def _sentence(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


if __name__ == "__main__":
    sys.exit(main())
