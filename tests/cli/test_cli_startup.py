"""Start-up time, guarded by what is imported and not by a clock."""

import subprocess
import sys
from pathlib import Path

import pytest

#: rich 30 ms, networkx 90, libcst 160: each more than the whole program may take
HEAVY = {"rich", "networkx", "libcst", "pygls", "yaml", "asyncio", "pydantic", "jsonschema"}
NOT_AT_START = {"logging", "tree_sitter", "tree_sitter_bash", "dockerfile_parse", "importlib.metadata", "json"}
PROGRAM = """
import sys
from dockopt.optimizer.cli import run_command_line
code = run_command_line(sys.argv[1:])
sys.stdout.flush()
print(code, *sys.modules, file=sys.stderr)
"""


def imported(directory: Path, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, check=True, cwd=directory, timeout=60
    )
    code, *modules = done.stderr.decode().splitlines()[-1].split(" ")
    assert code == "0", done.stderr.decode()
    return set(modules)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["suggest", "--help"]], ids=" ".join)
def test_the_command_line_itself_imports_next_to_nothing(tmp_path: Path, arguments: list[str]) -> None:
    modules = imported(tmp_path, *arguments)
    # the versions of other packages are what `importlib.metadata` is for
    asked = {"importlib.metadata", "json", "logging"} if arguments == ["--version"] else set[str]()
    assert not modules & ((HEAVY | NOT_AT_START) - asked)
    assert not any(name.startswith(("dockopt.optimizer.syntax", "dockopt.rewrites")) for name in modules)


def test_one_small_file_needs_no_heavy_library(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "fixtures" / "examples" / "go-service"
    (tmp_path / "Dockerfile").write_bytes((example / "Dockerfile").read_bytes())
    for name in ("go.mod", "go.sum"):
        (tmp_path / name).write_bytes((example / name).read_bytes())
    modules = imported(tmp_path, "suggest", "Dockerfile")
    assert "dockopt.optimizer.engine" in modules
    assert not modules & HEAVY
