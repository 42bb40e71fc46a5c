"""BuildKit's own cache keys without a build (`tests/oracle_keys`), as a long-running process."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.soundness.edits import Project
from tests.soundness.generator import Node
from tests.syntax.oracle_client import find_go

SOURCES = Path(__file__).parents[1] / "oracle_keys"


class Step(NamedTuple):
    """An operation with the line of its instruction; see `step` in `main.go`."""

    line: int
    kind: str
    key: str
    hope: str


def build(directory: Path) -> Path:
    """Compile the oracle into a directory; raises CalledProcessError, for example when modules cannot be downloaded."""
    program = directory / "keys"
    go = find_go()
    assert go is not None
    environment = os.environ | {
        "GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"
    }  # fmt: skip
    subprocess.run(
        [go, "build", "-o", str(program), "."], cwd=SOURCES, env=environment, check=True, capture_output=True
    )
    return program


class KeysOracle:
    """Asks the process; one JSON line out, one back."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def steps(self, project: Project, *, merges: bool = False) -> list[Step] | str:
        """Return the steps of a build, or why it fails before anything runs."""
        request = {
            "source": _b64(project.text().encode()), "nodes": [_node(path, node) for path, node in project.nodes.items()],
            "buildArgs": project.build_args, "target": project.target or "", "platform": "linux/amd64", "merge": merges,
        }  # fmt: skip
        answer = self._ask(request)
        if answer["error"]:
            return str(answer["error"])
        return [Step(step["line"], step["kind"], step["key"], step["hope"]) for step in answer["steps"]]

    def checks(self, dockerfile: bytes) -> Counter[str] | str:
        """Return how often each of BuildKit's checks (`docker build --check`) complains, or why the file cannot be built."""
        answer = self._ask({"source": _b64(dockerfile), "platform": "linux/amd64", "lint": True})
        return str(answer["error"]) if answer["error"] else Counter(answer["warnings"])

    def image(self, dockerfile: bytes, target: str = "") -> dict[str, Any] | str:
        """Return the configuration of the image (OCI image specification), or why the file cannot be built."""
        request = {"source": _b64(dockerfile), "platform": "linux/amd64", "target": target, "image": True}
        answer = self._ask(request)
        found: dict[str, Any] = answer["image"]
        return str(answer["error"]) if answer["error"] else found

    def _ask(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer: Mapping[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _node(path: str, node: Node) -> dict[str, object]:
    directory = node.data is None and node.target is None
    return {
        "path": path,
        "data": _b64(node.data or b""),
        "target": node.target or "",
        "dir": directory,
        "mode": node.mode,
    }
