"""Does a health check only look? One that writes a file fails without root, and the container counts as broken."""

from __future__ import annotations

import posixpath
import re

from dockopt.optimizer.entrypoint import Start

#: a shell's text that writes a file by a redirection
SHELL_WRITES = re.compile(r"(?<![0-9&<>=-])>{1,2}(?!&)\s*(?!/dev/(?:null|stdout|stderr))\S")
#: programs that a health check may run as anybody; interpreters and programs of the project are looked at by their sources
_ONLY_LOOK = frozenset("nc ncat pgrep pidof grep cat ls true false sleep grpc_health_probe".split())
_INTERPRETERS = frozenset("node python python3 java".split())


def only_looks(health: Start) -> bool:
    """Tell whether a health check surely writes no file: wget does so unless it is told otherwise (GNU Wget manual, 2.5)."""
    for program in health.programs:
        name, words = posixpath.basename(program.argv[0] or ""), [word or "" for word in program.argv[1:]]
        if name == "curl":
            saves = any(
                re.fullmatch(r"-[A-Za-z]*[cDoOJ].*|--(?:output|remote|dump|cookie-jar|trace|create).*", w)
                for w in words
            )
            if saves and not {"/dev/null", "-"} & set(words):
                return False
        elif name == "wget":
            if "--spider" not in words and not re.search(r"(?:^| )-\w*O ?(?:-|/dev/null)( |$)", " ".join(words)):
                return False
        elif name not in _ONLY_LOOK and not (name in _INTERPRETERS or "/" in (program.argv[0] or "")):
            return False
    return not any(i.json is None and SHELL_WRITES.search(i.args) for i in health.instructions)
