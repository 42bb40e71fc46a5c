"""What is understood of mix.exs, files of configuration and mix.lock, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.elixir.calls import Call, calls_of
from dockopt.optimizer.ecosystems.elixir.lock import out_of_step, read_lock, satisfies
from dockopt.optimizer.ecosystems.elixir.source import Dependency, read_config, read_mix_exs, read_term
from dockopt.optimizer.ecosystems.elixir.tokens import NotElixir, tokens_of
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[3]
SUM = "0" * 64


def project(settings: str, rest: str = "") -> str:
    return f"defmodule A.MixProject do\n  use Mix.Project\n  def project do\n    [\n      {settings}\n    ]\n  end\n{rest}\nend\n"


def test_dependencies_are_found_wherever_they_stand() -> None:
    found = read_mix_exs(
        project(
            "app: :a, deps: deps()",
            '  defp deps do\n    [{:jason, "~> 1.4"}, {:b, path: "../b"}, {:c, github: "x/c", tag: "v1"}] ++\n'
            '      if(Mix.env() == :prod, do: [], else: [{:d, ">= 0.0.0", [only: :dev]}])\n  end',
        )
    )
    assert [(d.name, d.kind) for d in found.dependencies] == [
        ("jason", "hex"),
        ("b", "local"),
        ("c", "git"),
        ("d", "hex"),
    ]
    assert found.paths == [("../b", 9)]


def test_other_tuples_are_no_dependencies() -> None:
    found = read_mix_exs(project('app: :a, dialyzer: [plt_file: {:no_warn, "priv/a.plt"}], docs: {:main, [x: 1]}'))
    assert found.dependencies == []


def test_places_are_read() -> None:
    found = read_mix_exs(project('app: :a, deps_path: "../../deps", lockfile: "../../mix.lock"'))
    assert {name: value for name, (value, _) in found.places.items()} == {
        "deps_path": "../../deps",
        "lockfile": "../../mix.lock",
    }


@pytest.mark.parametrize(
    ("settings", "rest"),
    [
        pytest.param('version: String.trim(File.read!("VERSION"))', "", id="reads-a-named-file"),
        pytest.param('version: System.get_env("V", "1")', "", id="environment-is-known-to-every-model"),
        pytest.param('aliases: [setup: ["deps.get", "compile"]]', "", id="alias-that-calls-a-task"),
        pytest.param("elixirc_paths: paths(Mix.env())", "  defp paths(:test), do: [~s(lib)]\n  defp paths(_), do: ['lib']", id="bodies"),
        pytest.param('docs: [source_ref: "v#{@version}", x: """\n a "b" #{1 + 1}\n """]', "  @version \"1\" # a", id="strings"),
        pytest.param("x: Enum.map([1, 2], fn x -> x * ?a end), y: &(&1 + 0x1F), z: ~r/a\\/b/i, w: ~w(a b)a", "", id="values"),
        pytest.param('deps: [{:a, "~> 1.0", compile: "make"}]', "", id="option-of-a-dependency"),
    ],
)  # fmt: skip
def test_computing_is_understood(settings: str, rest: str) -> None:
    read_mix_exs(project(settings, rest))


def test_named_files_count() -> None:
    assert read_mix_exs(project('version: File.read!("VERSION")')).files == [("VERSION", 5)]


