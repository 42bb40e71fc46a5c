"""How long an editor waits for the language server, and how much memory the server needs after thousands of edits."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measuring import arguments, circumstances, dockopt_command, publish, table

LINES, FILES, EDITS = 300, 20_000, 10_000
#: of the edits, every so many is waited for; the others are overtaken, as they are when somebody types
_WAIT_FOR_EVERY = 100
_CAPABILITIES = {
    "textDocument": {
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}},
        "hover": {"contentFormat": ["markdown"]},
    }
}


def generate(root: Path) -> Path:
    """Make a repository of 20,000 files with a Dockerfile of 300 lines in which three changes can be made, and return that."""
    (root / ".git").mkdir(parents=True)
    for package in range(FILES // 100):
        directory = root / "services" / f"pkg{package:03}"
        directory.mkdir(parents=True)
        for file in range(100):
            (directory / f"file{file:03}.go").write_text(f"package pkg{package}\n")
    (root / "go.mod").write_text("module example.com/big\n\ngo 1.22\n\nrequire github.com/google/uuid v1.6.0\n")
    (root / "go.sum").write_text("github.com/google/uuid v1.6.0 h1:NIvaJDMOsjHA8n1jAhLSgzrAzy1Hgr+hNrb57e+94F0=\n")
    (root / ".dockerignore").write_text(".git\nweb/node_modules\n")
    (root / "web").mkdir()
    package_json = {"name": "web", "version": "1.0.0"}
    (root / "web" / "package.json").write_text(json.dumps(package_json))
    lock = {**package_json, "lockfileVersion": 3, "requires": True, "packages": {"": package_json}}
    (root / "web" / "package-lock.json").write_text(json.dumps(lock))
    lines = ["# syntax=docker/dockerfile:1", "", "FROM golang:1.22 AS tools", "WORKDIR /src", *_packages(60), ""]
    lines += ["COPY . .", "RUN go mod download", ""]
    for number in range(20):
        lines += [f"# program {number}", f"RUN go build -o /out/app{number} ./services/pkg{number:03}", ""]
    lines += ["FROM node:20 AS web", "WORKDIR /web", "COPY web/ ./", "RUN npm ci && \\", "    npm run build", ""]
    lines += [f'ENV SETTING{number}="value {number}"' for number in range(30)]
    lines += ["", "FROM debian:bookworm-slim", *_packages(50), "RUN groupadd --gid 1000 app && useradd --gid app app"]
    lines += [f'LABEL org.example.label{number}="{number}"' for number in range(20)]
    lines += [f"COPY --from=tools /out/app{number} /usr/local/bin/app{number}" for number in range(20)]
    lines += ["COPY --from=web /web/dist /srv/www", "EXPOSE 8080", "USER app"]
    lines += ["# the end"] * (LINES - len(lines) - 1)
    dockerfile = root / "Dockerfile"
    dockerfile.write_text("\n".join([*lines, 'CMD ["app0"]']) + "\n")
    return dockerfile


def _packages(count: int) -> list[str]:
    names = [f"        package{number} \\" for number in range(count)]
    head = ["RUN apt-get update && \\", "    apt-get install -y --no-install-recommends \\"]
    return [*head, *names, "        ca-certificates && \\", "    rm -rf /var/lib/apt/lists/*"]


class Session:
    """One server, and the text that it is told."""

    def __init__(self, dockerfile: Path) -> None:
        self.uri, self.version = dockerfile.as_uri(), 0
        start = time.perf_counter()
        command = [*dockopt_command(), "lsp"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        root = dockerfile.parent.as_uri()
        self._send({"id": 0, "method": "initialize", "params": {"capabilities": _CAPABILITIES, "rootUri": root}})
        self._until(lambda message: message.get("id") == 0)
        self.greeted = time.perf_counter() - start
        self._send({"method": "initialized", "params": {}})

    def show(self, text: str, *, wait: bool = True) -> float:
        """Tell the server a text, wait for its diagnostics if that is wanted, and return the seconds."""
        self.version += 1
        start = time.perf_counter()
        document: dict[str, Any] = {"uri": self.uri, "version": self.version}
        if self.version == 1:
            document |= {"languageId": "dockerfile", "text": text}
            self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        else:
            params = {"textDocument": document, "contentChanges": [{"text": text}]}
            self._send({"method": "textDocument/didChange", "params": params})
        if wait:
            self._until(lambda message: message.get("params", {}).get("version") == self.version)
        return time.perf_counter() - start

    def ask(self, method: str, **params: Any) -> float:
        """Ask about the text, and return the seconds until the answer."""
        start = time.perf_counter()
        request = {"id": method, "method": method, "params": {"textDocument": {"uri": self.uri}, **params}}
        self._send(request)
        self._until(lambda message: message.get("id") == method and "method" not in message)
        return time.perf_counter() - start

    def memory(self) -> float:
        """Return the memory of the server now, in MB (Linux, `VmRSS`)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def close(self) -> None:
        """End the session."""
        self._send({"id": 1, "method": "shutdown"})
        self._until(lambda message: message.get("id") == 1)
        self._send({"method": "exit"})
        self.process.wait()

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _until(self, wanted: Callable[[dict[str, Any]], bool]) -> None:
        stream = self.process.stdout
        assert stream is not None
        while True:
            length = 0
            while header := stream.readline().strip():
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            if wanted(json.loads(stream.read(length))):
                return


