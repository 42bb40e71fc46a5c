"""What is believed of mix, asked of mix itself. Packages of Hex are not fetched: local dependencies and a git repository stand in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.elixir.lock import read_lock, satisfies

from tests.ecosystems.elixir.test_source import REQUIREMENTS

pytestmark = pytest.mark.skipif(shutil.which("mix") is None, reason="needs mix")

MIX_EXS = """defmodule Clock.MixProject do
  use Mix.Project
  def project, do: [app: :clock, version: "0.1.0", aliases: [], deps: deps()]
  defp deps, do: [{:dial, path: "dial"}, {:hands, git: "GIT"}]
end
"""
CONFIG = 'import Config\nconfig :hands, length: 3\nimport_config "#{config_env()}.exs"\n'


def package(name: str) -> str:
    return f'defmodule {name.title()}.MixProject do\n  use Mix.Project\n  def project, do: [app: :{name}, version: "1.0.0"]\nend\n'


@dataclass
class Clock:
    """A project with a local dependency and one from a git repository."""

    root: Path

    @property
    def directory(self) -> Path:
        return self.root / "clock"

    def write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("GIT", (self.root / "hands").as_uri()))

    def mix(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "HOME": str(self.root / "home"), "MIX_ENV": "prod", "LANG": "C.UTF-8", **variables}
        environment |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "protocol.file.allow",
            "GIT_CONFIG_VALUE_0": "always",
        }
        return subprocess.run(
            ["mix", *words], cwd=self.directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    def fetched(self) -> dict[str, str]:
        """The result of `deps.get`: its exit code, and all files of the project but those of git itself."""
        code = self.mix("deps.get").returncode
        return {"": str(code), **self.files("deps"), **self.files("_build"), "mix.lock": self.read("mix.lock")}

    def compiled(self) -> dict[str, str]:
        """The result of `deps.compile`: its exit code and the modules that are there; the state that mix keeps holds times."""
        assert self.mix("deps.get").returncode == 0
        code = self.mix("deps.compile", "--skip-local-deps").returncode
        return {"": str(code), **{n: t for n, t in self.files("_build").items() if n.endswith((".beam", ".app"))}}

    def files(self, name: str) -> dict[str, str]:
        top = self.directory / name
        return {
            str(path.relative_to(top.parent)): path.read_bytes().hex()
            for path in sorted(top.rglob("*"))
            if path.is_file() and ".git/" not in f"{path}/" and ".git" not in path.parts and path.name != ".fetch"
        }

    def read(self, name: str) -> str:
        path = self.directory / name
        return path.read_text() if path.exists() else ""

    def clean(self) -> None:
        for name in ("deps", "_build"):
            shutil.rmtree(self.directory / name, ignore_errors=True)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    hands = tmp_path / "hands"
    (hands / "lib").mkdir(parents=True)
    (hands / "mix.exs").write_text(package("hands"))
    (hands / "lib" / "hands.ex").write_text(
        "defmodule Hands do\n  @length Application.compile_env(:hands, :length, 0)\n  def length, do: @length\nend\n"
    )
    for words in ("init -q", "add .", "-c user.name=a -c user.email=a@example.org commit -q -m a"):
        subprocess.run(["git", *words.split()], cwd=hands, check=True, capture_output=True)
    found = Clock(tmp_path)
    found.write("mix.exs", MIX_EXS)
    found.write("dial/mix.exs", package("dial"))
    found.write("dial/lib/dial.ex", "defmodule Dial do\nend\n")
    found.write("lib/clock.ex", "defmodule Clock do\nend\n")
    found.write("config/config.exs", CONFIG)
    found.write("config/prod.exs", "import Config\n")
    found.write("config/dev.exs", "import Config\n")
    found.write("config/runtime.exs", "import Config\n")
    (tmp_path / "home").mkdir()
    assert found.mix("deps.get").returncode == 0  # it writes mix.lock
    found.clean()
    return found


#: changes of what the models claim unread
UNREAD: dict[str, Callable[[Clock], None]] = {
    "sources": lambda clock: clock.write("lib/clock.ex", "this is no Elixir"),
    "no-sources": lambda clock: shutil.rmtree(clock.directory / "lib"),
    "new-source": lambda clock: clock.write("lib/more.ex", "raise 1"),
    "runtime-configuration": lambda clock: clock.write("config/runtime.exs", "raise 1"),
    "other-environment": lambda clock: clock.write("config/dev.exs", "raise 1"),
    "sources-of-a-local-dependency": lambda clock: clock.write("dial/lib/dial.ex", "this is no Elixir"),
    "configuration-of-a-local-dependency": lambda clock: clock.write("dial/config/config.exs", "raise 1"),
    "formatter": lambda clock: clock.write(".formatter.exs", "raise 1"),
    "iex": lambda clock: clock.write(".iex.exs", "raise 1"),
    "tests": lambda clock: clock.write("test/test_helper.exs", "raise 1"),
    "rebar": lambda clock: clock.write("rebar.config", "this is none"),
    "tool-versions": lambda clock: clock.write(".tool-versions", "elixir 1.2.3"),
}


def test_what_deps_get_does_not_read(clock: Clock) -> None:
    before = clock.fetched()
    assert "deps/hands/mix.exs" in before
    clock.clean()
    for change in UNREAD.values():
        change(clock)
    assert clock.fetched() == before


def test_what_deps_compile_does_not_read(clock: Clock) -> None:
    before = clock.compiled()
    assert "_build/prod/lib/hands/ebin/Elixir.Hands.beam" in before
    clock.clean()
    for change in UNREAD.values():
        change(clock)
    assert clock.compiled() == before


@pytest.mark.parametrize(
    "text", [None, "import Config\n", 'import Config\nconfig :hands, length: 4\nconfig :logger, level: :info\n']
)  # fmt: skip
def test_what_deps_get_leaves_does_not_depend_on_configuration(clock: Clock, text: str | None) -> None:
    before = clock.fetched()
    clock.clean()
    shutil.rmtree(clock.directory / "config")
    if text is not None:
        clock.write("config/config.exs", text)
    assert clock.fetched() == before


def test_deps_compile_reads_configuration(clock: Clock) -> None:
    before = clock.compiled()
    clock.clean()
    clock.write("config/prod.exs", "import Config\nconfig :hands, length: 4\n")
    assert clock.compiled() != before


@pytest.mark.parametrize("task", ["deps.get", "deps.compile", "local.hex --force"])
@pytest.mark.parametrize("name", ["mix.exs", "config/config.exs", "config/prod.exs"])
def test_every_task_evaluates_mix_exs_and_configuration(clock: Clock, task: str, name: str) -> None:
    clock.write(name, 'raise "here"')
    done = clock.mix(*task.split())
    assert done.returncode != 0
    assert "here" in done.stderr


def test_mix_exs_of_local_dependencies_is_read(clock: Clock) -> None:
    clock.write("dial/mix.exs", 'raise "here"')
    assert "here" in clock.mix("deps.get").stderr


def test_a_local_dependency_may_be_missing(clock: Clock) -> None:
    shutil.rmtree(clock.directory / "dial")
    assert clock.mix("deps.get").returncode == 0


def test_deps_get_keeps_what_is_there(clock: Clock) -> None:
    clock.fetched()
    clock.write("deps/hands/extra", "x")
    clock.write("deps/other/extra", "x")
    found = clock.fetched()
    assert {"deps/hands/extra", "deps/other/extra"} <= found.keys()


def test_a_lock_file_in_step_is_left_alone(clock: Clock) -> None:
    before = clock.read("mix.lock")
    assert read_lock(before)["hands"].hashed
    assert clock.fetched()["mix.lock"] == before
    clock.write("mix.lock", "%{}\n")
    # before Elixir 1.15 the option `--check-locked` is passed over: it does not keep the lock file as it is
    clock.mix("deps.get", "--check-locked")
    assert clock.read("mix.lock") in ("%{}\n", before)
    assert clock.fetched()["mix.lock"] == before


def test_local_dependencies_are_compiled_unless_they_are_skipped(clock: Clock) -> None:
    assert not any("dial" in name for name in clock.compiled())
    assert clock.mix("deps.compile").returncode == 0
    assert "_build/prod/lib/dial/ebin/Elixir.Dial.beam" in clock.files("_build")


def test_an_alias_replaces_a_task(clock: Clock) -> None:
    clock.write("mix.exs", MIX_EXS.replace("aliases: []", 'aliases: ["deps.get": ["help deps"]]'))
    assert clock.mix("deps.get").returncode == 0
    assert not (clock.directory / "deps").exists()


def test_an_umbrella_reads_the_mix_exs_of_its_apps(clock: Clock) -> None:
    clock.write("mix.exs", MIX_EXS.replace("app: :clock", 'apps_path: "apps"').replace("deps: deps()", "deps: []"))
    clock.write(
        "apps/a/mix.exs",
        package("a").replace(
            'version: "1.0.0"', 'version: "1.0.0", deps_path: "elsewhere", deps: [{:hands, git: "GIT"}]'
        ),
    )
    clock.write("apps/a/lib/a.ex", "defmodule A do\nend\n")
    clock.write("apps/notes/README.md", "none")
    found = clock.fetched()
    assert found[""] == "0"
    assert "deps/hands/mix.exs" in found
    assert not (clock.directory / "apps/a/elsewhere").exists()
    assert clock.mix("deps.compile", "--skip-umbrella-children").returncode == 0
    assert not any("/a/" in name for name in clock.files("_build") if name.endswith(".beam"))
    assert clock.mix("deps.compile").returncode == 0
    assert any("Elixir.A.beam" in name for name in clock.files("_build"))


def test_requirements_are_those_of_elixir() -> None:
    asked = ", ".join(f'Version.match?("{version}", "{requirement}")' for version, requirement, _ in REQUIREMENTS)
    script = f'IO.puts(Enum.join([{asked}], " "))'
    done = subprocess.run(["elixir", "-e", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == [str(satisfies(v, r)).lower() for v, r, _ in REQUIREMENTS]
