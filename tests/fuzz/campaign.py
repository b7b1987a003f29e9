"""Look for inputs that break a parser, led by the code they reach (atheris): ``make fuzz``.

Each target of ``tests.fuzz.targets`` gets its share of the time in a process of its own, and begins
from the vectors of the tests. What breaks one is kept in ``--found`` and shown with its traceback;
``--input`` runs it once more. What was learnt is kept in ``--corpus`` where one is given, and the
next campaign goes on from there.

    python -m tests.fuzz.campaign --seconds 600 --targets sip sdp
    python -m tests.fuzz.campaign --targets sip --input found/sip-crash-0123

Exit status: 0 nothing was found, 1 something was, 2 atheris is not installed.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.peers.child import ends_with_us

NAMES = ("sip", "sdp", "rtp", "rtcp", "bfcp")
"""Those of ``tests.fuzz.targets``, which is to be imported only where it is instrumented."""
PACKAGES = ("signalling", "sipmessage", "mcu")
"""Whose code is looked at."""
ONE_INPUT_S = 10
MEMORY_MB = 1_024
MAX_BYTES = 8_192


def fuzz(name: str, seconds: int, found: Path, corpus: Path) -> None:
    """Fuzz one target in this process, which ends with it.

    Args:
        corpus: inputs to begin from; new ones are added.
    """
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

    with atheris.instrument_imports(include=list(PACKAGES)):
        from tests.fuzz.targets import TARGETS

    for number, seed in enumerate(TARGETS[name].seeds()):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    arguments = [
        f"-max_total_time={seconds}", f"-artifact_prefix={found}/{name}-", f"-max_len={MAX_BYTES}",
        f"-timeout={ONE_INPUT_S}", f"-rss_limit_mb={MEMORY_MB}", "-print_final_stats=1",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], TARGETS[name].run)
    atheris.Fuzz()


def campaign(names: Sequence[str], seconds: int, found: Path, corpus: Path) -> list[str]:
    """Fuzz targets one after the other; gives those where something was found.

    Args:
        seconds: for all of them together.
    """
    found.mkdir(parents=True, exist_ok=True)
    broken = []
    for name in names:
        share = max(1, seconds // len(names))
        own = corpus / name
        own.mkdir(parents=True, exist_ok=True)
        print(f"{name}: {share} s", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.campaign", "--one", "--targets", name,
             "--seconds", str(share), "--found", str(found), "--corpus", str(corpus)],
            preexec_fn=ends_with_us(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", check=False,
        )  # fmt: skip
        if done.returncode:
            broken.append(name)
            print(done.stdout[-8_000:], file=sys.stderr)
        else:
            said = [line for line in done.stdout.splitlines() if line.startswith("stat::number")]
            print("\n".join(said), file=sys.stderr)
    return broken


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--targets", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--found", type=Path, default=Path("found"), help="what broke a parser")
    parser.add_argument("--corpus", type=Path, help="kept from one campaign to the next")
    parser.add_argument("--input", type=Path, help="run this once on the first target")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.input is not None:
        from tests.fuzz.targets import TARGETS

        TARGETS[options.targets[0]].run(options.input.read_bytes())
        return
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: pip install -r requirements-fuzz.txt", file=sys.stderr)
        sys.exit(2)
    if options.one:
        (name,) = options.targets
        fuzz(name, options.seconds, options.found, options.corpus / name)
        return
    with tempfile.TemporaryDirectory() as folder:
        corpus = options.corpus or Path(folder)
        broken = campaign(options.targets, options.seconds, options.found, corpus)
    if broken:
        print(f"found something in {', '.join(broken)}: see {options.found}/", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
