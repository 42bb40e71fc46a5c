"""A `docker` command that builds nothing: what its builds come to is up to FAKE_SCENARIO, what it did stands in FAKE_STATE."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
import time
from pathlib import Path

STATE = Path(os.environ["FAKE_STATE"])
SCENARIO = os.environ.get("FAKE_SCENARIO", "same")


def note(*words: str) -> None:
    with (STATE / "log").open("a") as log:
        log.write(json.dumps(words) + "\n")


def fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


def build(arguments: list[str]) -> int:
    options = dict(word[2:].split("=", 1) for word in arguments if word.startswith("--") and "=" in word)
    number = len(list(STATE.glob("built-*"))) + 1
    (STATE / f"built-{number}").write_text(Path(options["file"]).read_text())
    (STATE / f"ignore-{number}").write_text(str(Path(f"{options['file']}.dockerignore").exists()))
    if SCENARIO == "garbage":
        sys.stdout.buffer.write(
            b'{"vertexes": 3}\n{broken\n\xff\xfe\x00\x1b[31m\n#7 DONE ..s\n#6 [x\n' + b"{" * 5000 + b"\n"
        )
        return 0
    if SCENARIO == "no-secret":
        return fail("ERROR: failed to stat /nowhere: stat /nowhere: no such file or directory")
    print(
        "#5 [build 1/3] FROM base\n#6 [build 2/3] COPY . .\n#6 CACHED\n#7 [build 3/3] RUN make\n#7 0.1 a line",
        flush=True,
    )
    if SCENARIO == "slow" or (SCENARIO == "slow-second" and number % 2 == 0):
        (STATE / "starting").write_text(str(os.getpid()))
        (STATE / "starting").rename(STATE / "started")
        time.sleep(60)
    if SCENARIO == "original-fails" or (SCENARIO == "rewritten-fails" and number == 2):
        return fail("#7 0.2 make: \x1b[31mno rule\n#7 ERROR: exit code: 2")
    if SCENARIO == "no-base":
        return fail("#2 [internal] load metadata for docker.io/library/golang:1.22\n#2 ERROR: pull access denied")
    if SCENARIO == "offline":
        return fail("#7 0.2 wget: bad address 'proxy.golang.org'\n#7 ERROR: exit code: 1")
    files = {"app": b"app"}
    if SCENARIO == "different" and number == 2:
        files |= {"etc/\x1b[31mred": b"x", "app": b"other"}
    if SCENARIO.startswith("lists") and number != 2:
        files |= {"var/lib/apt/lists/a": b"a" * 2_000_000, "var/lib/apt/lists/b": b"b"}
    if SCENARIO == "lists-and-more" and number == 2:
        files["etc/new"] = b"x"
    if SCENARIO == "noise":
        files["log"] = str(number).encode()
    (STATE / f"image-{options['tag'].replace('/', '_')}").write_bytes(layer(files))
    print("#7 DONE 1.5s", flush=True)
    return 0


def layer(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def save(tags: list[str]) -> int:
    files = {"config.json": b'{"config": {"Env": ["A=1"]}}'}
    manifest = []
    if SCENARIO in ("garbage", "half-an-archive"):
        sys.stdout.buffer.write(b"garbage" if SCENARIO == "garbage" else layer({"a": b"a" * 9000})[:4000])
        return 0
    if SCENARIO == "no-layers":
        return fail("Error response from daemon: empty export - not implemented")
    for i, tag in enumerate(tags):
        image = STATE / f"image-{tag.replace('/', '_')}"
        if not image.exists():
            return fail(f"Error response from daemon: reference does not exist: {tag}")
        files[f"{i}/layer.tar"] = image.read_bytes()
        manifest.append({"Config": "config.json", "RepoTags": [tag], "Layers": [f"{i}/layer.tar"]})
    sys.stdout.buffer.write(layer(files | {"manifest.json": json.dumps(manifest).encode()}))
    return 0


def main(arguments: list[str]) -> int:
    note(*arguments)
    if arguments[0] in ("info", "version") and SCENARIO == "no-daemon":
        fail("Cannot connect to the Docker daemon")
        # as the real ones do
        return 0 if arguments[:2] == ["info", "--format"] else 1
    if arguments[0] in ("info", "version"):
        return 0
    if arguments[0] == "images":
        print("\n".join(path.name.removeprefix("image-") for path in STATE.glob("image-*")))
        return 0
    if arguments[0] == "rmi":
        if SCENARIO == "slow-remove":
            (STATE / "removing").touch()
            time.sleep(2)
        for tag in arguments[2:]:
            (STATE / f"image-{tag.replace('/', '_')}").unlink(missing_ok=True)
        return 0
    if arguments[:2] == ["buildx", "version"]:
        return 1
    if SCENARIO == "garbage" and arguments[:2] == ["buildx", "build"]:
        print("rawjson")
    if arguments[:2] == ["buildx", "build"]:
        return 0
    if arguments[0] == "build":
        return build(arguments)
    return save(arguments[1:]) if arguments[0] == "save" else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
