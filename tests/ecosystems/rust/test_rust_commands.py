from __future__ import annotations

import pytest
from dockopt.optimizer.ecosystems.rust.arguments import read_command
from dockopt.optimizer.ecosystems.rust.commands import CRATES_AVAILABLE, LOCK_CURRENT
from dockopt.optimizer.effects import Kind, World
from dockopt.optimizer.regions import region

from tests.ecosystems.rust.images import LOCK, PACKAGE, RUST, Image, effects

MANIFEST = PACKAGE + '[dependencies]\nitoa = "1"\n'
FILES = {"/app/Cargo.toml": MANIFEST, "/app/Cargo.lock": LOCK, "/app/src/main.rs": "", "/app/src/more.rs": ""}


def test_fetch_reads_manifests_and_fills_caches() -> None:
    found = effects("cargo fetch --locked", Image(FILES))
    assert found.unknown is None
    assert not found.reads.overlaps(region("/app"))
    assert {"/app/Cargo.toml", "/app/Cargo.lock", "/app/src/main.rs"} <= set(found.probes)
    assert "/app/src/more.rs" not in found.probes
    assert found.writes == ()
    assert "/usr/local/cargo/registry" in found.caches
    assert (found.world, found.assumptions) == (World.LOCKED, (CRATES_AVAILABLE,))


def test_without_locked_the_lock_file_is_compared_or_written() -> None:
    assert LOCK_CURRENT in effects("cargo fetch", Image(FILES)).assumptions
    stale = effects("cargo fetch", Image({**FILES, "/app/Cargo.toml": MANIFEST + 'memchr = "2"\n'}))
    assert [(w.kind, w.region) for w in stale.writes] == [(Kind.SET, region("/app/Cargo.lock"))]
    assert stale.world is World.REPOSITORY


def test_facts_of_the_compiler_go_to_a_target_directory_that_is_there() -> None:
    found = effects("cargo fetch --locked", Image({**FILES, "/app/target/x": ""}))
    assert [w.region for w in found.writes] == [region("/app/target/.rustc_info.json")]


@pytest.mark.parametrize(
    ("command", "image"),
    [
        pytest.param("cargo fetch --manifest-path x/Cargo.toml", Image(FILES), id="another-manifest"),
        pytest.param("cargo fetch --offline", Image(FILES), id="offline"),
        pytest.param("cargo fetch", Image(FILES, online=False), id="no-network"),
        pytest.param("cargo fetch", Image(FILES, cwd=None), id="directory-not-known"),
        pytest.param("cargo fetch", Image(FILES, environment={}), id="no-cargo-home"),
        pytest.param(
            "cargo fetch",
            Image({f"/{p.lstrip('/')}".replace("/app/", "/"): t for p, t in FILES.items()}, cwd="/"),
            id="root",
        ),
        pytest.param("cargo fetch", Image({**FILES, "/app/rust-toolchain": "nightly"}), id="another-toolchain"),
        pytest.param(
            "cargo fetch", Image({**FILES, "/app/.cargo/config": "[net]\noffline = true\n"}), id="offline-by-settings"
        ),
        pytest.param(
            "cargo fetch", Image(FILES, environment={**RUST, "CARGO_NET_OFFLINE": "true"}), id="offline-by-variable"
        ),
        pytest.param("cargo fetch", Image(FILES, environment={**RUST, "HOME": "/app"}), id="home-in-the-project"),
        pytest.param("cargo build", Image(FILES), id="build-scripts"),
        pytest.param("cargo ?x", Image(FILES), id="subcommand-not-known"),
        pytest.param("cargo xtask", Image(FILES), id="subcommand-of-the-project"),
        pytest.param("cargo install --git https://example.com/x", Image(FILES), id="install-from-git"),
        pytest.param("cargo install ?x", Image(FILES), id="install-of-something"),
        pytest.param("rustup default nightly", Image(FILES), id="rustup-default"),
        pytest.param("rustup toolchain install --path x", Image(FILES), id="rustup-path"),
    ],
)
def test_unknown(command: str, image: Image) -> None:
    assert effects(command, image).unknown


def test_install_of_a_published_package_looks_at_the_toolchain_only() -> None:
    found = effects("cargo install trunk --locked", Image(FILES))
    assert found.unknown is None
    assert found.world is World.REPOSITORY
    assert not found.reads.overlaps(region("/app/src"))
    assert {"/app/rust-toolchain", "/app/rust-toolchain.toml"} <= set(found.probes)
    assert region("/usr/local/cargo/bin") in [w.region for w in found.writes]
    assert region("/tools/bin") in [w.region for w in effects("cargo install --root /tools trunk", Image(FILES)).writes]


def test_rustup_adds_to_its_home() -> None:
    found = effects("rustup target add x86_64-unknown-linux-musl", Image(FILES))
    assert [w.region for w in found.writes] == [region("/usr/local/rustup"), region("/usr/local/cargo/bin")]


@pytest.mark.parametrize(
    ("line", "name", "options"),
    [
        ("cargo b -r", "build", {"-r": ""}),
        ("cargo +nightly build -pfoo --target=x", "build", {"-p": "foo", "--target": "x"}),
        ("cargo --locked -j 4 build", "build", {"--locked": "", "-j": "4"}),
        ("cargo run -- --offline", "run", {}),
    ],
)
def test_command_lines(line: str, name: str, options: dict[str, str]) -> None:
    read = read_command(tuple(line.split()))
    assert read is not None
    assert (read.name, dict(read.options)) == (name, options)
