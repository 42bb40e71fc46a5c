"""What the model of pip claims unread is changed while the real pip installs: it must make no difference.

pip comes from the interpreter that runs the tests. Packages come from a directory of wheels, so no network is asked.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.ecosystems.python.fakes import Image, step

LINE = "pip install --no-cache-dir --no-index --find-links /wheels -r requirements.txt"
FILES = {
    "requirements.txt": "-r lists/more.txt\n-c limits.txt\ndepot-core\n",
    "lists/more.txt": "depot-web\n",
    "limits.txt": "depot-core<2\n",
    "app.py": "print('app')\n",
    "setup.cfg": "[metadata]\nname = depot\n",
}

#: changes of files that are claimed unread
UNREAD: Mapping[str, Callable[[Path], object]] = {
    "sources": lambda root: (root / "app.py").write_text("raise SystemExit(1)\n"),
    "a project file": lambda root: (root / "pyproject.toml").write_text("not toml ["),
    "a setup script": lambda root: (root / "setup.py").write_text("raise SystemExit(1)\n"),
    "settings of a project": lambda root: (root / "pip.conf").write_text("[global]\nconstraint = nowhere.txt\n"),
    "settings that are hidden": lambda root: (root / ".pip").write_text("x"),
    "a module of the library": lambda root: (root / "json.py").write_text("raise SystemExit(1)\n"),
    "a package of the same name": lambda root: (root / "depot-core").mkdir(),
    "another list": lambda root: (root / "lists" / "dev.txt").write_text("nowhere\n"),
    "an installed package": lambda root: _metadata(root / "depot_core-1.9.dist-info"),
    "variables of a project": lambda root: (root / ".env").write_text("PIP_NO_INDEX=0\n"),
    "no sources": lambda root: (root / "app.py").unlink(),
}
#: changes of files that are claimed read
READ: Mapping[str, Callable[[Path], object]] = {
    "requirements.txt": lambda root: (root / "requirements.txt").write_text("depot-web\n"),
    "lists/more.txt": lambda root: (root / "lists" / "more.txt").write_text(""),
    "limits.txt": lambda root: (root / "limits.txt").write_text(""),
}


def _metadata(folder: Path) -> None:
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: depot-core\nVersion: 1.9\n")


def _wheel(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        pytest.skip("the interpreter has no pip")
    folder = tmp_path_factory.mktemp("wheels")
    for name, version in (("depot_core", "1.0"), ("depot_core", "1.5"), ("depot_core", "2.0"), ("depot_web", "1.0")):
        _wheel(folder, name, version)
    return folder


def project(folder: Path) -> Path:
    root = folder / "app"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def contents(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def installed(root: Path, wheels: Path, **variables: str) -> dict[str, str]:
    """Install into a directory beside the project, and return what came to lie there; compiled files hold times."""
    target = root.parent / "target"
    # `pip` as a program has its own directory in front, not the working directory: `-P` does the same for `-m`
    started = "import sys; sys.path[:1] = []; from pip._internal.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", started, *LINE.split()[1:], "--no-compile", "--target", str(target)]
    command[command.index("/wheels")] = str(wheels)
    environment = {"PATH": os.environ["PATH"], "HOME": str(root.parent / "home"), **variables}
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, timeout=120)
    return {
        path: digest
        for path, digest in contents(target).items()
        if "direct_url" not in path and not path.endswith("RECORD")
    }


@pytest.fixture(scope="module")
def plain(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return installed(project(tmp_path_factory.mktemp("plain")), wheels)


def test_the_model_names_the_lists() -> None:
    image = Image({f"/app/{name}": text for name, text in FILES.items()})
    found = step(LINE, image)
    assert {path.removeprefix("/app/") for path in found.files} == set(READ)
    assert (found.outputs, found.writes) == ((), ())


@pytest.mark.parametrize("change", UNREAD)
def test_what_is_claimed_unread_makes_no_difference(
    change: str, wheels: Path, plain: dict[str, str], tmp_path: Path
) -> None:
    root = project(tmp_path)
    UNREAD[change](root)
    before = contents(root)
    assert installed(root, wheels) == plain
    assert contents(root) == before, "pip wrote into the project"


def test_variables_that_are_claimed_unread_make_no_difference(
    wheels: Path, plain: dict[str, str], tmp_path: Path
) -> None:
    names = ("APP_ENV", "VERSION", "FLASK_APP", "DJANGO_SETTINGS_MODULE", "REQUIREMENTS", "CONSTRAINT")
    assert installed(project(tmp_path), wheels, **dict.fromkeys(names, "nowhere")) == plain


@pytest.mark.parametrize("name", READ)
def test_what_is_claimed_read_can_make_a_difference(
    name: str, wheels: Path, plain: dict[str, str], tmp_path: Path
) -> None:
    root = project(tmp_path)
    READ[name](root)
    assert installed(root, wheels) != plain
