"""Lock files, settings and options of Bundler: what an installation reads and makes."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.ruby.calls import call_of, is_installation
from dockopt.optimizer.ecosystems.ruby.lockfile import parse_lock, requirement_of
from dockopt.optimizer.ecosystems.ruby.project import Project, project_of
from dockopt.optimizer.ecosystems.ruby.settings import change_of
from dockopt.optimizer.ecosystems.view import Obstacle, View

from tests.ecosystems.folder import Folder, write

LOCK = """\
GEM
  remote: https://rubygems.org/
  specs:
    a (1.0.0)

PLATFORMS
  x86_64-linux

DEPENDENCIES
  a (~> 1.0)

RUBY VERSION
   ruby 3.3.0p0

BUNDLED WITH
   2.5.6
"""
FILES = {"Gemfile": 'gem "a", "~> 1.0"\n', "Gemfile.lock": LOCK, "app.rb": ""}
OFFICIAL = {"GEM_HOME": "/usr/local/bundle", "BUNDLE_APP_CONFIG": "/usr/local/bundle"}


def project(
    folder: Path, line: str = "bundle install", files: dict[str, str] | None = None, **known: object
) -> Project:
    known.setdefault("environment", OFFICIAL)
    around = Folder(write(folder, FILES | (files or {})), **known)  # type: ignore[arg-type]  # names are those of the fields
    return project_of(call_of(tuple(line.split())), View(around))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bundle", True),
        ("bundle install", True),
        ("bundler install --jobs 4", True),
        ("/usr/local/bin/bundle i", True),
        ("bundle _2.3.1_ install", True),
        ("bundle --without test", True),
        ("bundle --version", False),
        ("bundle exec rake", False),
        ("bundle config set path x", False),
        ("rake install", False),
    ],
)
def test_which_commands_install(line: str, expected: bool) -> None:
    assert is_installation(tuple(line.split())) is expected


@pytest.mark.parametrize(
    "line", ["bundle install --standalone", "bundle install a", "bundle install --jobs", "bundle install --binstubs"]
)
def test_options_that_are_not_understood(line: str) -> None:
    with pytest.raises(Obstacle):
        call_of(tuple(line.split()))


def test_a_number_of_jobs_need_not_be_known() -> None:
    assert call_of(("bundle", "install", None), ("bundle", "install", "-j$(nproc)")).switches == set()
    assert call_of(("bundle", "install", "--jobs", None), ("bundle", "install", "--jobs", "$N")).values == {
        "--jobs": ""
    }
    with pytest.raises(Obstacle, match="not known before the build"):
        call_of(("bundle", "install", None), ("bundle", "install", "$OPTIONS"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bundle config set --local path vendor/bundle", ("local", "path", "vendor/bundle")),
        ("bundle config set without development test", ("", "without", "development test")),
        ("bundle config --global frozen 1", ("global", "frozen", "1")),
        ("bundle config deployment true", ("", "deployment", "true")),
        ("bundle config unset frozen", ("", "frozen", None)),
        ("bundle config --delete frozen", ("", "frozen", None)),
        ("bundle config build.nokogiri --use-system-libraries", ("", "build.nokogiri", "--use-system-libraries")),
        ("bundle config gems.example.org a:b", ("", "gems.*", "a:b")),
        ("bundle config set --global https://gems.example.org a:b", ("global", "gems.*", "a:b")),
        ("bundle config get path", None),
        ("bundle config list", None),
        ("bundle config", None),
        ("bundle install", None),
    ],
)
def test_settings_by_command(line: str, expected: tuple[str, str, str | None] | None) -> None:
    assert change_of(tuple(line.split())) == expected


def test_a_secret_as_the_value_of_a_setting_need_not_be_known() -> None:
    assert change_of(("bundle", "config", "gems.example.org", None)) == ("", "gems.*", "?")
    with pytest.raises(Obstacle, match="`path` is not known"):
        change_of(("bundle", "config", "set", "path", None))
    with pytest.raises(Obstacle, match="which setting"):
        change_of(("bundle", "config", "set", None, "x"))


def test_what_an_installation_reads(tmp_path: Path) -> None:
    found = project(tmp_path)
    assert (found.directory, found.files) == ("/app", ("/app/Gemfile", "/app/Gemfile.lock"))
    assert found.absent == ("/app/gems.rb", "/app/.bundle/plugin/index", "/app/vendor/cache")
    assert (found.trees, found.outputs, found.made, found.rewritten) == ((), (), (), None)


def test_a_gemfile_above_the_working_directory_counts(tmp_path: Path) -> None:
    assert project(tmp_path, files={"web/x.rb": ""}, cwd="/app/web").directory == "/app"
    named = project(
        tmp_path,
        files={"web/Own": "", "web/Own.lock": LOCK.replace("  a (~> 1.0)\n", "")},
        environment=OFFICIAL | {"BUNDLE_GEMFILE": "web/Own"},
    )
    assert named.files == ("/app/web/Own", "/app/web/Own.lock")


def test_gems_rb_comes_first(tmp_path: Path) -> None:
    files = {"gems.rb": 'gem "a", "~> 1.0"\n', "gems.locked": LOCK}
    assert project(tmp_path, files=files).files == ("/app/gems.rb", "/app/gems.locked")


@pytest.mark.parametrize(
    ("line", "before", "environment", "outputs"),
    [
        ("bundle install", (), {}, ()),
        ("bundle install --deployment", (), {}, ("/app/vendor/bundle",)),
        ("bundle install --path gems", (), {}, ("/app/gems",)),
        ("bundle install --system --deployment", (), {}, ()),
        ("bundle install", ("bundle config set --local path vendor/bundle",), {}, ("/app/vendor/bundle",)),
        ("bundle install", ("bundle config set --local path x", "bundle config unset path"), {}, ()),
        ("bundle install", (), {"BUNDLE_DEPLOYMENT": "1"}, ("/app/vendor/bundle",)),
        ("bundle install", (), {"BUNDLE_DEPLOYMENT": "1", "BUNDLE_PATH": "/usr/local/bundle"}, ()),
        ("bundle install", ("bundle config deployment true",), {"BUNDLE_PATH": "/usr/local/bundle"}, ("/app/vendor/bundle",)),
        ("bundle install", (), {"BUNDLE_PATH": "/app/gems", "BUNDLE_PATH__SYSTEM": "false"}, ("/app/gems",)),
    ],
)  # fmt: skip
def test_where_gems_go(
    line: str, before: tuple[str, ...], environment: dict[str, str], outputs: tuple[str, ...], tmp_path: Path
) -> None:
    assert project(tmp_path, line, before=before, environment=OFFICIAL | environment).outputs == outputs


@pytest.mark.parametrize(
    ("line", "before", "environment", "reason"),
    [
        ("bundle install", ("bundle config set local.a ../a",), {}, "`local.a` of Bundler"),
        ("bundle install", (), {"BUNDLE_PATH": "."}, "among the files of the project"),
        ("bundle install --clean", (), {}, "removes gems"),
        ("bundle install", (), {"RUBYLIB": "/app/lib"}, "leads to `/app/lib`"),
        ("bundle install", (), {"RUBYOPT": "-W0 -r./app"}, "makes Ruby load files"),
        ("bundle install", (), {"GEM_HOME": "/app/gems"}, "`GEM_HOME` leads to"),
        ("bundle install", (), {"BUNDLE_USER_HOME": "/app"}, "`BUNDLE_USER_HOME` leads to"),
        ("bundle install --gemfile None", (), {}, "is not there"),
    ],
)
def test_what_cannot_be_told(
    line: str, before: tuple[str, ...], environment: dict[str, str], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(Obstacle, match=reason):
        project(tmp_path, line, before=before, environment=OFFICIAL | environment)


@pytest.mark.parametrize(
    ("files", "environment", "reason"),
    [
        ({".bundle/config": "- a\n"}, {}, "holds no mapping"),
        ({".bundle/config": "a: [\n"}, {}, "is no YAML"),
        ({".bundle/config": "---\nBUNDLE_LOCAL__A: ../a\n"}, {}, "`local.a`"),
        ({".bundle/plugin/index": "---\n"}, {}, "plugins of Bundler"),
        ({"Gemfile.lock": "<html>\n"}, {}, "is no section"),
        ({"Gemfile.lock": ""}, {}, "is no lock file"),
        ({"Gemfile.lock": LOCK.replace("  a (~> 1.0)", "  a (")}, {}, "is no dependency"),
        ({"Gemfile.lock": "PATH\n  remote: .\n  specs:\n    x (1)\n\n" + LOCK}, {}, "which the Gemfile does not name"),
        ({"Gemfile": 'gem "a", path: "."\n'}, {}, "is the project itself"),
        ({"Gemfile": 'gem "a", path: ".."\n'}, {}, "is the project itself|takes gems"),
        ({"Gemfile": 'gem "a", path: "none"\n'}, {}, "is not there"),
        ({"Gemfile": 'gem "a", path: "app.rb"\n'}, {}, "not certain what lies"),
    ],
)  # fmt: skip
def test_files_that_are_obstacles(
    files: dict[str, str], environment: dict[str, str], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(Obstacle, match=reason):
        project(tmp_path, files=files, environment=environment)


def test_settings_of_the_application_count(tmp_path: Path) -> None:
    files = {".bundle/config": '---\nBUNDLE_PATH: "vendor/gems"\nBUNDLE_FROZEN: true\nBUNDLE_WITHOUT: "test"\n'}
    found = project(tmp_path, files=files, environment={})
    assert found.outputs == ("/app/vendor/gems",)
    assert "/app/.bundle/config" in found.files
    # the official image keeps them elsewhere
    assert project(tmp_path, files=files).outputs == ()


@pytest.mark.parametrize(
    ("lock", "gemfile", "reason"),
    [
        (LOCK, 'gem "a", "~> 1.0"\ngem "b"\n', "`b` is not among"),
        (LOCK, 'gem "a", "~> 1.1"\n', "another requirement of `a`"),
        (LOCK, "\n", "does not ask for `a`"),
        (LOCK.replace("x86_64-linux", "arm64-darwin-23"), 'gem "a", "~> 1.0"\n', "is for arm64-darwin-23 alone"),
        (LOCK.replace("2.5.6", "1.17.2"), 'gem "a", "~> 1.0"\n', "Bundler 1.17.2"),
        (LOCK, 'gem "a", "~> 1.0"\ngem "b" if ENV["B"]\n', None),
        (LOCK, 'gem "a", ENV["V"]\n', None),
        (LOCK, 'gem "a", [ "~> 1.0" ], require: false\n', None),
        (LOCK.replace("(~> 1.0)", "(>= 1.0, < 2)"), 'gem "a", "< 2", ">= 1.0"\n', None),
        (LOCK.replace("(~> 1.0)", "(= 1.0)!"), 'gem "a", "1.0"\n', None),
        (LOCK.replace("x86_64-linux", "aarch64-linux-musl"), 'gem "a", "~>1.0"\n', None),
    ],
)
def test_when_a_lock_file_is_written_anew(lock: str, gemfile: str, reason: str | None, tmp_path: Path) -> None:
    found = project(tmp_path, files={"Gemfile": gemfile, "Gemfile.lock": lock}).rewritten
    assert (found is None) == (reason is None)
    assert found is None or (reason or "") in found[0]
    frozen = project(
        tmp_path, environment=OFFICIAL | {"BUNDLE_FROZEN": "true"}, files={"Gemfile": gemfile, "Gemfile.lock": lock}
    )
    assert frozen.rewritten is None


def test_parts_of_a_lock_file() -> None:
    lock = parse_lock("PATH\n  remote: engines/x\n  specs:\n    x (1)\n\n" + LOCK.replace("\n", "\r\n"), "Gemfile.lock")
    assert lock.directories == ("engines/x",)
    assert lock.dependencies == {"a": frozenset({"~> 1.0"})}
    assert (lock.platforms, lock.bundler) == (("x86_64-linux",), "2.5.6")
    with pytest.raises(Obstacle, match="merge conflict"):
        parse_lock("<<<<<<< HEAD\n" + LOCK, "Gemfile.lock")


def test_requirements_have_one_form() -> None:
    assert requirement_of(("1.0",)) == requirement_of(["= 1.0"]) == frozenset({"= 1.0"})
    assert requirement_of(()) == requirement_of([">= 0"]) == frozenset()
    assert requirement_of((">=1, <2",)) == requirement_of(("< 2", ">= 1"))