@pytest.mark.parametrize(
    "settings",
    [
        'version: File.read!(Path.join("a", "b"))',
        'version: "VERSION" |> File.read!()',
        "version: Enum.map(files(), &File.read!/1)",
        'version: elem(System.cmd("git", []), 0)',
        "version: :os.cmd('git')",
        "version: apply(File, :read!, [\"V\"])",
        "version: Enum.reduce([], &apply/2)",
        'x: Code.eval_file("x.exs")',
        'x: Path.wildcard("*.ex")',
        "x: module.read!()",
        "x: __MODULE__.other()",
        'x: Mix.Project.config()',
        'x: Enum.to_list(%File.Stream{path: "x"})',
        'x: Enum.to_list(%{__struct__: File.Stream, path: "x"})',
        "x: Enum.random(1..9)",
        "x: DateTime.utc_now()",
        'deps: [{:a, path: System.get_env("A")}]',
        'deps: [{:a, path: "a" <> "b"}]',
        'deps: [{:a, path: "#{1}"}]',
        "deps_path: deps()",
        'x: Keyword.put([], :deps_path, "x")',
        'x: [{:"deps_path", "x"}]',
        "x: ~w(lockfile)a",
        'x: ~w(#{"lock"}file)a',
        'x: String.to_atom("lockfile")',
        'aliases: ["deps.get": ["x"]]',
        'aliases: ["loadconfig": []]',
        "aliases: [do: [\"x\"]]",
        'lockfile: "a", x: [lockfile: "b"]',
        'x: "not closed',
        "x: ~s(not closed",
        'x: "#{not closed"',
        "x: $",
    ],
)  # fmt: skip
def test_reaching_out_is_refused_with_its_line(settings: str) -> None:
    with pytest.raises(NotElixir) as refused:
        read_mix_exs(project(settings))
    assert refused.value.reason
    assert 1 <= refused.value.line <= 9


@pytest.mark.parametrize(
    "line", ["use Other", "import Other", "require Logger", "alias A.B", "@on_load :x", "defmacro a, do: 1", "@before_compile X"]
)  # fmt: skip
def test_code_from_elsewhere_is_refused(line: str) -> None:
    with pytest.raises(NotElixir):
        read_mix_exs(project("app: :a", f"  {line}"))


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ('import Config\nconfig :a, b: 1\nimport_config "#{config_env()}.exs"', ["{}.exs"]),
        ('use Mix.Config\nimport_config "#{Mix.env()}.exs"', ["{}.exs"]),
        ('import Config\nif config_env() == :prod, do: import_config("prod.secret.exs")', ["prod.secret.exs"]),
        ("import Config\nconfig(:a, A.B, x: 1)", []),
    ],
)
def test_imports_of_configuration(text: str, imports: list[str]) -> None:
    assert [name for name, _ in read_config(text).imports] == imports


@pytest.mark.parametrize(
    "line",
    [
        'import_config "*.exs"',
        "import_config name",
        'import_config "#{name}.exs"',
        'import_config "a" <> ".exs"',
        "config :hex, x: 1",
        "config :mix, x: 1",
        "config app, x: 1",
        'File.read!("x" <> y)',
        'for f <- Path.wildcard("*"), do: import_config(f)',
    ],
)
def test_configuration_that_is_refused(line: str) -> None:
    with pytest.raises(NotElixir):
        read_config(f"import Config\n{line}\n")


LOCK = f'''%{{
  "a": {{:hex, :a, "1.2.3", "{SUM}", [:mix], [
    {{:b, "~> 1.0", [hex: :b, repo: "hexpm", optional: false]}},
    {{:c, "~> 1.0", [hex: :c, repo: "hexpm", optional: true]}}], "hexpm", "{SUM}"}},
  "g": {{:git, "https://example.org/g.git", "{"0" * 40}", [tag: "v1"]}},
  "b": {{:hex, :b, "1.0.0", "{SUM}", [:rebar3], [], "hexpm", "{SUM}"}},
}}
'''


def test_a_lock_file_is_read() -> None:
    lock = read_lock(LOCK)
    assert lock["a"].version == "1.2.3"
    assert lock["a"].needs == ("b",)
    assert all(entry.hashed for entry in lock.values())


def test_an_entry_without_checksum_is_not_hashed() -> None:
    assert not read_lock('%{"a": {:hex, :a, "1.2.3", "", [:mix], [], "hexpm"}}')["a"].hashed
    assert not read_lock('%{"g": {:git, "u", "main", []}}')["g"].hashed


