"""Random edits of a Dockerfile and of the files in its context."""

from __future__ import annotations

import random
from pathlib import Path


def edited(text: bytes, rng: random.Random) -> bytes:
    """Return a text with one edit: lines come, go, move, or change, above, inside and below of what is there."""
    lines = text.splitlines(keepends=True)
    at, other = rng.randrange(len(lines) + 1), rng.randrange(len(lines) + 1)
    kind = rng.randrange(8)
    if kind == 0:
        lines.insert(at, b"\n")
    elif kind == 1:
        lines.insert(at, b"# a comment\n")
    elif kind == 2:
        lines.insert(
            at, rng.choice([b"ENV A=1\n", b"ARG B\n", b"RUN make\n", b"COPY . .\n", b"WORKDIR /x\n", b"FROM x\n"])
        )
    elif kind == 3 and len(lines) > 1:
        lines.insert(other - 1 if other else 0, lines.pop(at - 1 if at else 0))
    elif kind == 4 and len(lines) > 1:
        del lines[at - 1 if at else 0]
    elif kind == 5:
        lines.insert(other, lines[at - 1 if at else 0])
    elif kind == 6:
        return (
            text.replace(b" && ", b" \\\n    && ", 1) if b" && " in text else text.replace(b"\nRUN ", b"\nRUN \\\n ", 1)
        )
    else:
        return text.replace(b"/app", b"/a", 1) if b"/app" in text else text.replace(b"COPY", b"ADD", 1)
    return b"".join(lines)


def changed(context: Path, rng: random.Random) -> None:
    """Change one file of a context, or add or remove one."""
    files = sorted(path for path in context.rglob("*") if path.is_file() and path.name != "Dockerfile")
    kind = rng.randrange(4)
    if kind == 0 and files:
        rng.choice(files).unlink()
    elif kind == 1 and files:
        path = rng.choice(files)
        data = path.read_bytes()
        path.write_bytes(rng.choice([b"", data[: len(data) // 2], data + b"x\n", data + b"# more\n"]))
    elif kind == 2:
        name = rng.choice(
            ["vendor", ".npmrc", "go.work", "node_modules", "new.txt", "pip.conf", ".dockerignore", ".git"]
        )
        (context / name).write_text("dist\n") if not (context / name).exists() else None
    else:
        name = rng.choice(["lib", "src/new", "vendor"])
        if not (context / name).is_file():
            (context / name).mkdir(parents=True, exist_ok=True)
