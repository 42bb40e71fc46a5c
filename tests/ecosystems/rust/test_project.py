from __future__ import annotations

import pytest
from dockopt.optimizer.ecosystems.rust.project import Obstacle, Project, project_at

from tests.ecosystems.rust.images import LOCK, PACKAGE, Image

MEMBER = '[package]\nname = "{}"\nversion = "0.1.0"\n'
WORKSPACE = {
    "/app/Cargo.toml": '[workspace]\nmembers = ["server", "crates/*"]\n\n[workspace.dependencies]\nwords = { path = "crates/words" }\n',
    "/app/Cargo.lock": LOCK,
    "/app/server/Cargo.toml": MEMBER.format("server") + "[dependencies]\nwords.workspace = true\n",
    "/app/server/src/main.rs": "",
    "/app/crates/words/Cargo.toml": MEMBER.format("words"),
    "/app/crates/words/src/lib.rs": "",
    "/app/crates/notes.txt": "",
}


def found(files: dict[str, str], directory: str = "/app", unknown: frozenset[str] = frozenset()) -> Project:
    result = project_at(Image(files, unknown=unknown), directory)
    assert isinstance(result, Project), result
    return result


def obstacle(files: dict[str, str], directory: str = "/app", unknown: frozenset[str] = frozenset()) -> Obstacle:
    result = project_at(Image(files, unknown=unknown), directory)
    assert isinstance(result, Obstacle), result
    return result


def test_workspace_from_its_root_and_from_a_member() -> None:
    for directory in ("/app", "/app/server", "/app/crates/words"):
        project = found(WORKSPACE, directory)
        assert project.root == "/app"
        assert set(project.files) == set(WORKSPACE) - {"/app/crates/notes.txt"}
        assert project.manifests[0] == "/app/Cargo.toml"


def test_a_program_in_src_bin_is_a_target() -> None:
    files = {"/app/Cargo.toml": PACKAGE, "/app/src/bin/b/main.rs": "", "/app/src/bin/notes.txt": ""}
    assert found(files).sources == (("/app/Cargo.toml", "/app/src/bin/b/main.rs"),)


def test_every_place_where_something_was_looked_for_is_told() -> None:
    project = found({"/app/Cargo.toml": PACKAGE, "/app/src/main.rs": ""})
    wanted = {
        "/app/Cargo.lock",
        "/app/src/lib.rs",
        "/Cargo.toml",
        "/app/.cargo/config.toml",
        "/.cargo/config",
        "/app/rust-toolchain",
    }
    assert wanted <= set(project.absent)
    assert project.lock is None


def test_path_dependencies_and_patches_are_followed() -> None:
    files = {
        "/app/Cargo.toml": PACKAGE + '[dependencies]\na = { path = "a" }\n[patch.crates-io]\nb = { path = "../b" }\n',
        "/app/src/main.rs": "",
        "/app/a/Cargo.toml": MEMBER.format("a") + '[dependencies]\nc = { path = "../c" }\n',
        "/app/a/src/lib.rs": "",
        "/app/c/Cargo.toml": MEMBER.format("c") + '[dependencies]\na = { path = "../a", optional = true }\n',
        "/app/c/src/lib.rs": "",
        "/b/Cargo.toml": MEMBER.format("b"),
        "/b/src/lib.rs": "",
    }
    assert set(found(files).files) == set(files)


@pytest.mark.parametrize(
    ("files", "reason", "path", "line"),
    [
        pytest.param({}, "no Cargo.toml", "", 0, id="nothing"),
        pytest.param({"/app/Cargo.toml": PACKAGE}, "no target", "/app/Cargo.toml", 0, id="no-target"),
        pytest.param(
            {"/app/Cargo.toml": PACKAGE + '[[bin]]\nname = "x"\n'},
            "no `src/bin/x.rs`",
            "/app/Cargo.toml",
            0,
            id="declared",
        ),
        pytest.param(
            {"/app/Cargo.toml": PACKAGE + '[dependencies]\na = { path = "../a" }\n', "/app/src/main.rs": ""},
            "without a Cargo.toml",
            "/app/Cargo.toml",
            6,
            id="path",
        ),
        pytest.param(
            {"/app/Cargo.toml": '[workspace]\nmembers = ["a"]\n'}, "`a` has no", "/app/Cargo.toml", 2, id="member"
        ),
        pytest.param(
            {"/app/Cargo.toml": '[workspace]\nmembers = ["**/a"]\n'},
            "not followed",
            "/app/Cargo.toml",
            2,
            id="any-depth",
        ),
        pytest.param(
            {"/app/Cargo.toml": '[workspace]\nmembers = ["c/*"]\n', "/app/c/.hidden/x": ""},
            "`c/.hidden`",
            "/app/Cargo.toml",
            2,
            id="hidden-directories-count",
        ),
        pytest.param(
            {"/Cargo.toml": MEMBER.format("above"), "/app/Cargo.toml": PACKAGE},
            "no workspace",
            "/Cargo.toml",
            0,
            id="above",
        ),
        pytest.param(
            {"/Cargo.toml": "[workspace]\nexclude = ['app']\n", "/app/Cargo.toml": PACKAGE},
            "excludes",
            "/Cargo.toml",
            0,
            id="excluded",
        ),
        pytest.param(
            {"/app/Cargo.toml": PACKAGE, "/app/src/main.rs": "", "/app/Cargo.lock": "["},
            "no TOML",
            "/app/Cargo.lock",
            0,
            id="lock",
        ),
    ],
)
def test_obstacles(files: dict[str, str], reason: str, path: str, line: int) -> None:
    problem = obstacle(files)
    assert reason in problem.reason
    assert problem.path == path
    if line:
        assert problem.line == line


def test_what_is_not_certain_is_an_obstacle() -> None:
    files = {"/app/Cargo.toml": PACKAGE, "/app/src/main.rs": ""}
    assert obstacle(files, unknown=frozenset({"/app/Cargo.lock"})).path == "/app/Cargo.lock"
    assert "is not certain" in obstacle(WORKSPACE, unknown=frozenset({"/app/crates"})).reason


def test_settings_of_a_part_of_the_workspace_are_an_obstacle() -> None:
    assert (
        "part of the workspace" in obstacle({**WORKSPACE, "/app/server/.cargo/config.toml": ""}, "/app/server").reason
    )
    assert (
        "part of the workspace" in obstacle({**WORKSPACE, "/app/server/rust-toolchain": "stable"}, "/app/server").reason
    )
    # cargo looks from where it stands, so from the root these do not count
    assert found({**WORKSPACE, "/app/server/.cargo/config.toml": ""}).configs == ()