@pytest.mark.parametrize(
    "text", ["x", "%{", "[1]", '%{"a": f()}', '%{"a": {:svn, "u", "1", []}}', LOCK + "1", "<<<<<<< x\n" + LOCK]
)
def test_broken_lock_files_are_refused(text: str) -> None:
    with pytest.raises(NotElixir):
        read_lock(text)


def wanted(name: str, requirement: str = "", kind: str = "hex") -> Dependency:
    return Dependency(name, requirement, 7, kind)


def test_steps_of_lock_and_project() -> None:
    lock = read_lock(LOCK)
    assert out_of_step([wanted("a", "~> 1.2"), wanted("g", kind="git"), wanted("l", kind="local")], lock) is None
    assert out_of_step([wanted("x", "~> 1.2")], lock) == ("it has no entry of `x`", 7)
    assert out_of_step([wanted("a", "~> 2.0")], lock) is not None
    del lock["b"]  # type: ignore[attr-defined]
    assert out_of_step([wanted("a")], lock) == ("it has no entry of `b`, which `a` needs", 0)


REQUIREMENTS = [
    ("1.2.3", "~> 1.2", True), ("1.9.0", "~> 1.2", True), ("2.0.0", "~> 1.2", False), ("1.2.9", "~> 1.2.3", True),
    ("1.3.0", "~> 1.2.3", False), ("1.2.2", "~> 1.2.3", False), ("1.2.3", "1.2.3", True), ("1.2.4", "== 1.2.3", False),
    ("1.2.4", "!= 1.2.3", True), ("1.5.0", ">= 1.0.0 and < 2.0.0", True), ("2.0.0", ">= 1.0.0 and < 2.0.0", False),
    ("3.1.0", "~> 1.0 or ~> 3.0", True), ("1.0.0", "> 1.0.0", False), ("1.0.0", "<= 1.0.0", True), ("1.0.0", ">= 0.0.0", True),
]  # fmt: skip


@pytest.mark.parametrize(("version", "requirement", "expected"), REQUIREMENTS)
def test_requirements(version: str, requirement: str, expected: bool) -> None:
    assert satisfies(version, requirement) is expected


@pytest.mark.parametrize(
    ("version", "requirement"), [("1.0.0-rc.1", "~> 1.0"), ("1.0.0", "~> 1.0.0-rc.0"), ("1.0.0", "what")]
)
def test_what_is_not_certain_about_requirements(version: str, requirement: str) -> None:
    assert satisfies(version, requirement) is None


@pytest.mark.parametrize(
    ("line", "calls"),
    [
        ("mix deps.get --only prod", [Call("deps.get")]),
        ("mix deps.get --only=prod --check-locked", [Call("deps.get", frozenset({"--check-locked"}))]),
        ("mix deps.compile jason plug", [Call("deps.compile")]),
        ("mix do local.hex --force, deps.get", [Call("local.hex", frozenset({"--force"})), Call("deps.get")]),
        ("mix do local.hex + deps.get", [Call("local.hex"), Call("deps.get")]),
    ],
)
def test_command_lines(line: str, calls: list[Call]) -> None:
    assert calls_of(line.split()) == calls


@pytest.mark.parametrize(
    "line",
    ["mix", "mix compile", "mix deps.get --all", "mix deps.get jason", "mix do deps.get, release", "mix local.rebar rebar3 x",
     "mix deps.get --only"],
)  # fmt: skip
def test_command_lines_that_are_not_understood(line: str) -> None:
    assert isinstance(calls_of(line.split()), str)


_PIECES = st.sampled_from(
    ["{", "}", "[", "]", '"', "'", '"""', "#{", "~w(", "~S{", "\\", ":a", 'a: ', "A.B", ".", ",", "\n", "# c", "?", "do", "end",
     "%{", "1", "é"]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(_PIECES).map("".join)))
def test_whatever_a_file_holds_it_is_read_or_refused(text: str) -> None:
    for read in (tokens_of, read_mix_exs, read_config, read_term, read_lock):
        try:
            read(text)
        except NotElixir as refused:
            assert refused.reason
