"""Wheel and sdist hold the whole program, under the import names that an installation has."""

import email
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import dockopt
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / ".src").is_dir(), reason="needs the source tree")


def modules(folder: str) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*.py")}


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return directory


def test_the_wheel_holds_every_module_and_nothing_else(artefacts: Path) -> None:
    (wheel,) = artefacts.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (entry_points,) = (archive.read(name) for name in archive.namelist() if name.endswith("entry_points.txt"))
    expected = {f"dockopt/{name}" for name in modules("optimizer") | modules("rewrites")}
    page = f"dockopt-{dockopt.__version__}.data/data/share/man/man1/dockopt.1"
    assert names == expected | {"dockopt/__init__.py", "dockopt/__main__.py", "dockopt/py.typed", page}
    assert b"dockopt = dockopt.optimizer.cli:main" in entry_points


def test_the_sdist_holds_what_its_tests_need(artefacts: Path) -> None:
    (sdist,) = artefacts.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert modules("optimizer") | modules("rewrites") | modules("tests") <= names
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "docs/report.schema.json"):
        assert name in names
    assert "fixtures/examples/go-service/Dockerfile" in names


def test_the_metadata_of_the_wheel(artefacts: Path) -> None:
    (wheel,) = artefacts.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    assert (metadata["Name"], metadata["Version"]) == ("dockopt", dockopt.__version__)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "## Install" in str(metadata.get_payload()) or "dockopt suggest" in str(metadata.get_payload())


def test_only_one_name_leads_to_a_module() -> None:
    """`optimizer` and `dockopt.optimizer` as two modules would mean that every class exists twice."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import importlib.util as u; print([u.find_spec(n) for n in ('optimizer', 'rewrites')])",
        ],
        check=True,
        capture_output=True,
        cwd="/",
        timeout=30,
    )
    assert done.stdout == b"[None, None]\n"


def test_a_module_of_the_users_project_is_never_imported(tmp_path: Path) -> None:
    for name in ("optimizer", "rewrites", "dockopt", "typer", "rich", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the project')\n")
    script = Path(sys.executable).with_name("dockopt")
    if not script.exists():
        pytest.skip("the program is not installed here")
    done = subprocess.run([script, "--version"], capture_output=True, cwd=tmp_path, timeout=30, check=True)
    assert done.stdout.startswith(f"dockopt {dockopt.__version__}\n".encode())


def test_the_changelog_knows_the_version() -> None:
    assert f"## [{dockopt.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_lock_file_pins_every_requirement_and_names_no_host() -> None:
    import tomllib

    text = (ROOT / "requirements-dev.lock").read_text("utf-8")
    pinned = {line.partition("==")[0].lower() for line in text.splitlines() if line[:1].isalnum()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    for requirement in wanted:
        name = requirement.split(">")[0].split("<")[0].split("=")[0]
        assert name.lower() in pinned
    assert "://" not in text
    assert all("==" in line for line in text.splitlines() if line[:1].isalnum())
