"""What is installed is complete, pinned, and stands on its own."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("mcu", "signalling", "mixer", "config")


def files_of(package: str) -> set[str]:
    """Everything below a package but what Python leaves behind."""
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.MULTILINE))


def test_wheel_holds_pages_fonts_and_presets(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (entry_points,) = (name for name in names if name.endswith("entry_points.txt"))
        assert "mcu = mcu.__main__:main" in archive.read(entry_points).decode()
    for package in PACKAGES:
        assert files_of(package) - names == set(), "left out of the wheel"
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == set(PACKAGES)
    for needed in ("config/sites/khanh-hoa.yaml", "mixer/fonts/OFL.txt", "mcu/py.typed"):
        assert needed in names
    assert any(name.startswith("mcu/console/static/") and name.endswith(".html") for name in names)
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in names if "/licenses/" in name}


@pytest.mark.parametrize(
    ("name", "least"),
    [("requirements.txt", 20), ("requirements-test.txt", 20), ("requirements-fuzz.txt", 1)],
)
def test_requirements_are_pinned_with_hashes_and_name_no_place(name: str, least: int) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^--?(index|extra-index|find-links|i |f )", text, re.MULTILINE)
    entries = [
        entry
        for entry in re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
        if entry.strip()
    ]
    assert len(entries) >= least
    for entry in entries:
        assert re.match(r"^[a-z0-9-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_tests_run_with_the_versions_that_are_installed() -> None:
    run, test = pins("requirements.txt"), pins("requirements-test.txt")
    assert run.items() <= test.items()


def test_everything_asked_for_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    run, test = pins("requirements.txt"), pins("requirements-test.txt")

    def name_of(requirement: str) -> str:
        return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-")

    for requirement in (
        *project["project"]["dependencies"],
        *project["dependency-groups"]["build"],
    ):
        assert name_of(requirement) in run, requirement
    for requirement in (*extras["test"], *extras["bench"]):
        assert name_of(requirement) in test, requirement
    for requirement in extras["fuzz"]:
        assert name_of(requirement) in pins("requirements-fuzz.txt"), requirement


def test_texts_refer_only_to_files_that_exist() -> None:
    missing = []
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            inside = (path.parent / target).resolve()
            if not inside.is_relative_to(ROOT) or not inside.exists():
                missing.append(f"{path.relative_to(ROOT)}: {target}")
    assert missing == []
