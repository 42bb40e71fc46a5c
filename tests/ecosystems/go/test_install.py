"""Which commands are `go mod download` or need it, and why it sometimes cannot be told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from dockopt.optimizer.ecosystems.go.install import caches, install_for, is_install
from dockopt.optimizer.ecosystems.installs import Cause, Install
from dockopt.optimizer.frozen import ContextReader, FrozenContext
from dockopt.optimizer.model import Build
from dockopt.optimizer.syntax import parse

from tests.ecosystems.go.fakes import GOLANG, Context, Image
from tests.ecosystems.go.go_tool import Module, sums

LIB: Module = ("example.com/lib", {"go.mod": "module example.com/lib\n"})
MOD = "module example.com/app\n\ngo 1.22\n\nrequire example.com/lib v1.0.0\n"
FILES = {"go.mod": MOD, "go.sum": sums(LIB), "main.go": "package main\n"}
HEAD = "FROM golang:1.22\nWORKDIR /src\nCOPY . .\n"


class Reader(Context):
    """A context that can also be asked for patterns."""

    def glob(self, pattern: str) -> tuple[str, ...]:
        raise AssertionError(f"nobody needs `{pattern}`")

    def excluded(self, rel: str) -> bool:
        return False

    def asked_for(self, rel: str) -> bool:
        return False

    def permissions(self, rel: str) -> int | None:
        return None

    def may_be_missing(self, rel: str) -> bool:
        return False

    @property
    def ignore_file(self) -> tuple[str, bytes]:
        return ".dockerignore", b""

    def with_ignore(self, text: bytes) -> tuple[ContextReader, tuple[str, ...]]:
        raise AssertionError("no download makes a change of the ignore file necessary")


def answer(run: str, files: Mapping[str, str] = FILES, head: str = HEAD) -> Install | Cause | None:
    """Return what is said of the last command."""
    build = Build(parse(f"{head}RUN {run}\n".encode()), FrozenContext(Reader(files)))
    return install_for(build.executed[-1], build.executor)


def install(run: str, files: Mapping[str, str] = FILES, head: str = HEAD) -> Install:
    found = answer(run, files, head)
    assert isinstance(found, Install), found
    return found


def cause(run: str, files: Mapping[str, str] = FILES, head: str = HEAD) -> Cause:
    found = answer(run, files, head)
    assert isinstance(found, Cause), found
    return found


@pytest.mark.parametrize("run", ["go mod download", "go mod download -x", "cd /src && go mod download"])
def test_the_install_itself(run: str) -> None:
    found = install(run)
    assert found.itself
    assert found.command == "go mod download"
    assert found.directory == "/src"
    assert found.manifests == ("/src/go.mod", "/src/go.sum")
    assert found.caches == ("/go/pkg/mod", "/go/pkg/sumdb", "/root/.config/go/telemetry")


@pytest.mark.parametrize(
    "run",
    [
        "go build -o /out/app .",
        "CGO_ENABLED=0 go build ./...",
        "go install ./cmd/app",
        "go test ./...",
        "go vet ./...",
        "go generate ./...",
        "go run .",
        "go list ./...",
        "go build -mod=readonly -o /out/app",
        "cd cmd/app && go build -o /out/app",
    ],
)
def test_commands_that_need_it(run: str) -> None:
    found = install(run, {**FILES, "cmd/app/main.go": ""})
    assert not found.itself
    assert found.directory == "/src"
    assert found.manifests == ("/src/go.mod", "/src/go.sum")


@pytest.mark.parametrize(
    "run",
    [
        "true",
        "go version",
        "go env GOPATH",
        "go fmt ./...",
        "go install example.com/tool@v1.0.0",
        "make",
        "./build.sh",
        "sh other.sh",
        "sh -c 'true'",
        "make -C sub",
        "cat go.mod",
    ],
)
def test_commands_that_have_nothing_to_do_with_it(run: str) -> None:
    assert answer(run, {**FILES, "build.sh": "echo hi\n", "Makefile": "all:\n\techo going\n"}) is None


@pytest.mark.parametrize(
    ("run", "files"),
    [
        ("make", {"Makefile": "all:\n\tgo build ./...\n"}),
        ("make all", {"makefile": "all:\n\t$(GO) build ./...\n"}),
        ("make all", {"GNUmakefile": "all:\n\t${GO} test ./...\n", "Makefile": "all:\n"}),
        ("./build.sh", {"build.sh": "#!/bin/sh\ngo build -o /out/app .\n"}),
        ("scripts/build.sh arm", {"scripts/build.sh": "go  install ./...\n"}),
        ("sh build.sh", {"build.sh": "go vet ./...\n"}),
        ("bash scripts/build.sh", {"scripts/build.sh": "go run ./gen\n"}),
    ],
)
def test_scripts_and_makefiles_that_start_it(run: str, files: Mapping[str, str]) -> None:
    assert install(run, {**FILES, **files}).directory == "/src"


@pytest.mark.parametrize(
    "setting", ["export GOFLAGS=-mod=vendor", "GOPATH=/x", "go build -mod=vendor", "GOWORK=off", "GO111MODULE=off"]
)
def test_scripts_with_settings_of_their_own(setting: str) -> None:
    found = cause("./build.sh", {**FILES, "build.sh": f"#!/bin/sh\n{setting}\ngo build\n"})
    assert "settings for modules of its own" in found.reason
    assert (found.path, found.line) == ("build.sh", 2)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("go mod download example.com/lib", "names modules on its own"),
        ("go mod download $MODULE", "names modules on its own"),
        ("go mod tidy", "reads the imports of every source file"),
        ("go mod vendor", "reads the imports of every source file"),
        ("go get ./...", "changes go.mod"),
        ("go build -mod=vendor ./...", "vendor directory"),
        ("go build --mod=vendor ./...", "vendor directory"),
        ("go build -mod vendor ./...", "vendor directory"),
        ("go build -C cmd/app", "`-C`"),
        ("go build -C=cmd/app", "`-C`"),
        ("go test -modfile=other.mod ./...", "`-modfile`"),
        ("--mount=type=bind,target=/src go build", "mounted for it"),
        ("for d in a b; do go build ./$d; done", "script that is not understood"),
        ("GOFLAGS=-mod=mod go build", "GOFLAGS is `-mod=mod`"),
        ("GOFLAGS=-modfile=x go build", "GOFLAGS is `-modfile=x`"),
        ("GOWORK=/src/other.work go build", "GOWORK"),
        ("GO111MODULE=off go build", "GO111MODULE"),
    ],
)
def test_why_it_cannot_be_told(run: str, words: str) -> None:
    found = cause(run)
    assert words in found.reason
    assert (found.path, found.line) == ("", 4)


@pytest.mark.parametrize(
    ("files", "words", "path", "line"),
    [
        ({"main.go": ""}, "there is no go.mod", "", 4),
        ({"go.mod": MOD}, "there is no go.sum", "go.mod", 0),
        ({"go.mod": "module example.com/app\n\ngo 1.22\n"}, "requires no module", "go.mod", 0),
        ({**FILES, "vendor/modules.txt": ""}, "vendored", "vendor/modules.txt", 0),
        ({**FILES, "vendor/x/x.go": ""}, "vendored", "", 4),
        ({**FILES, "go.mod": MOD + "future x\n"}, "no directive that is known", "go.mod", 6),
        ({**FILES, "go.mod": MOD + "replace a.com/b => ../b\n"}, "without a go.mod", "go.mod", 6),
        ({**FILES, "go.work": "go 1.22\nuse ./x\n"}, "has no go.mod", "go.work", 0),
    ],
)
def test_manifests_in_the_way(files: Mapping[str, str], words: str, path: str, line: int) -> None:
    found = cause("go build", files)
    assert words in found.reason
    assert (found.path, found.line) == (path, line)


def test_a_command_that_may_have_made_the_manifest() -> None:
    found = cause("go build", FILES, "FROM golang:1.22\nWORKDIR /src\nCOPY . .\nRUN ./configure\n")
    assert "may have made" in found.reason
    assert found.line == 4


def test_a_base_that_is_not_known() -> None:
    head = HEAD.replace("golang:1.22", "example.com/builder:1")
    assert "not known before the build" in cause("go build", head=head).reason


def test_a_workspace_and_replacements() -> None:
    files = {
        "go.work": "go 1.22\nuse ./a\n",
        "a/go.mod": MOD + "replace example.com/x => ../x\n",
        "a/go.sum": sums(LIB),
        "x/go.mod": "module example.com/x\n",
    }
    found = install("go build ./a", files)
    assert found.directory == "/src"
    assert found.manifests == ("/src/go.work", "/src/a/go.mod", "/src/a/go.sum", "/src/x/go.mod")
    alone = install("cd a && GOWORK=off go build", files)
    assert alone.directory == "/src/a"
    assert alone.manifests == ("/src/a/go.mod", "/src/a/go.sum", "/src/x/go.mod")


def test_a_workspace_without_any_sums_is_complete_with_go_work_sum() -> None:
    files = {"go.work": "go 1.22\nuse ./a\n", "a/go.mod": MOD}
    assert install("go build ./a", {**files, "go.work.sum": sums(LIB)}).manifests[-1] == "/src/a/go.mod"


def test_modules_in_a_subdirectory_of_the_context() -> None:
    files = {f"service/{name}": text for name, text in FILES.items()}
    assert install("cd service && go build", files).directory == "/src/service"
    assert install("go build", files, "FROM golang:1.22\nWORKDIR /src\nCOPY service/ .\n").directory == "/src"


def test_which_commands_are_installs() -> None:
    build = Build(parse((HEAD + "RUN go mod download && go build\n").encode()), FrozenContext(Reader(FILES)))
    assert [is_install(command) for command in build.executed] == [True, False]


def test_caches_where_they_are_certain() -> None:
    assert caches(Image()) == ("/go/pkg/mod", "/go/pkg/sumdb", "/root/.config/go/telemetry")
    assert caches(Image(environment={**GOLANG, "GOMODCACHE": "/cache/mod", "GOPATH": "/p:/q"})) == (
        "/cache/mod",
        "/p/pkg/sumdb",
        "/root/.config/go/telemetry",
    )
    assert caches(Image(environment={**GOLANG, "XDG_CONFIG_HOME": "/etc/x"}))[0] == "/etc/x/go/telemetry"
    assert caches(Image(environment={"HOME": "/root"})) == ()
    assert caches(Image(user="app", environment={**GOLANG, "HOME": None})) == ()
