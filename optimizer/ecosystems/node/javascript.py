"""JavaScript files that a script starts: which modules of the project they load, if they can reach no other file.

This is no parser. It errs to one side: a file in which a word stands that could lead to the file system, to another program or to
code made at run time is not understood, even where the word stands in a comment.
"""

from __future__ import annotations

import posixpath
import re

from dockopt.optimizer.ecosystems.view import Obstacle, View
from dockopt.optimizer.regions import join, parents

#: modules of Node that give no access to files, processes or the network (nodejs.org/api); `os` tells of the machine only
_HARMLESS_MODULES = frozenset(
    {"assert", "events", "os", "path", "querystring", "string_decoder", "timers", "url", "util"}
)
#: words by which a program reaches files, other programs, the network or code that is not written down
_REACHING = re.compile(
    r"\b(eval|Function|constructor|binding|dlopen|mainModule|createRequire|importScripts|WebAssembly|Worker|fetch|"
    r"XMLHttpRequest|WebSocket|Bun|Deno|globalThis|getBuiltinModule|_load|_linkedBinding|chdir|loadEnvFile|__proto__)\b|\\u|\\x"
)
_LOAD = re.compile(r"\b(require|import|from)\b")
_LOAD_LITERAL = re.compile(
    r"\brequire\s*\(\s*(?P<a>'[^'\\\n]+'|\"[^\"\\\n]+\")\s*\)|\bimport\s+(?:[\w*{}\s,$]+\s+from\s+)?(?P<b>'[^'\\\n]+'|\"[^\"\\\n]+\")"
)
_EXTENSIONS = ("", ".js", ".json", ".cjs", ".mjs", "/index.js", "/package.json")


def load(view: View, path: str, seen: set[str]) -> None:
    """Note a module and all that it loads as files that are read. Raises `Obstacle`."""
    if path in seen:
        return
    seen.add(path)
    view.need(path)
    if path.endswith(".json"):
        return
    _note_kind(view, path)
    text = view.text(path)
    reaching = _REACHING.search(text)
    if reaching is not None:
        raise _obstacle(view, path, reaching.start(), f"uses `{reaching.group()}`")
    literal = list(_LOAD_LITERAL.finditer(text))
    covered = [(found.start(), found.end()) for found in literal]
    for word in _LOAD.finditer(text):
        if not any(start <= word.start() < end for start, end in covered):
            raise _obstacle(view, path, word.start(), f"uses `{word.group()}` in a way that is not followed")
    for found in literal:
        name = (found["a"] or found["b"])[1:-1].removeprefix("node:")
        if name.startswith("."):
            load(view, _resolved(view, join(posixpath.dirname(path), name), path), seen)
        elif name not in _HARMLESS_MODULES:
            raise _obstacle(view, path, found.start(), f"loads `{name}`")


def _note_kind(view: View, path: str) -> None:
    """Note the nearest package.json, whose `type` says what kind of module a file is (nodejs.org/api/packages)."""
    for directory in reversed(parents(path)):
        if view.has(join(directory, "package.json")):
            return


def _resolved(view: View, base: str, path: str) -> str:
    for extension in _EXTENSIONS:
        if view.kind(base + extension) == "file":
            return base + extension
        view.absent += [base + extension] if view.kind(base + extension) == "absent" else []
    raise Obstacle(f"`{base}`, which `{path}` loads, is not there", path)


def _obstacle(view: View, path: str, offset: int, what: str) -> Obstacle:
    line = view.text(path).count("\n", 0, offset) + 1
    return Obstacle(f"`{path}` is run during the installation and {what}, so what it reads is not known", path, line)
