import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from dockopt.optimizer.write import WriteRefused, write_files

Snapshot = dict[str, tuple[bytes, int]]


def snapshot(directory: Path) -> Snapshot:
    """Names, contents and modes: what a failed call must leave as it was, temporary files included."""
    return {
        str(path.relative_to(directory)): (path.read_bytes(), stat.S_IMODE(path.lstat().st_mode))
        for path in directory.rglob("*")
        if path.is_file()
    }


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "Dockerfile", tmp_path / ".dockerignore"
    first.write_bytes(b"old 1\r\n")
    second.write_bytes(b"old 2")
    first.chmod(0o640)
    return first, second


def test_all_files_are_replaced(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    first, second = pair
    new = tmp_path / "new"
    write_files({first: (b"old 1\r\n", b"new 1\r\n"), second: (b"old 2", b""), new: (None, b"made")})
    assert (first.read_bytes(), second.read_bytes(), new.read_bytes()) == (b"new 1\r\n", b"", b"made")
    assert names(tmp_path) == [".dockerignore", "Dockerfile", "new"]


def test_the_mode_stays(pair: tuple[Path, Path]) -> None:
    first, second = pair
    second.chmod(0o755)
    write_files({first: (b"old 1\r\n", b"x"), second: (b"old 2", b"y")})
    assert stat.S_IMODE(first.stat().st_mode) == 0o640
    assert stat.S_IMODE(second.stat().st_mode) == 0o755


def test_a_new_file_follows_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_files({tmp_path / "new": (None, b"x")})
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_owner_stays(pair: tuple[Path, Path]) -> None:
    first, _ = pair
    os.chown(first, 12345, 23456)
    write_files({first: (b"old 1\r\n", b"x")})
    assert (first.stat().st_uid, first.stat().st_gid) == (12345, 23456)


def test_a_refused_owner_is_no_failure(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = pair
    here = os.stat_result

    def another_owner(descriptor: int) -> os.stat_result:
        values = list(os.stat(descriptor))
        values[4] += 1
        return here(values)

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fstat", another_owner)
    monkeypatch.setattr(os, "fchown", refused)
    write_files({first: (b"old 1\r\n", b"x")})
    assert first.read_bytes() == b"x"


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    first, _ = pair
    (tmp_path / "sub").mkdir()
    link = tmp_path / "sub" / "Dockerfile"
    link.symlink_to("../Dockerfile")
    write_files({link: (b"old 1\r\n", b"new")})
    assert link.is_symlink()
    assert not first.is_symlink()
    assert first.read_bytes() == b"new"
    assert names(tmp_path / "sub") == ["Dockerfile"]


def test_one_file_under_two_names(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    first, _ = pair
    link = tmp_path / "link"
    link.symlink_to(first)
    with pytest.raises(WriteRefused, match="the same file"):
        write_files({first: (b"old 1\r\n", b"x"), link: (b"old 1\r\n", b"y")})
    assert first.read_bytes() == b"old 1\r\n"
    write_files({first: (b"old 1\r\n", b"x"), link: (b"old 1\r\n", b"x")})
    assert first.read_bytes() == b"x"


def spoil_changed(first: Path, second: Path) -> None:
    second.write_bytes(b"old 2, edited")


def spoil_longer(first: Path, second: Path) -> None:
    second.write_bytes(b"old 2\n")


def spoil_missing(first: Path, second: Path) -> None:
    second.unlink()


def spoil_directory(first: Path, second: Path) -> None:
    second.unlink()
    second.mkdir()


def spoil_fifo(first: Path, second: Path) -> None:
    second.unlink()
    os.mkfifo(second)


def spoil_link_loop(first: Path, second: Path) -> None:
    second.unlink()
    second.symlink_to(second.name)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_changed, "changed on disk"),
        (spoil_longer, "changed on disk"),
        (spoil_missing, "No such file"),
        (spoil_directory, "not a regular file"),
        (spoil_fifo, "not a regular file"),
        (spoil_link_loop, "symbolic links"),
    ],
)
def test_one_bad_file_and_nothing_is_written(
    tmp_path: Path, pair: tuple[Path, Path], spoil: Callable[[Path, Path], None], message: str
) -> None:
    first, second = pair
    spoil(first, second)
    before = snapshot(tmp_path)
    with pytest.raises(WriteRefused, match=message) as caught:
        write_files({first: (b"old 1\r\n", b"x"), second: (b"old 2", b"y")})
    assert f"`{second}`" in str(caught.value)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_a_new_file_never_replaces_anything(tmp_path: Path, pair: tuple[Path, Path], kind: str) -> None:
    first, second = pair
    if kind == "dangling link":
        second.unlink()
        second.symlink_to("elsewhere")
    before = snapshot(tmp_path)
    with pytest.raises(WriteRefused, match="exists already"):
        write_files({first: (b"old 1\r\n", b"x"), second: (None, b"y")})
    assert snapshot(tmp_path) == before


