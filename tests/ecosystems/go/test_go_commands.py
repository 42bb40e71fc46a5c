"""What the models of `go` say: where it writes, what it reads of the project, when they do not speak."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from dockopt.optimizer.effects import World
from dockopt.optimizer.regions import Region

from tests.ecosystems.go.fakes import GOLANG, Image, effects, writes
from tests.ecosystems.go.go_tool import Module, content_sum, manifest_sum, sums

DEEP: Module = ("example.com/deep", {"go.mod": "module example.com/deep\n"})
LIB: Module = ("example.com/lib", {"go.mod": "module example.com/lib\n\nrequire example.com/deep v1.0.0\n"})
MOD = "module example.com/app\n\ngo 1.22\n\nrequire example.com/lib v1.0.0\n"
ALL_SUMS = sums(LIB, DEEP)
#: as `go mod tidy` leaves it where nothing imports the deeper module
FEW_SUMS = content_sum(LIB) + manifest_sum(LIB) + manifest_sum(DEEP)
FILES = {"/src/go.mod": MOD, "/src/go.sum": ALL_SUMS, "/src/main.go": "package main\n"}
WORK = {"/src/go.work": "go 1.22\n\nuse ./a\n", "/src/a/go.mod": MOD, "/src/a/go.sum": ALL_SUMS}
SOURCES = Region(("/src/main.go",))


def image(files: Mapping[str, str] = FILES, /, **changes: str | None) -> Image:
    """A golang image with these files and with these variables."""
    return Image(files, environment={**GOLANG, **changes})


# -- go mod download -------------------------------------------------------------------------------------------------


def test_download_reads_the_manifests_only() -> None:
    found = effects("go mod download", image())
    assert found.unknown is None
    assert not found.reads.overlaps(Region(("/src",)))
    assert {"/src/go.mod", "/src/go.sum", "/src/go.work", "/go.work"} <= set(found.probes)
    assert set(found.relied_on) == {"src/go.mod", "src/go.sum"}
    assert found.caches == ("/go/pkg/mod", "/go/pkg/sumdb", "/root/.config/go/telemetry")
    assert found.world is World.LOCKED
    assert not writes(found)


@pytest.mark.parametrize("option", ["-x", "-json", "-x all"])
def test_options_of_download(option: str) -> None:
    assert not writes(effects(f"go mod download {option}", image()))


@pytest.mark.parametrize(
    ("mod", "sums_", "line", "expected"),
    [
        (MOD, ALL_SUMS, "go mod download", []),
        (MOD, FEW_SUMS, "go mod download", []),
        (MOD, FEW_SUMS, "go mod download all", ["set /src/go.mod", "set /src/go.sum"]),
        (MOD, ALL_SUMS, "go mod download all", []),
        (MOD, "", "go mod download", ["set /src/go.mod", "set /src/go.sum"]),
        (MOD, "not three fields here", "go mod download", ["set /src/go.mod", "set /src/go.sum"]),
        (MOD, None, "go mod download", ["set /src/go.mod", "set /src/go.sum"]),
        (MOD.replace("go 1.22\n", ""), ALL_SUMS, "go mod download", ["set /src/go.mod", "set /src/go.sum"]),
        (MOD.replace("1.22", "1.16"), ALL_SUMS, "go mod download", ["set /src/go.mod", "set /src/go.sum"]),
        (MOD.replace("1.22", "1.17"), ALL_SUMS, "go mod download", []),
        (MOD.replace("v1.0.0", "latest"), ALL_SUMS, "go mod download", ["set /src/go.mod", "set /src/go.sum"]),
        (MOD + "replace a.com/x => b.com/y main\n", ALL_SUMS, "go mod download", ["set /src/go.mod", "set /src/go.sum"]),
        (MOD + "exclude a.com/x v1\n", ALL_SUMS, "go mod download", ["set /src/go.mod", "set /src/go.sum"]),
        (MOD + "retract v1\n", ALL_SUMS, "go mod download", ["set /src/go.mod", "set /src/go.sum"]),
        # `go mod verify` of old versions does the same to go.sum, of newer ones nothing
        (MOD, "", "go mod verify", ["may /src/go.mod", "may /src/go.sum"]),
        (MOD, FEW_SUMS, "go mod verify", []),
    ],
)  # fmt: skip
def test_what_a_download_corrects(mod: str, sums_: str | None, line: str, expected: list[str]) -> None:
    files = {"/src/go.mod": mod} | ({} if sums_ is None else {"/src/go.sum": sums_})
    found = effects(line, image(files))
    assert writes(found) == expected
    assert bool(expected) != any(text.startswith("manifests-current") for text in found.assumptions)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        # in a workspace the hash of every module's content is written down
        ({"/src/a/go.sum": FEW_SUMS}, ["may /src/go.work.sum"]),
        ({"/src/a/go.sum": FEW_SUMS, "/src/go.work.sum": content_sum(DEEP)}, []),
        ({"/src/a/go.sum": ""}, ["may /src/go.work.sum"]),
        ({"/src/a/go.sum": "", "/src/go.work.sum": ALL_SUMS}, []),
        ({"/src/a/go.sum": "", "/src/go.work.sum": "no sums here, indeed"}, ["may /src/go.work.sum"]),
        # modules of the workspace have no hashes
        ({"/src/go.work": "go 1.22\nuse ./a\nuse ./b\n", "/src/b/go.mod": "module example.com/b\nrequire example.com/app v1.0.0\n"}, []),
        ({"/src/go.work": "go 1.22\nuse ./a\nreplace example.com/lib => example.com/deep v1.0.0\n"}, []),
        ({"/src/go.work": "go 1.22\nuse ./a\nreplace example.com/lib => example.com/other v1.0.0\n"}, ["may /src/go.work.sum"]),
    ],
)  # fmt: skip
def test_what_a_download_corrects_in_a_workspace(changes: Mapping[str, str], expected: list[str]) -> None:
    found = effects("go mod download", image({**WORK, **changes}))
    assert writes(found) == expected
    assert bool(expected) != any(text.startswith("manifests-current") for text in found.assumptions)


@pytest.mark.parametrize(
    ("name", "value"), [("NETRC", "/etc/netrc"), ("GOPROXY", "https://proxy.example"), ("GOAUTH", "off")]
)
def test_settings_that_lie_elsewhere(name: str, value: str) -> None:
    assert effects("go mod download", image(**{name: value})).unknown is None


def test_a_workspace_is_switched_off() -> None:
    files = {**FILES, "/src/go.work": "this is no go.work"}
    assert effects("go mod download", image(files)).unknown is not None
    found = effects("go mod download", image(files, GOWORK="off"))
    assert found.unknown is None
    assert "/src/go.work" not in found.probes


@pytest.mark.parametrize(
    ("line", "where", "words"),
    [
        ("go mod download example.com/lib@latest", image(), "names modules"),
        ('go mod download ?"$MODULE"', image(), "may be a flag"),
        ("go mod download -reuse=x", image(), "-reuse"),
        ("go -C /src mod download", image(), "no model"),
        ("go mod -C /src download", image(), "no model"),
        ("go mod download", image(GOFLAGS="-mod=vendor"), "module mode"),
        ("go mod download", image(GOFLAGS="-modfile=other.mod"), "-modfile"),
        ("go mod download", image(GOFLAGS="-overlay=x.json"), "-overlay"),
        ("go mod download", image(GOWORK="/src/other.work"), "GOWORK"),
        ("go mod download", image(GOENV="/src/env"), "GOENV"),
        ("go mod download", image(GO111MODULE="off"), "GO111MODULE"),
        ("go mod download", image({**FILES, "/src/vendor/modules.txt": ""}), "vendored"),
        ("go mod download", image({"/src/main.go": ""}), "no go.mod"),
        ("go mod download", image({**FILES, "/root/.config/go/env": "GOMODCACHE=/x\n"}), "has settings"),
        ("go mod download", image({**FILES, "/etc/x/go/env": ""}, XDG_CONFIG_HOME="/etc/x"), "has settings"),
        ("go mod download", Image(FILES, cwd=None), "working directory"),
        ("go mod download", Image(FILES, unknown=frozenset({"/src/go.mod"})), "not certain"),
        ("go mod download", Image(FILES, unknown=frozenset({"/go.work"})), "not certain"),
        ("go mod download", Image({"/go.mod": MOD, "/go.sum": ALL_SUMS}, cwd="/", project_roots=()), "lies in `/`"),
        # `.netrc`, `.gitconfig` and `.ssh` of the home directory may come from the context
        ("go mod download", Image({"/root/go.mod": MOD, "/root/go.sum": ALL_SUMS}, cwd="/root", project_roots=("/root",)), "home"),
        ("go mod download", image(HOME="/src"), "home"),
        ("go mod download", Image(FILES, user="app", environment={**GOLANG, "HOME": None, "GOCACHE": "/tmp/build"}), "home"),
        ("go mod download", image(XDG_CONFIG_HOME="/src/.config"), "home"),
        ("go mod download", image(NETRC="/src/.netrc"), "NETRC"),
        ("go mod download", image(NETRC="./netrc"), "NETRC"),
        ("go mod download", image(GOPROXY="file:///src/proxy"), "GOPROXY"),
        ("go mod download", image(GIT_SSH_COMMAND="ssh -i /src/key"), "GIT_SSH_COMMAND"),
        ("go mod download", image(GOAUTH="git /src"), "GOAUTH"),
        ("go mod verify all", image(), "no arguments"),
    ],
)  # fmt: skip
def test_download_refuses(line: str, where: Image, words: str) -> None:
    assert words in (effects(line, where).unknown or "it is understood")


@pytest.mark.parametrize("name", ["GOFLAGS", "GOWORK", "GOENV", "GOMODCACHE", "GOPATH", "GOCACHE", "XDG_CONFIG_HOME"])
def test_a_variable_that_the_base_may_set(name: str) -> None:
    environment = {key: value for key, value in GOLANG.items() if key != name}
    assert name in (effects("go mod download", Image(FILES, environment=environment)).unknown or "")


def test_without_a_network_the_module_cache_decides() -> None:
    for where in (image(GOPROXY="off"), Image(FILES, online=False)):
        for line in ("go mod download", "go build -o /out/app ."):
            found = effects(line, where)
            assert "/go/pkg/mod" not in found.caches
            assert "may /go/pkg/mod" in writes(found)


# -- go build and its kin --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("go build -o /out/app .", ["set /out/app"]),
        ("go build -o=/out/app ./cmd/app", ["set /out/app"]),
        ("go build --o /out/app", ["set /out/app"]),
        ("go build -o bin/ ./...", ["may /src/bin"]),
        ("go build -o /src .", ["may /src"]),
        ("go build ./...", ["may /src"]),
        ("go build", ["may /src"]),
        ("go build -o /dev/null ./...", []),
        ("go build -trimpath -v -tags netgo -ldflags -s -o app", ["set /src/app"]),
        ("go build -buildvcs=false -o app -mod readonly", ["set /src/app"]),
        ("go build -mod=mod -o app", ["may /src/go.mod", "may /src/go.sum", "set /src/app"]),
        ("go build -mod mod -o app", ["may /src/go.mod", "may /src/go.sum", "set /src/app"]),
        ("go build -mod=vendor -o app", ["set /src/app"]),
        # operands end the flags
        ("go build . -o /out/app", ["may /src"]),
        ('go build -o app ?"./cmd/$NAME"', ["set /src/app"]),
        ("go build -o app ?./cmd/$NAME", ["set /src/app"]),
        # a flag whose value is not known
        ('go build ?-ldflags="$X" -o app', ["set /src/app"]),
        ('go build ?"-ldflags=$X" -o app', ["set /src/app"]),
        ('go build -ldflags ?"$X" -o app', ["set /src/app"]),
        ("go vet ./...", []),
        ("go list ./...", []),
        ("go install ./cmd/app", ["may /go/bin"]),
        ("go mod vendor", ["may /src/vendor"]),
        ("go mod tidy", ["may /src/go.mod", "may /src/go.sum"]),
        ("go version", []),
        ("go env GOPATH", []),
    ],
)
def test_writes(line: str, expected: list[str]) -> None:
    found = effects(line, image())
    assert writes(found) == expected
    assert found.reads.overlaps(SOURCES)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("go", "subcommand"),
        ("go ?$COMMAND", "subcommand"),
        ("go generate ./...", "runs code"),
        ("go run .", "runs code"),
        ("go test ./...", "runs code"),
        ("go tool x", "runs code"),
        ("go get example.com/lib", "no model"),
        ("go clean", "no model"),
        ("go work sync", "no model"),
        ("go mod edit -go=1.22", "-go"),
        ("go build -C /x -o app", "-C"),
        ("go build -C=/x", "-C"),
        ("go build -modfile=x.mod", "-modfile"),
        ("go build -overlay x.json", "-overlay"),
        ("go build -toolexec=./wrap", "-toolexec"),
        ("go build -n -o app", "-n"),
        ("go build -work", "-work"),
        ("go build -pkgdir=/x", "-pkgdir"),
        ("go build -frobnicate", "-frobnicate"),
        ("go build -buildmode=c-shared -o libapp.so", "c-shared"),
        ('go build ?-buildmode="$MODE" -o app', "buildmode"),
        ("go build ?$FLAGS -o app .", "may be a flag"),
        ('go build ?"$FLAG" -o app .', "may be a flag"),
        ("go build ?*.go", "may be a flag"),
        ("go build ?-ldflags=$X -o app", "may be a flag"),
        ("go build -tags ?$TAGS -o app", "more than one"),
        ('go build -tags ?"$@" -o app', "more than one"),
        ('go build -o ?"$OUT" .', "place of its output"),
        ('go build ?-o="$OUT" .', "place of its output"),
        ('go build -mod ?"$MODE" -o app', "module mode"),
        ("go vet -vettool=./x", "-vettool"),
        ("go list -m all", "-m"),
        ("go mod vendor -o /x", "elsewhere"),
        ("go version -m /bin/go", "-m"),
        ("go version /bin/go", "looks into"),
        ("go env -u GOPROXY", "settings of later"),
        ("go env GOFLAGS=-mod=mod", "settings of later"),
        ("go env -json", "settings of later"),
        ('go env -w ?"GOPROXY=$X"', "settings of later"),
        ("go env -w", "settings of later"),
    ],
)
def test_refuses(line: str, words: str) -> None:
    assert words in (effects(line, image()).unknown or "it is understood")


@pytest.mark.parametrize(
    ("flags", "fine"),
    [
        ("", True),
        ("-mod=readonly", True),
        ("-modcacherw -trimpath", True),
        ("-buildvcs=false", True),
        ("'-ldflags=-s -w' \t\"-tags=a b\"", True),
        ("--tags=netgo", True),
        ("-o=/elsewhere", False),
        ("--o=/elsewhere", False),
        ("-toolexec=./wrap", False),
        ("-C=/x", False),
        ("-modfile=x.mod", False),
        ("-tags netgo", False),
        ("-mod", False),
        ("'-tags=a", False),
        ("-buildmode=c-archive", False),
        ("-frobnicate", False),
    ],
)
def test_goflags(flags: str, fine: bool) -> None:
    found = effects("go build -o app", image(GOFLAGS=flags))
    assert (found.unknown is None) == fine
    if fine:
        assert writes(found) == ["set /src/app"]


def test_mod_mode_from_goflags() -> None:
    corrected = ["may /src/go.mod", "may /src/go.sum"]
    assert writes(effects("go vet ./...", image(GOFLAGS="-modcacherw -mod=mod"))) == corrected
    assert writes(effects("go vet -mod=readonly ./...", image(GOFLAGS="-mod=mod"))) == []
    assert effects("go vet -mod=mod ./...", image({"/src/main.go": ""})).unknown is not None


def test_a_build_in_a_workspace_may_write_hashes() -> None:
    inside = Image(WORK, cwd="/src/a")
    assert writes(effects("go vet ./...", inside)) == ["may /src/go.work.sum"]
    assert writes(effects("go build -o /out/app", inside)) == ["may /src/go.work.sum", "set /out/app"]
    assert writes(effects("go vet ./...", Image(WORK, cwd="/src/a", environment={**GOLANG, "GOWORK": "off"}))) == []
    somewhere = Image(FILES, cwd="/src/x/y", unknown=frozenset({"/src/x/go.work", "/go.work"}))
    assert writes(effects("go vet ./...", somewhere)) == ["may /src/x/go.work.sum", "may /go.work.sum"]
    assert effects("go vet ./...", Image(FILES, cwd=None)).unknown is not None


@pytest.mark.parametrize(
    "line", ["go build -o /out/app .", "go install ./cmd/x", "go install example.com/x@v1.0.0", "go vet ./..."]
)
def test_with_cgo_the_build_cache_is_no_cache(line: str) -> None:
    pure = effects(line, image())
    assert "/root/.cache/go-build" in pure.caches
    assert "GOFLAGS" in (pure.variables or ("GOFLAGS",))
    for where in (image(CGO_ENABLED=None), image(CGO_ENABLED="1")):
        with_compiler = Image(where.files, environment=where.environment, unknown=frozenset({"/usr/bin/gcc"}))
        found = effects(line, with_compiler)
        assert "/root/.cache/go-build" not in found.caches
        assert "may /root/.cache/go-build" in writes(found)
        assert found.variables is None
        # without a compiler there is no cgo
        assert "/root/.cache/go-build" in effects(line, where).caches


@pytest.mark.parametrize(
    ("line", "world"),
    [
        ("go install example.com/x@v1.2.3", World.LOCKED),
        ("go install example.com/x@v1.2.3-rc.1 example.com/y@v1.2.3-rc.1", World.LOCKED),
        ("go install example.com/x@latest", World.FREE),
        ("go install example.com/x@v1.2", World.FREE),
        ("go install example.com/x@main", World.FREE),
        ("go install example.com/x@v1.2.3 example.com/y@main", World.FREE),
    ],
)
def test_install_of_another_module_leaves_the_project_alone(line: str, world: World) -> None:
    found = effects(line, image())
    assert writes(found) == ["may /go/bin"]
    assert not found.reads.overlaps(Region(("/src",)))
    assert found.world is world
    assert writes(effects(line, image(GOBIN="/usr/local/bin"))) == ["may /usr/local/bin"]


def test_install_of_another_module_beside_settings() -> None:
    at_home = Image(FILES, project_roots=("/src", "/root"))
    assert "home" in (effects("go install example.com/x@v1.2.3", at_home).unknown or "")
    unset = {key: value for key, value in GOLANG.items() if key != "GOBIN"}
    assert "GOBIN" in (effects("go install example.com/x@v1.2.3", Image(FILES, environment=unset)).unknown or "")


# -- go env -w -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        ("GOPROXY=https://proxy.example,direct", "may"),
        ("GO111MODULE=on GOPRIVATE=git.example", "may"),
        ("GOSUMDB=off", "may"),
        # these move caches or change what is read: later models see the file, and refuse
        ("GOMODCACHE=/cache", "set"),
        ("GOFLAGS=-mod=vendor", "set"),
        ("GOPROXY=off", "set"),
        ("GOPROXY=file:///src/proxy", "set"),
        ("GO111MODULE=off", "set"),
        ("GOPRIVATE=git.example GOPATH=/x", "set"),
    ],
)
def test_settings(setting: str, kind: str) -> None:
    assert writes(effects(f"go env -w {setting}", image())) == [f"{kind} /root/.config/go/env"]
    assert writes(effects(f"go env -w {setting}", image(XDG_CONFIG_HOME="/etc/x"))) == [f"{kind} /etc/x/go/env"]
    assert effects(f"go env -w {setting}", image(GOENV="off")).unknown is not None
