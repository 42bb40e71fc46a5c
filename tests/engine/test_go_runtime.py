"""Go programs in the images that they are copied to: what is reported does fail, and what is proposed does run.

`alpine` and `gcr.io/distroless/static-debian13` may be stand-ins: what counts here is
that they have no glibc, which is true of the real ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.proposal import FileReport

from tests.ecosystems.folder import write
from tests.engine.engine import Engine, _checked

#: what the engine says of a program whose loader is not there
MISSING = r"no such file or directory|not found"
ALPINE = "alpine:3.20"
DISTROLESS = "gcr.io/distroless/static-debian13"
MODULE = "module example.com/shop\n\ngo 1.21\n"
OF_ITS_OWN = (
    'package main\n\n// static int answer(void) { return 42; }\nimport "C"\n\nfunc main() { println(C.answer()) }\n'
)
#: a service that answers its own request, so that no network is needed
SERVICE = """\
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
)

var version = "none"

func main() {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "hello from %s", version) }))
	answer, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		panic(err)
	}
	body, _ := io.ReadAll(answer.Body)
	fmt.Println(string(body))
}
"""


def dockerfile(runtime: str, build: str) -> bytes:
    return (
        f"FROM golang:1.22 AS build\nWORKDIR /src\nCOPY . .\nRUN {build}\n\n"
        f'FROM {runtime}\nCOPY --from=build /out/shop /shop\nCMD ["/shop"]\n'
    ).encode()


def report(folder: Path, source: bytes, rewrite: str) -> FileReport:
    chosen = frozenset({rewrite})
    return analyze(folder / "Dockerfile", source, Options(context=folder, select=chosen, named=chosen))


def errors(folder: Path, source: bytes) -> list[str]:
    return [advice.message for advice in report(folder, source, "env-match").advice if advice.level == "error"]


def image(engine: Engine, folder: Path, source: bytes) -> str:
    tag = engine.tag("go-runtime")
    result = engine.build(source, folder, tag=tag)
    assert result.ok, result.log
    return tag


def size(tag: str) -> int:
    return int(_checked("image", "inspect", "--format", "{{.Size}}", tag))


@pytest.fixture
def service(tmp_path: Path) -> Path:
    return write(tmp_path, {"go.mod": MODULE, "main.go": SERVICE})


@pytest.mark.engine
@pytest.mark.parametrize("runtime", [ALPINE, "scratch", DISTROLESS])
def test_a_program_with_c_does_not_start_without_its_c_library(
    runtime: str, warm_engine: Engine, tmp_path: Path
) -> None:
    _needs(warm_engine, runtime)
    folder = write(tmp_path, {"go.mod": MODULE, "main.go": OF_ITS_OWN})
    source = dockerfile(runtime, "go build -o /out/shop .")
    with pytest.raises(RuntimeError, match=MISSING):
        warm_engine.run(image(warm_engine, folder, source))
    (said,) = errors(folder, source)
    assert f'`/shop` needs glibc (`example.com/shop` imports "C"), and `{runtime}`' in said
    assert report(folder, source, "static-go").result.count(b"CGO_ENABLED") == 0
    static = dockerfile(runtime, "go build -ldflags '-extldflags \"-static\"' -o /out/shop .")
    assert errors(folder, static) == []
    assert "42" in warm_engine.run(image(warm_engine, folder, static))


@pytest.mark.engine
@pytest.mark.parametrize("runtime", [ALPINE, "scratch", DISTROLESS])
def test_a_service_that_is_built_without_c_runs_everywhere(runtime: str, warm_engine: Engine, service: Path) -> None:
    _needs(warm_engine, runtime)
    stamp = "go build -ldflags \"-X 'main.version=1.0 of today'\" -o /out/shop ."
    source = dockerfile(runtime, stamp)
    before = image(warm_engine, service, source)
    with pytest.raises(RuntimeError, match=MISSING):
        warm_engine.run(before)
    assert len(errors(service, source)) == 1
    fixed = report(service, source, "static-go").result
    assert b"CGO_ENABLED=0 go build -trimpath -ldflags \"-s -w -X 'main.version=1.0 of today'\" -o" in fixed
    after = image(warm_engine, service, fixed)
    assert warm_engine.run(after) == "hello from 1.0 of today\n"
    assert size(after) < size(before)
    assert errors(service, fixed) == []


@pytest.mark.engine
def test_a_program_with_c_runs_in_the_debian_that_it_was_built_in(warm_engine: Engine, tmp_path: Path) -> None:
    for base in ("golang:1.26-bookworm", ALPINE, "debian:bookworm-slim"):
        _needs(warm_engine, base)
    folder = write(tmp_path, {"go.mod": MODULE, "main.go": OF_ITS_OWN})
    source = dockerfile(ALPINE, "go build -o /out/shop .").replace(b"golang:1.22", b"golang:1.26-bookworm")
    source = source.replace(b'CMD ["/shop"]', b"CMD /shop")
    with pytest.raises(RuntimeError, match=MISSING):
        warm_engine.run(image(warm_engine, folder, source))
    changed = report(folder, source, "env-match").result
    assert changed == source.replace(ALPINE.encode(), b"debian:bookworm-slim")
    assert "42" in warm_engine.run(image(warm_engine, folder, changed))


@pytest.mark.engine
def test_a_static_service_needs_nothing_of_debian(warm_engine: Engine, service: Path) -> None:
    base = "debian:bookworm-slim"
    _needs(warm_engine, base)
    _needs(warm_engine, DISTROLESS)
    source = dockerfile(base, "CGO_ENABLED=0 go build -o /out/shop .")
    changed = report(service, source, "runtime-base").result
    assert changed == source.replace(base.encode(), DISTROLESS.encode())
    before, after = image(warm_engine, service, source), image(warm_engine, service, changed)
    assert warm_engine.run(before) == warm_engine.run(after) == "hello from none\n"
    assert size(after) < size(before) / 4


def _needs(engine: Engine, base: str) -> None:
    if base != "scratch" and not engine.has(base):
        pytest.skip(f"the engine has no image {base}")
