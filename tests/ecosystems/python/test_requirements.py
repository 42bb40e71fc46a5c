"""Requirements files: what they name, and the file and line of what is not understood."""

from __future__ import annotations

import pytest
from dockopt.optimizer.ecosystems.python.requirements import Reader, Requirements, world_of
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle
from dockopt.optimizer.effects import World
from hypothesis import given
from hypothesis import strategies as st

from tests.ecosystems.python.fakes import Image, app

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def found(files: dict[str, str | bytes], image: Image | None = None) -> Requirements:
    reader = Reader(image or app(files))
    reader.file("requirements.txt", "/app", top=True)
    return reader.found


def cause(files: dict[str, str | bytes]) -> tuple[str, str, int]:
    with pytest.raises(Obstacle) as caught:
        found(files)
    return caught.value.reason, caught.value.path.removeprefix("/app/"), caught.value.line


def test_nested_files_are_relative_to_the_file_that_names_them() -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "-r lists/a.txt\n--constraint=lists/c.txt\nflask\n",
        "lists/a.txt": "-r more/b.txt\n",
        "lists/more/b.txt": "gunicorn\n",
        "lists/c.txt": "",
    }
    assert found(files).files == [
        "/app/requirements.txt",
        "/app/lists/a.txt",
        "/app/lists/more/b.txt",
        "/app/lists/c.txt",
    ]


@pytest.mark.parametrize(
    ("line", "world"),
    [
        ("flask", World.REPOSITORY),
        ("flask==3.0.3  # pinned", World.REPOSITORY),
        ("uvicorn[standard] >= 0.20 ; python_version < '4'", World.REPOSITORY),
        ("flask==3.0.3 --hash=sha256:" + "0" * 64, World.LOCKED),
        ("flask==3.0.3 \\\n    --hash=sha256:" + "0" * 64, World.LOCKED),
        (f"a @ git+https://example.org/a.git@{COMMIT}", World.LOCKED),
        ("a @ git+https://example.org/a.git@v1.2.3", World.REPOSITORY),
        ("a @ git+https://example.org/a.git@main", World.FREE),
        ("git+ssh://git@example.org/a.git#egg=a", World.FREE),
        ("https://example.org/a/archive/main.zip", World.FREE),
        ("https://example.org/a-1.0-py3-none-any.whl", World.REPOSITORY),
        ("a @ https://example.org/a-1.0.tar.gz", World.REPOSITORY),
        ("https://example.org/main.zip#sha256=" + "0" * 64, World.LOCKED),
        ("old-release==2004d", World.REPOSITORY),
    ],
)
def test_how_far_a_line_depends_on_the_world(line: str, world: World) -> None:
    assert found({"requirements.txt": line + "\n"}).result is world


def test_one_hash_makes_pip_ask_for_all() -> None:
    """But it does not make an URL of a branch safe."""
    hashed = "flask==1 --hash=sha256:" + "0" * 64
    assert found({"requirements.txt": f"{hashed}\nidna\n"}).result is World.LOCKED
    assert found({"requirements.txt": f"{hashed}\ngit+https://example.org/a@main\n"}).result is World.FREE


def test_archives_and_directories_of_links() -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "-f wheels\n--find-links https://example.org/links\n./dist/a-1-py3-none-any.whl[fast]\nfile:///app/b-1.tar.gz\n",
        "wheels/c-1-py3-none-any.whl": b"",
        "dist/a-1-py3-none-any.whl": b"",
        "b-1.tar.gz": b"",
    }
    result = found(files)
    assert result.files == ["/app/requirements.txt", "/app/dist/a-1-py3-none-any.whl", "/app/b-1.tar.gz"]
    assert result.trees == ["/app/wheels"]


def test_links_are_looked_for_beside_the_file_first() -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "-r lists/a.txt\n",
        "lists/a.txt": "-f wheels\n",
        "wheels/x.whl": b"",
    }
    result = found(files)
    assert (result.absent, result.trees) == (["/app/lists/wheels"], ["/app/wheels"])


def test_variables_are_expanded_and_named() -> None:
    image = app(
        {"requirements.txt": "--extra-index-url https://${TOKEN}@example.org/\n-r ${KIND}.txt\n", "prod.txt": ""}
    )
    image.environment = {**image.environment, "KIND": "prod"}
    result = found({}, image)
    assert result.files == ["/app/requirements.txt", "/app/prod.txt"]
    assert result.variables == ["TOKEN", "KIND"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-e .", "files of the project itself"),
        ("--editable=./lib", "files of the project itself"),
        ("-e git+https://example.org/a@main#egg=a", "cloned into `./src`"),
        ("./lib", "a project of its own"),
        ("lib/", "a project of its own"),
        ("a @ file:///app/lib", "a project of its own"),
        ("-r https://example.org/list.txt", "fetched from elsewhere"),
        ("-r ~/list.txt", "home directory"),
        ("-r missing.txt", "there is no `/app/missing.txt`"),
        ("-r ${KIND}.txt", "not known before the build"),
        ("-r requirements.txt", "includes itself"),
        ("--frobnicate", "not understood"),
        ("flask --frobnicate", "not understood"),
        ("--index-url 'https", "not understood"),
        ("-f file:///app/wheels", "write a path"),
        ("=== 1", "not understood"),
        ("flask @ ", "not understood"),
        ("https://[example.org/a.zip", "not understood"),
        ("-r pylock.toml", "not modelled"),
        ("git+file:///app/vendor/six@v1.16.0", "a repository among the files"),
        ("six @ git+file:///app/six@" + "0" * 40, "a repository among the files"),
        ("-i ./simple", "the index `./simple` is a directory"),
        ("--extra-index-url file:///app/simple", "is a directory"),
    ],
)
def test_what_is_not_understood_has_a_line(line: str, words: str) -> None:
    reason, path, number = cause({"requirements.txt": f"# first\n{line}\n", "lib/setup.py": ""})
    assert words in reason
    assert (path, number) in {("requirements.txt", 2), ("pylock.toml", 0)}


def test_encodings() -> None:
    assert found({"requirements.txt": b"\xef\xbb\xbfflask\n"}).files == ["/app/requirements.txt"]
    assert found({"requirements.txt": "flask\n".encode("utf-16")}).files == ["/app/requirements.txt"]
    assert cause({"requirements.txt": b"# \xe9\n"})[0] == "`requirements.txt` is not UTF-8"


def test_a_huge_file_is_refused() -> None:
    assert cause({"requirements.txt": b"a\n" * (3 << 20)})[0] == "`requirements.txt` is too large to be read"


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    try:
        found({"requirements.txt": data})
    except Obstacle as obstacle:
        assert obstacle.reason


@given(st.lists(st.text("-re./ab@=:#\\ ${}[];~'\"<>!~\t", max_size=20), max_size=5))
def test_no_lines_make_it_fail(lines: list[str]) -> None:
    try:
        found({"requirements.txt": "\n".join(lines)})
    except Obstacle as obstacle:
        assert obstacle.reason


@given(st.text(max_size=60))
def test_no_url_makes_it_fail(text: str) -> None:
    assert world_of("https://" + text) in World