def test_a_file_that_appears_meanwhile_is_not_replaced(
    tmp_path: Path, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = pair
    new = tmp_path / "new"
    link = os.link

    def racing_link(source: Path, target: Path) -> None:
        if target == new:
            new.write_bytes(b"theirs")
        link(source, target)

    monkeypatch.setattr(os, "link", racing_link)
    with pytest.raises(WriteRefused, match="created meanwhile"):
        write_files({first: (b"old 1\r\n", b"x"), new: (None, b"ours")})
    assert new.read_bytes() == b"theirs"
    assert first.read_bytes() == b"old 1\r\n"


def test_a_read_only_file_is_refused(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = pair
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everything
    with pytest.raises(WriteRefused, match="read-only"):
        write_files({first: (b"old 1\r\n", b"x")})
    assert first.read_bytes() == b"old 1\r\n"


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WriteRefused, match="No such file"):
        write_files({tmp_path / "none" / "new": (None, b"x")})


FAILURES = [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), MemoryError()]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize(
    ("function", "links"),
    [
        *((function, True) for function in ("open", "write", "fsync", "fchmod", "replace", "link")),
        *((function, False) for function in ("open", "write", "fsync", "fchmod", "replace")),
    ],
    ids=lambda value: value if isinstance(value, str) else ("links" if value else "no-links"),
)
def test_whatever_fails_whenever_nothing_changes(
    tmp_path: Path,
    pair: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    links: bool,
    failure: BaseException,
) -> None:
    """Let every single call of a system function fail in turn, after and before it did its work."""
    first, second = pair
    new = tmp_path / "new"
    wanted: dict[Path, tuple[bytes | None, bytes]] = {
        first: (b"old 1\r\n", b"x"),
        new: (None, b"made"),
        second: (b"old 2", b"y"),
    }
    before = snapshot(tmp_path)
    if not links:

        def no_link(*_: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", no_link)
    original = getattr(os, function)
    fails_at, calls, done_before_failing = 0, 0, False

    def failing(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls != fails_at:
            return original(*arguments, **options)
        if done_before_failing:
            original(*arguments, **options)
        raise failure

    interrupt = not isinstance(failure, OSError)
    for done_before_failing in (False, True) if interrupt and function in ("replace", "link") else (False,):  # noqa: B007
        for fails_at in range(1, 40):
            calls = 0
            with monkeypatch.context() as patch:
                patch.setattr(os, function, failing)
                try:
                    write_files(wanted)
                except (WriteRefused, KeyboardInterrupt, MemoryError):
                    assert snapshot(tmp_path) == before, f"call {fails_at} of {function}"
                    continue
            break
        else:
            pytest.fail("it never went through")
        assert fails_at > 1, f"{function} is not used"
        assert (first.read_bytes(), new.read_bytes(), second.read_bytes()) == (b"x", b"made", b"y")
        assert names(tmp_path) == [".dockerignore", "Dockerfile", "new"]
        first.write_bytes(b"old 1\r\n")
        second.write_bytes(b"old 2")
        new.unlink()


def test_what_cannot_be_put_back_is_kept_and_named(
    tmp_path: Path, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair
    replace, calls = os.replace, 0

    def failing_from_the_second_call(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(errno.EIO, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing_from_the_second_call)
    with pytest.raises(WriteRefused, match=r"cannot be put back .*its old content is in `(.*)`") as caught:
        write_files({first: (b"old 1\r\n", b"x"), second: (b"old 2", b"y")})
    kept = [path for path in tmp_path.iterdir() if path.name.startswith(".dockopt-")]
    assert any(path.read_bytes() == b"old 1\r\n" and str(path) in str(caught.value) for path in kept)
