"""Which programs a `go build` leaves where, and how they are linked: what is said of it against what the go command does."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.go.arguments import Flags, Settings
from dockopt.optimizer.ecosystems.go.binary import GoBuild, default_name, go_builds
from dockopt.optimizer.ecosystems.go.module_facts import C_STANDARD, standard_use
from dockopt.optimizer.ecosystems.go.sources import Target, evaluate, parse_source
from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.opening import open_build

from tests.ecosystems.folder import write
from tests.syntax.oracle_client import find_go

MODULE = "module example.com/shop/v2\n\ngo 1.21\n"
PLAIN = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("plain") }\n'
NET = 'package main\n\nimport (\n\t"fmt"\n\t"net/http"\n)\n\nfunc main() { fmt.Println(http.MethodGet) }\n'
USER = 'package main\n\nimport (\n\t"fmt"\n\t"os/user"\n)\n\nfunc main() { fmt.Println(user.Current()) }\n'
OF_ITS_OWN = 'package main\n\n// static int one(void) { return 1; }\nimport "C"\n\nfunc main() { println(C.one()) }\n'
#: name → files beside go.mod
PROJECTS: Mapping[str, Mapping[str, str]] = {
    "plain": {"main.go": PLAIN},
    "net": {"main.go": NET},
    "user": {"main.go": USER},
    "own C": {"main.go": OF_ITS_OWN},
    "handles": {"main.go": 'package main\n\nimport "runtime/cgo"\n\nfunc main() { println(cgo.NewHandle(1)) }\n'},
    "tar": {"main.go": 'package main\n\nimport "archive/tar"\n\nfunc main() { println(tar.ErrHeader.Error()) }\n'},
    "net in a test only": {"main.go": PLAIN, "net_test.go": NET.replace("main()", "used()")},
    "C for Windows only": {"main.go": PLAIN, "c_windows.go": OF_ITS_OWN},
    "C behind a tag": {
        "main.go": 'package main\n\nimport "example.com/shop/v2/db"\n\nfunc main() { println(db.Name) }\n',
        "db/c.go": '//go:build withc\n\npackage db\n\n// static int one(void) { return 1; }\nimport "C"\n\nvar Name = C.one()\n',
        "db/go.go": "//go:build !withc\n\npackage db\n\nvar Name = 1\n",
    },
    "several": {"cmd/api/main.go": NET, "cmd/worker/main.go": PLAIN, "lib/lib.go": "package lib\n"},
    "net by a package of its own": {
        "main.go": 'package main\n\nimport "example.com/shop/v2/web"\n\nfunc main() { println(web.Name) }\n',
        "web/web.go": 'package web\n\nimport "net/http"\n\nvar Name = http.MethodGet\n',
    },
    "nested module": {
        "main.go": PLAIN,
        "tool/go.mod": "module example.com/tool\n\ngo 1.21\n",
        "tool/main.go": PLAIN,
    },
}
COMMANDS = [
    ("plain", "go build"),
    ("plain", "go build -o app"),
    ("plain", "go build -o bin/"),
    ("plain", "go build -o out/app ."),
    ("plain", "go build main.go"),
    ("plain", "go build -o app main.go"),
    ("plain", "go build example.com/shop/v2"),
    ("plain", "go install"),
    ("plain", "GOBIN=$PWD/bin go install ."),
    ("plain", "go build -buildmode=pie -o app"),
    ("plain", "CGO_ENABLED=0 go build -buildmode=pie -o app"),
    ("plain", "go build -race -o app"),
    ("plain", "go build -ldflags=-linkmode=external -o app"),
    ("net", "go build -o app"),
    ("net", "CGO_ENABLED=0 go build -o app"),
    ("net", "go build -tags netgo -o app"),
    ("net", "go build -tags=netgo,osusergo -o app"),
    ("net", "GOFLAGS=-tags=netgo go build -o app"),
    ("net", "go build -tags osusergo -o app"),
    ("net", "go build -ldflags '-extldflags \"-static\"' -o app"),
    ("net", "go build -ldflags '-linkmode external -extldflags \"-static\"' -o app"),
    ("net", "go build -ldflags \"-X 'main.v=$VERSION' -extldflags '-static'\" -tags netgo,osusergo -o app"),
    ("own C", "go build -ldflags \"-X 'main.v=$VERSION' -extldflags '-static'\" -tags netgo,osusergo -o app"),
    ("net", 'go build -ldflags "-s -w -X main.version=$VERSION" -o app'),
    ("user", "go build -o app"),
    ("user", "go build -tags netgo -o app"),
    ("user", "go build -tags osusergo -o app"),
    ("own C", "go build -o app"),
    ("handles", "go build -o app"),
    ("tar", "go build -o app"),
    ("tar", "go build -tags osusergo -o app"),
    ("own C", "go build -ldflags '-extldflags -static' -o app"),
    ("net in a test only", "go build -o app"),
    ("C for Windows only", "go build -o app"),
    ("C behind a tag", "go build -o app"),
    ("C behind a tag", "go build -tags withc -o app"),
    ("several", "go build -o bin/ ./cmd/api"),
    ("several", "go build -o bin/ ./cmd/..."),
    ("several", "go build -o bin/ ./..."),
    ("several", "go build ./cmd/worker"),
    ("several", "go install ./..."),
    ("several", "cd cmd/api && go build"),
    ("net by a package of its own", "go build -o app"),
    ("nested module", "go build -o bin/ ./..."),
    ("nested module", "cd tool && go build"),
]


def builds_of(folder: Path, command: str, base: str = "golang:1.26") -> list[GoBuild | Cause]:
    dockerfile = folder / "Dockerfile"
    text = f"FROM {base}\nARG VERSION=1\nWORKDIR /src\nCOPY . .\nRUN {command}\n"
    build = open_build(dockerfile, text.encode(), folder).build
    return list(go_builds(build.executor))


def project(folder: Path, name: str) -> Path:
    return write(folder, {"go.mod": MODULE, **PROJECTS[name]})


def is_dynamic(program: Path) -> bool:
    """Tell whether a 64-bit ELF file names a loader (a program header of type PT_INTERP)."""
    data = program.read_bytes()
    start, size, count = (
        int.from_bytes(data[at : at + width], "little") for at, width in ((0x20, 8), (0x36, 2), (0x38, 2))
    )
    return any(int.from_bytes(data[start + n * size :][:4], "little") == 3 for n in range(count))


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_it_is_as_the_go_command_does(name: str, command: str, tmp_path: Path) -> None:
    go = find_go()
    if go is None or shutil.which("gcc") is None:
        pytest.skip("needs Go and a C compiler")
    folder = project(tmp_path / "src", name)
    environment = {
        "PATH": f"{Path(go).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "GOPATH": str(tmp_path / "go"),
        "GOFLAGS": "",
        "GOTOOLCHAIN": "local",
        "GOCACHE": os.environ.get("GOCACHE", str(Path.home() / ".cache/go-build")),
        "VERSION": "1",
    }
    (said,) = builds_of(folder, command.replace("$PWD", "/src"))
    assert isinstance(said, GoBuild)
    subprocess.run(["sh", "-ec", command], cwd=folder, env=environment, check=True, capture_output=True)
    made = [p for p in sorted(tmp_path.rglob("*")) if p.is_file() and p.read_bytes()[:4] == b"\x7fELF"]
    places = {"/" + str(p.relative_to(tmp_path)): p for p in made}
    assert {program.path for program in said.programs} - {None} == set(places)
    assert said.problem is None
    assert said.linking.static is not None
    assert any(is_dynamic(program) for program in made) == (not said.linking.static)


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("example.com/shop", "shop"),
        ("example.com/shop/v2", "shop"),
        ("example.com/shop/v1", "v1"),
        ("example.com/v2/cmd/api", "api"),
        ("v2", "v2"),
        ("example.com/shop/v02", "v02"),
        ("example.com/shop/v10", "shop"),
    ],
)
def test_default_name(package: str, name: str) -> None:
    assert default_name(package) == name


@pytest.mark.parametrize(
    ("base", "command", "on"),
    [
        ("golang:1.22", "go build -o /app", True),
        ("golang:1.22-alpine", "go build -o /app", False),
        ("golang:1.19-alpine", "go build -o /app", True),
        ("golang:alpine", "apk add --no-cache git && go build -o /app", False),
        ("golang:1.22-alpine", "apk add --no-cache gcc musl-dev && go build -o /app", True),
        ("golang:1.22-alpine", "apk add --no-cache vips-dev && go build -o /app", None),
        ("golang:1.22-alpine", "CGO_ENABLED=1 go build -o /app", True),
        ("golang:1.22", "CGO_ENABLED=$VERSION go build -o /app", None),
        ("golang:1.22", "go env -w CGO_ENABLED=0 && go build -o /app", False),
        ("golang:1.22", "GOOS=linux go build -o /app", True),
        ("golang:1.22", "GOOS=linux GOARCH=amd64 go build -o /app", None),
        ("golang:1.22", "GOOS=darwin go build -o /app", False),
        ("debian:12", "GOFLAGS= go build -o /app", None),
    ],
)
def test_whether_cgo_is_on(base: str, command: str, on: bool | None, tmp_path: Path) -> None:
    (said,) = builds_of(project(tmp_path, "net"), command, base)
    assert isinstance(said, GoBuild)
    assert said.cgo.on is on


@pytest.mark.parametrize(
    "command", ["go build -overlay=x -o /app", "go build -o $(pwd)/app $PACKAGES", "go build -C x"]
)
def test_what_is_not_understood_is_said(command: str, tmp_path: Path) -> None:
    (said,) = builds_of(project(tmp_path, "net"), command)
    assert isinstance(said, Cause)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("linux", True),
        ("!linux", False),
        ("linux && amd64", None),
        ("windows && amd64", False),
        ("linux || amd64", True),
        ("!(windows || darwin) && cgo", True),
        ("unix && (mine || other)", True),
        ("go1.18", True),
        ("go1.99", None),
        ("linux &&", None),
    ],
)
def test_build_constraints(expression: str, value: bool | None) -> None:
    assert evaluate(expression, Target(tags=frozenset({"mine"}), release="1.21").tag) is value


@pytest.mark.parametrize(
    ("flags", "seen"),
    [
        ("\"-s -w -X 'main.v=${V}' -extldflags '-static'\"", "-s -w   -extldflags '-static"),
        ('"-X main.v=$V -linkmode external"', "-linkmode external"),
        ("\"-X 'main.t=$(date '+%Y %m')' -s\"", "-s"),
        ('"-X main.t=`date` -s"', "-s"),
        ('"-X \\"main.v=$V\\" -s"', "-s"),
        ('"$FLAGS -s"', None),
        ('"-X main.v=$V $MORE"', None),
    ],
)
def test_what_the_linker_gets(flags: str, seen: str | None) -> None:
    words = ("go", "build", "-ldflags", flags)
    found = Settings(Flags(("-ldflags", None), words[2:]), Flags(()), words).linker()
    assert (None if found is None else " ".join(found.split())) == (None if seen is None else " ".join(seen.split()))


def test_the_head_of_a_source_file() -> None:
    source = parse_source(
        b'// Copyright\n\n//go:build linux\n\n/* package x */\npackage app\n\n/*\n#include <stdio.h>\nimport "D"\n*/\n'
        b'import "C"\nimport (\n\t_ "embed" // "E"\n\tf `fmt`; . "os"\n)\n\nvar x = `import "F"`\n'
    )
    assert source is not None
    assert source.package == "app"
    assert source.constraint == "linux"
    assert source.imports == (("C", 12), ("embed", 14), ("fmt", 15), ("os", 15))
    assert parse_source(b"#!/bin/sh\n") is None


def test_what_the_standard_library_uses_of_c_is_as_go_says() -> None:
    go = find_go()
    if go is None or shutil.which("gcc") is None:
        pytest.skip("needs Go and a C compiler")
    form = '{{.ImportPath}} {{len .CgoFiles}} {{join .Deps ","}}'
    environment = {**os.environ, "CGO_ENABLED": "1", "GOFLAGS": "", "GOOS": "linux"}
    done = subprocess.run([go, "list", "-f", form, "std"], env=environment, check=True, capture_output=True, text=True)
    with_c: set[str] = set()
    reached: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        package, count, dependencies = line.split(" ")
        if "internal/" in package or package.startswith("vendor/"):
            continue
        if int(count):
            with_c.add(package)
        reached[package] = {package, *dependencies.split(",")}
    assert with_c == set(C_STANDARD)
    for package, all_of_it in reached.items():
        # `runtime/cgo` is a part of whatever has C
        assert set(standard_use(package)) == (all_of_it & with_c) - ({"runtime/cgo"} - {package}), package
