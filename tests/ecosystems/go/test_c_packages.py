"""The table of Go packages with C: its shape, how a package is looked up, and one real module for each thing that it may say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.go.c_packages import (
    C_PACKAGES,
    DYNAMIC_WITHOUT_CGO,
    NOT_ON_LINUX,
    CPackage,
    Library,
    Without,
    table,
)
from dockopt.optimizer.ecosystems.go.module_facts import (
    c_in_module,
    c_package,
    dynamic_without_cgo,
    may_be_dynamic_without_cgo,
)
from dockopt.optimizer.ecosystems.go.modules_without_c import MODULES_WITHOUT_C

_READ = re.compile(r"v?\d+\.\d+\.\d+[\w.-]*|commit [0-9a-f]{7}")


@pytest.mark.parametrize("package", C_PACKAGES, ids=lambda package: package.path)
def test_each_row_says_what_was_read(package: CPackage) -> None:
    path, what, read, library, without, free = package
    assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]+(?:/[\w.-]+)+", path)
    assert what and not what.endswith(".")
    assert _READ.fullmatch(read)
    assert (library, without) != (Library.LINKED, Without.FAILS), "a stub links nothing"
    assert all(not name.startswith("/") and not name.endswith("/") for name in free)


def test_no_package_stands_there_twice_or_below_another() -> None:
    paths = [package.path for package in C_PACKAGES]
    assert len(set(paths)) == len(paths)
    assert not [(a, b) for a in paths for b in paths if a.startswith(b + "/")]
    assert not set(paths) & set(DYNAMIC_WITHOUT_CGO)


def test_a_module_that_is_said_to_have_no_c_has_no_row_of_its_own_unless_by_another_module() -> None:
    both = [p.path for p in C_PACKAGES if p.path in MODULES_WITHOUT_C]
    assert both == ["gorm.io/driver/sqlite"]  # it imports go-sqlite3, which go.mod names too
    assert not MODULES_WITHOUT_C & set(DYNAMIC_WITHOUT_CGO)
    assert set(NOT_ON_LINUX) <= MODULES_WITHOUT_C


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("github.com/mattn/go-sqlite3", "github.com/mattn/go-sqlite3"),
        ("github.com/mattn/go-sqlite3-other", None),
        ("github.com/confluentinc/confluent-kafka-go/kafka", "github.com/confluentinc/confluent-kafka-go"),
        ("github.com/confluentinc/confluent-kafka-go/v2/kafka", "github.com/confluentinc/confluent-kafka-go"),
        ("github.com/confluentinc/confluent-kafka-go/v2/schemaregistry", None),
        ("github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde", "github.com/confluentinc/confluent-kafka-go"),
        ("github.com/ceph/go-ceph/rados", "github.com/ceph/go-ceph"),
        ("github.com/ceph/go-ceph/rgw/admin", None),
        ("github.com/google/gopacket", None),
        ("github.com/google/gopacket/afpacket", "github.com/google/gopacket/afpacket"),
        ("github.com/gopacket/gopacket/afpacket", None),
        ("github.com/ethereum/go-ethereum/common", None),
    ],
)  # fmt: skip
def test_a_package_is_looked_up_by_its_path_whatever_the_major_version(path: str, found: str | None) -> None:
    package = c_package(path)
    assert (None if package is None else package.path) == found


@pytest.mark.parametrize(
    ("module", "found"),
    [
        ("github.com/duckdb/duckdb-go/v2", "github.com/duckdb/duckdb-go"),
        ("github.com/coreos/go-systemd/v22", "github.com/coreos/go-systemd/v22/sdjournal"),
        ("github.com/google/gopacket", "github.com/google/gopacket/pcap"),
        ("github.com/ceph/go-ceph", "github.com/ceph/go-ceph"),
        ("github.com/google/uuid", None),
    ],
)
def test_a_module_has_packages_with_c_of_which_perhaps_none_is_used(module: str, found: str | None) -> None:
    package = c_in_module(module)
    assert (None if package is None else package.path) == found


@pytest.mark.parametrize(
    ("modules", "found"),
    [
        (["github.com/ebitengine/purego"], "github.com/ebitengine/purego"),
        (["github.com/shirou/gopsutil/v4", "github.com/ebitengine/purego"], None),
        (["github.com/shirou/gopsutil/v4", "github.com/ebitengine/purego", "github.com/google/uuid"], None),
        (["github.com/shirou/gopsutil/v4", "github.com/ebitengine/purego", "example.com/x"], "github.com/ebitengine/purego"),
        (["github.com/google/uuid"], None),
    ],
)  # fmt: skip
def test_what_may_link_against_the_c_library_without_cgo(modules: list[str], found: str | None) -> None:
    assert may_be_dynamic_without_cgo(modules, MODULES_WITHOUT_C) == found


def test_the_table_has_a_row_for_each_package() -> None:
    assert table().count("\n| `") == len(C_PACKAGES)


# -- the modules themselves --------------------------------------------------------------------------------------------

_GO = shutil.which("go")
_PROGRAMS = {
    "github.com/mattn/go-pointer": "println(p.Restore(nil) == nil)",
    "github.com/karalabe/hid": "_, err := p.DeviceInfo{}.Open()\nprintln(p.Supported(), err != nil)",
    "github.com/coreos/go-systemd/v22/util": "_, err := p.GetRunningSlice()\nprintln(err != nil)",
    "github.com/ebitengine/purego": 'h, err := p.Dlopen("libm.so.6", p.RTLD_NOW)\nprintln(h != 0, err == nil)',
}


def _built(directory: Path, package: str, module: str, version: str) -> subprocess.CompletedProcess[str]:
    (directory / "go.mod").write_text(f"module example.com/x\n\ngo 1.21\n\nrequire {module} {version}\n")
    (directory / "main.go").write_text(
        f'package main\n\nimport p "{package}"\n\nfunc main() {{\n{_PROGRAMS[package]}\n}}\n'
    )
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOOS": "linux"}
    found = subprocess.run(
        [_GO or "go", "mod", "download"], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if found.returncode != 0:
        pytest.skip(f"no module proxy answers: {found.stderr[:200]}")
    return subprocess.run(
        [_GO or "go", "build", "-o", "program", "."], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip


@pytest.mark.skipif(_GO is None, reason="Go is not installed")
@pytest.mark.parametrize(
    "package", ["github.com/mattn/go-pointer", "github.com/karalabe/hid", "github.com/coreos/go-systemd/v22/util"]
)
def test_without_cgo_a_real_module_does_what_the_table_says(package: str, tmp_path: Path) -> None:
    known = c_package(package)
    assert known is not None
    module = package.removesuffix("/util")
    done = _built(tmp_path, package, module, known.read)
    if known.without is Without.NO_BUILD:
        assert done.returncode != 0
        assert "build constraints exclude all Go files" in done.stderr or "undefined" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    if known.without is Without.FAILS:
        run = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=False)
        assert run.stderr == "false true\n"


@pytest.mark.skipif(_GO is None, reason="Go is not installed")
def test_without_cgo_purego_is_linked_against_the_c_library(tmp_path: Path) -> None:
    package = "github.com/ebitengine/purego"
    assert dynamic_without_cgo(package)
    done = _built(tmp_path, package, package, DYNAMIC_WITHOUT_CGO[package])
    assert done.returncode == 0, done.stderr
    data = (tmp_path / "program").read_bytes()
    assert b"ld-linux" in data and b"libc.so.6" in data
