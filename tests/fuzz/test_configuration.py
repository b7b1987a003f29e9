"""Whatever stands in a configuration, it is taken or refused with a reason, never a crash.

Invariant: ``load`` and ``load_site`` return a value or raise their own error with at least one
problem that has a reason. Allowed errors: ``SettingsError``, ``SiteError``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from config.problems import Problem
from config.settings import Settings, SettingsError, known_keys, load
from config.sites import PRESETS, SiteError, load_site

Read = TypeVar("Read")

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["::", "8080", "1-2", "5004", "khanh-hoa", "https://x", "nan", "[", "a: b"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
SECTIONS = sorted({key.partition(".")[0] for key in known_keys()})
LAST = sorted({key.rpartition(".")[2] for key in known_keys()})


def outcome(work: Callable[[], Read]) -> Read | None:
    """What was read; None when it was refused as it should be."""
    problems: tuple[Problem, ...] = ()
    try:
        return work()
    except (SettingsError, SiteError) as error:
        problems = error.problems
    assert problems
    assert all(problem.reason for problem in problems)
    return None


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "file.yaml"


@given(
    st.dictionaries(
        st.sampled_from(SECTIONS) | st.text(max_size=4),
        VALUES | st.dictionaries(st.sampled_from(LAST), VALUES, max_size=3),
        max_size=4,
    ),
    st.dictionaries(
        st.sampled_from([f"MCU_{key.replace('.', '__').upper()}" for key in known_keys()])
        | st.text(alphabet="MCU_ABH", max_size=9).map("MCU_".__add__),
        st.text(max_size=8) | st.sampled_from(["1", "true", "[1", "::", "", "1,2", "1-2"]),
        max_size=3,
    ),
)
def test_settings(place: Path, values: dict[str, Any], environ: dict[str, str]) -> None:
    place.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    settings = outcome(lambda: load(place, environ))
    assert settings is None or isinstance(settings, Settings)


@given(st.data())
def test_sites(place: Path, data: st.DataObject) -> None:
    """A preset with a few values replaced or taken out."""
    site = yaml.safe_load((PRESETS / "vung-tau.yaml").read_text(encoding="utf-8"))
    for _ in range(data.draw(st.integers(1, 3))):
        holder: Any = site
        while True:
            steps = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not steps:
                break
            step = data.draw(st.sampled_from(steps))
            if isinstance(holder[step], dict | list) and data.draw(st.booleans()):
                holder = holder[step]
                continue
            if data.draw(st.booleans()):
                holder[step] = data.draw(VALUES)
            else:
                del holder[step]
            break
    place.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    loaded = outcome(lambda: load_site(str(place)))
    if loaded is not None:
        units = {unit.id for unit in loaded.units}
        assert all(bridge.unit in units for bridge in loaded.bridges)
