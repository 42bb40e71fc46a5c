"""Where the TypeScript compiler puts what it compiles: `outDir` of tsconfig.json (typescriptlang.org/tsconfig)."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Sequence
from typing import Any

from dockopt.optimizer.ecosystems.node.starting import Step
from dockopt.optimizer.regions import below, join

#: what may stand beside `tsc` in a build: it removes, or changes and adds files below the output
_BESIDE = frozenset(
    {"rimraf", "rm", "tsc-alias", "resolve-tspaths", "echo", "true", "eslint", "prettier", "tslint", "del-cli"}
)
_COPIES = frozenset({"cp", "copyfiles", "cpx", "cpx2", "cpy", "ncp", "copyup"})
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_DEPTH = 5


def output_of(steps: Sequence[Step], root: str, read: Callable[[str], bytes | None]) -> str | None:
    """Return the directory in the image into which all that a build makes goes, None where that is not certain.

    `root` is the directory of package.json; `read` returns the bytes of a file of the image that surely comes from the context.
    """
    compiled = [step for step in steps if step.name == "tsc" and "--noEmit" not in step.arguments]
    if len(compiled) != 1:
        return None
    output = _output(compiled[0].arguments, root, read)
    if output is None or not below(output, root) or output == root:
        return None
    for step in steps:
        if step.name in _BESIDE or step.name == "tsc":
            continue
        if step.name == "shx" and step.arguments[:1] and step.arguments[0] in _BESIDE:
            continue
        if step.name == ">" and step.arguments == ("/dev/null",):
            continue
        operands = [word for word in step.arguments if not word.startswith("-")]
        made = operands if step.name in ("mkdir", "mkdirp") else operands[-1:] if step.name in _COPIES else []
        if not made or not all(below(join(root, path), output) for path in made):
            return None
    return output


def _output(arguments: Sequence[str], root: str, read: Callable[[str], bytes | None]) -> str | None:
    path = "tsconfig.json"
    out: str | None = None
    words = [*arguments]
    while words:
        word = words.pop(0)
        if word in ("-p", "--project", "--outDir") and words:
            value = words.pop(0)
            if word == "--outDir":
                out = value
            else:
                path = value
        elif word not in ("--pretty", "--skipLibCheck", "--incremental", "--sourceMap", "--declaration"):
            return None
    if out is not None:
        return join(root, out)
    if not path.endswith(".json"):
        path = posixpath.join(path, "tsconfig.json")
    return _configured(join(root, path), read, 0)


def _configured(path: str, read: Callable[[str], bytes | None], depth: int) -> str | None:
    data = read(path)
    if data is None or depth > _DEPTH:
        return None
    found = parse_jsonc(data.decode("utf-8-sig", "replace"))
    options = found.get("compilerOptions", {})
    if not isinstance(options, dict) or options.get("noEmit") or options.get("outFile") or found.get("references"):
        return None
    directory = posixpath.dirname(path)
    places = [options.get("declarationDir"), options.get("tsBuildInfoFile")]
    out = options.get("outDir")
    if out is None and isinstance(found.get("extends"), str):
        parent = found["extends"]
        if not parent.startswith("."):
            return None  # of a package
        return _configured(join(directory, parent if parent.endswith(".json") else f"{parent}.json"), read, depth + 1)
    if not isinstance(out, str) or "$" in out or any(place is not None for place in places[:1]):
        return None
    return join(directory, out)


def parse_jsonc(text: str) -> dict[str, Any]:
    """Return the object in a JSON text with comments and commas at the end, {} where there is none."""
    plain = _TOKEN.sub(lambda found: found[0] if found[0].startswith('"') else " ", text)
    plain = re.sub(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', lambda found: found[1] or "", plain)
    try:
        found: Any = json.loads(plain)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