def measure(rounds: int) -> str:
    """Return the table."""
    with tempfile.TemporaryDirectory() as folder:
        dockerfile = generate(Path(folder) / "project")
        text = dockerfile.read_text()
        greeted, opened = [], []
        for _ in range(rounds):
            session = Session(dockerfile)
            greeted.append(session.greeted)
            opened.append(session.show(text))
            session.close()
        rows = [("start to the answer to `initialize`", greeted), ("first diagnostics after it", opened)]
        session = Session(dockerfile)
        session.show(text)
        rows += [(f"diagnostics after {what}", times) for what, times in _edits(session, text, rounds)]
        fixed = dockopt_fixed(dockerfile)
        session.show(fixed)
        rows += [(f"the same, nothing left to fix: {what}", times) for what, times in _edits(session, fixed, rounds)]
        line = {"line": text[: text.index("COPY . .")].count("\n"), "character": 0}
        where = {"range": {"start": line, "end": line}, "context": {"diagnostics": []}}
        session.show(text)
        rows.append(("code actions at a finding", [session.ask("textDocument/codeAction", **where)]))
        rows.append(("hover", [session.ask("textDocument/hover", position=line)]))
        before = session.memory()
        _many_edits(session, text)
        after = session.memory()
        session.close()
    shown = [(name, f"{statistics.median(t) * 1000:.0f}", f"{max(t) * 1000:.0f}") for name, t in rows]
    heading = f"{LINES} lines, {FILES:,} files; {rounds} of each. {circumstances()}.\n\n"
    memory = f"\nMemory of the server: {before:.0f} MB before and {after:.0f} MB after {EDITS:,} edits.\n"
    return heading + table(["", "median ms", "most ms"], shown) + memory


def dockopt_fixed(dockerfile: Path) -> str:
    """Return the text that `dockopt fix` makes of a Dockerfile."""
    command = [*dockopt_command(), "fix", "-", "--stdin-filename", dockerfile]
    done = subprocess.run(command, input=dockerfile.read_bytes(), capture_output=True, check=True)
    return done.stdout.decode()


def _edits(session: Session, text: str, rounds: int) -> list[tuple[str, list[float]]]:
    """Return the times after edits of a few kinds."""
    last = text.rindex("CMD")
    typed = [session.show(text.replace('"value 7"', f'"value 7{"x" * n}"')) for n in range(1, rounds + 1)]
    above = [
        session.show(text.replace("WORKDIR /src\n", f"WORKDIR /src\n{chr(10) * n}", 1)) for n in range(1, rounds + 1)
    ]
    below = [session.show(f"{text[:last]}{'# x' * n}\n{text[last:]}") for n in range(1, rounds + 1)]
    return [("a character in ENV", typed), ("a new line near the top", above), ("a comment at the end", below)]


def _many_edits(session: Session, text: str) -> None:
    for number in range(EDITS):
        at = (number * 7919) % len(text)
        session.show(f"{text[:at]}{'x' * (number % 3)}{text[at + number % 2 :]}", wait=not number % _WAIT_FOR_EVERY)
    session.show(text)


def main() -> None:
    """Measure and publish."""
    options = arguments(__doc__, 15).parse_args()
    os.environ.setdefault("PYTHONHASHSEED", "0")
    publish("editing", measure(options.rounds), write=options.write)


if __name__ == "__main__":
    main()
