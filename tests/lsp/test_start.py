"""How the server starts, and what it says where it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2]
HEAVY = {"pygls", "lsprotocol", "attrs", "attr", "cattrs", "asyncio", "networkx", "libcst", "rich", "logging"}
#: `dockopt lsp` up to its answer to `initialize`
PROGRAM = """
import io, json, sys
from dockopt.optimizer import cli
from dockopt.optimizer.lsp import main
hello = json.dumps({"id": 1, "method": "initialize", "params": {"capabilities": {}}}).encode()
out = io.BytesIO()
main._greet(iter([hello]), main.Writer(out))
assert b"capabilities" in out.getvalue()
print(json.dumps(sorted(sys.modules)))
"""


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCE / ".src"), **environment},
        capture_output=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def test_the_first_answer_waits_for_nothing_heavy() -> None:
    done = python("-c", PROGRAM)
    assert done.returncode == 0, done.stderr.decode()
    modules = set(json.loads(done.stdout))
    assert not modules & HEAVY
    assert not any(name.startswith(("dockopt.rewrites", "dockopt.optimizer.syntax")) for name in modules)


def test_a_missing_package_is_said_in_one_line(tmp_path: Path) -> None:
    hide = "import sys; sys.modules['pygls'] = None; sys.path_importer_cache.clear()\n"
    program = (
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'pygls' else find(name, *more)\n"
        "from dockopt.optimizer.cli import main; import sys; sys.argv[1:] = ['lsp']; main()\n"
    )
    done = python("-c", hide + program)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.decode() == (
        "dockopt: `dockopt lsp` needs packages that are not installed: `pip install 'dockopt[lsp]'` (`pygls` is missing)\n"
    )


def test_the_flag_that_some_clients_add_is_understood() -> None:
    done = python("-m", "dockopt", "lsp", "--stdio")
    assert done.returncode == 1, "standard input is at its end before the client has said hello"
    assert done.stdout == b""
