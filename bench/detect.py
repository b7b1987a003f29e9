"""How often detectors find what is there, and how often what is not: ``python -m bench.detect``.

Sound and pictures are made (voices are recordings where they are installed), given the fault,
sent through the codecs that rooms use, Opus with loss among them, and shown to the detectors of
``mixer.detect``. The result is a Markdown table; hits and false alarms are counted over a grid.

    python -m bench.detect             the whole grid, some minutes
    python -m bench.detect --short     a part of it, in less than a minute
"""

from collections.abc import Iterator

from bench import detect_sound as sounds
from bench.command import command_line
from bench.detect_echo import echo_rows, probe_rows
from bench.detect_faults import sound_rows
from bench.detect_pictures import LINES
from bench.detect_table import HEAD, Row, figures, line_of
from bench.detect_views import black_rows, still_rows
from bench.figures import Figure


def rows(*, short: bool, recorded: bool) -> Iterator[Row]:
    """The whole table, row by row as it is made."""
    yield from echo_rows(short=short, recorded=recorded)
    yield from probe_rows(short=short, recorded=recorded)
    seeds = range(2 if short else 6)
    yield from sound_rows(seeds, (-20,) if short else (-20, -6, 0), recorded=recorded)
    lines = (LINES[0], LINES[2]) if short else LINES
    yield from black_rows(lines)
    yield from still_rows(lines, 24 if short else 40)


async def measure(*, short: bool) -> list[Figure]:
    """Shares of hits and false alarms."""
    return figures(list(rows(short=short, recorded=True)))


def main() -> None:
    """Print the table."""
    parser = command_line(__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument(
        "--synthetic", action="store_true", help="voices, though recorded are there"
    )
    options = parser.parse_args()
    recorded = not options.synthetic and sounds.is_recorded()
    print(f"Voices: {'recorded' if recorded else 'synthetic'}.\n\n{HEAD}")
    for row in rows(short=options.short, recorded=recorded):
        print(line_of(row), flush=True)


if __name__ == "__main__":
    main()
