from __future__ import annotations

import pytest
from dockopt.optimizer.ecosystems.rust.lockfile import parse_lock_file
from dockopt.optimizer.ecosystems.rust.manifest import SIZE_LIMIT, ManifestError, parse_manifest
from dockopt.optimizer.ecosystems.rust.settings import parse_config, parse_toolchain

from tests.ecosystems.rust.images import LOCK, PACKAGE


def test_a_package_without_targets_is_found_by_its_files() -> None:
    manifest = parse_manifest(PACKAGE.encode())
    assert (manifest.package, manifest.version) == ("app", "0.1.0")
    assert not manifest.has_target
    assert manifest.wanted == ()
    assert manifest.markers == ("src/lib.rs", "src/main.rs")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param('[[bin]]\nname = "app"\npath = "x.rs"', (), id="bin-with-path"),
        pytest.param('[[bin]]\nname = "app"', (("src/bin/app.rs", "src/bin/app/main.rs", "src/main.rs"),), id="main"),
        pytest.param('[[bin]]\nname = "tool"', (("src/bin/tool.rs", "src/bin/tool/main.rs"),), id="other-bin"),
        pytest.param('[lib]\ncrate-type = ["cdylib"]', (("src/lib.rs",),), id="lib"),
        pytest.param('[[example]]\nname = "e"', (("examples/e.rs", "examples/e/main.rs"),), id="example"),
        pytest.param('[[test]]\nname = "t"\npath = "t.rs"', (), id="test-with-path"),
        pytest.param('[[bench]]\nname = "b"\nharness = false', (("benches/b.rs", "benches/b/main.rs"),), id="bench"),
    ],
)
def test_targets_without_a_path_have_to_be_there(text: str, wanted: tuple[tuple[str, ...], ...]) -> None:
    assert parse_manifest(f"{PACKAGE}\n{text}\n".encode()).wanted == wanted


def test_switches_of_the_package() -> None:
    assert parse_manifest((PACKAGE + "autobins = false\n").encode()).markers == ("src/lib.rs",)
    assert parse_manifest((PACKAGE + 'links = "z"\n').encode()).wanted == (("build.rs",),)
    assert parse_manifest((PACKAGE + 'links = "z"\nbuild = "b.rs"\n').encode()).wanted == ()
    assert parse_manifest((PACKAGE + 'default-run = "tool"\n').encode()).wanted[0][0] == "src/bin/tool.rs"


def test_dependencies_of_every_table() -> None:
    text = (
        PACKAGE
        + """
[dependencies]
itoa = "1"
words = { path = "../words" }
shared.workspace = true
[target.'cfg(unix)'.build-dependencies]
tool = { path = "tool", package = "real-name" }
[patch.crates-io]
itoa = { path = "third_party/itoa" }
"""
    )
    manifest = parse_manifest(text.encode())
    assert [(p.name, p.path, p.line) for p in manifest.paths] == [("words", "../words", 8), ("tool", "tool", 11)]
    assert manifest.requires == {"itoa", "words", "shared", "real-name"}
    assert manifest.inherited == {"shared"}
    assert [(p.path, p.line) for p in manifest.patches] == [("third_party/itoa", 13)]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        pytest.param(b"[package\n", 1, id="no-toml"),
        pytest.param(b"a = 1\n\xff\n", 2, id="no-utf8"),
        pytest.param(b"x = 1\n", 1, id="neither-package-nor-workspace"),
        pytest.param(b"[package]\nversion = '1'\n", 1, id="no-name"),
        pytest.param(b"[package]\nname = 7\n", 2, id="name-is-a-number"),
        pytest.param(b"package = 3\n", 1, id="package-is-a-number"),
        pytest.param(b"[package]\nname='a'\n[dependencies]\nb = 3\n", 4, id="dependency-is-a-number"),
        pytest.param(b"bin = 3\n[package]\nname='a'\n", 1, id="targets-are-a-number"),
        pytest.param(b"[package]\nname='a'\n[[bin]]\npath='x'\n", 3, id="target-without-a-name"),
        pytest.param(b"[workspace]\nmembers = 'a'\n", 2, id="members-are-a-string"),
        pytest.param(b"#" * (SIZE_LIMIT + 1), 0, id="too-long"),
        pytest.param(b"a = " + b"[" * 5000, 0, id="nested-too-deeply"),
    ],
)
def test_what_is_not_understood_has_a_line(data: bytes, line: int) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(data)
    assert caught.value.message
    if line:
        assert caught.value.line == line


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    assert parse_manifest(b"\xef\xbb\xbf" + PACKAGE.replace("\n", "\r\n").encode()).package == "app"


def test_lock_file_tells_where_packages_come_from() -> None:
    lock = parse_lock_file(LOCK.encode())
    assert (lock.registry, lock.git) == (True, False)
    manifest = parse_manifest((PACKAGE + '[dependencies]\nitoa = "1"\n').encode())
    assert lock.agrees([manifest])
    assert not lock.agrees([parse_manifest((PACKAGE + '[dependencies]\nmemchr = "2"\n').encode())])
    assert not lock.agrees([parse_manifest(PACKAGE.replace("0.1.0", "0.2.0").encode())])
    assert parse_lock_file(LOCK.replace("registry+", "git+").encode()).git
    assert not parse_lock_file(b"version = 3\n").downloads


@pytest.mark.parametrize(
    "data", [b"package = 3", b"[[package]]\nname = 3\nversion = '1'", b"[[package]\n", b"package = [1]"]
)
def test_a_lock_file_that_is_not_understood(data: bytes) -> None:
    with pytest.raises(ManifestError):
        parse_lock_file(data)


def test_settings() -> None:
    assert parse_config(b"[net]\noffline = true\n").offline_line == 2
    assert parse_config(b"[source.crates-io]\nreplace-with = 'v'\n").source_line == 2
    assert parse_config(b"[build]\ntarget-dir = 'out'\n").target_dir == "out"
    assert parse_config(b"paths = ['x']\n").other == "paths"
    with pytest.raises(ManifestError):
        parse_config(b"net = 3\n")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[build]\nrustc-wrapper = 'sccache'\n", None),
        ("[build]\nrustc-wrapper = './wrap.sh'\n", "rustc-wrapper"),
        ("[build]\ntarget = 'x86_64-unknown-linux-musl'\n", None),
        ("[build]\ntarget = 'board.json'\n", "target"),
        ("[build]\ntarget = ['board.json']\n", "target"),
        ("[http]\ncainfo = 'certs/ca.pem'\n", "cainfo"),
        ("[registries.ours]\nindex = 'sparse+https://example.com/'\n", None),
        ("[registries.ours]\ncredential-provider = ['./token']\n", "credential-provider"),
        ("[patch.crates-io]\na = { path = 'a' }\n", "patch"),
    ],
)
def test_settings_that_lead_to_other_files(text: str, key: str | None) -> None:
    assert parse_config(text.encode()).other == key


def test_toolchains() -> None:
    assert parse_toolchain(b"1.80.1\n").is_there("1.80.1")
    assert not parse_toolchain(b"stable\n").is_there("1.80.1")
    assert parse_toolchain(b"[toolchain]\nchannel = '1.80.1'\n").is_there("1.80.1")
    assert not parse_toolchain(b"[toolchain]\nchannel = '1.80.1'\ntargets = ['wasm32-wasi']\n").is_there("1.80.1")
    assert not parse_toolchain(b"1.80.1\n").is_there(None)
    with pytest.raises(ManifestError):
        parse_toolchain(b"[toolchain]\npath = '/x'\n")
