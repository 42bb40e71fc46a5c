"""`config` and `init`, and that options of a call may stand in the configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Program


@pytest.fixture(autouse=True)
def repository(project: Path) -> None:
    (project / ".git").mkdir()


def test_the_form_of_the_report_may_be_configured_and_the_option_wins(dockopt: Program, project: Path) -> None:
    (project / "dockopt.toml").write_text('format = "json"\ncolor = "always"\n')
    assert json.loads(dockopt("suggest").out)["files"]
    text = dockopt("suggest", "--format", "text").out
    assert text.startswith(b"\x1b["), "the colour is configured, too"
    assert dockopt("suggest", "--format", "text", "--color", "auto").out.startswith(b"Dockerfile: ")


def test_what_is_configured_elsewhere_says_nothing_of_this_call(dockopt: Program, project: Path) -> None:
    (project / "service").mkdir()
    (project / "service" / "dockopt.toml").write_text('format = "json"\n')
    (project / "service" / "Dockerfile").write_text("FROM scratch\n")
    assert dockopt("suggest", "service").out.startswith(b"service/Dockerfile: ")


def test_the_choices_of_an_option_and_of_its_setting_are_the_same(dockopt: Program) -> None:
    from dockopt.optimizer.configuration.settings import setting

    for name in ("format", "color"):
        said = dockopt("suggest", f"--{name}", "nope").err
        assert said.endswith(f"is none of {', '.join(setting(name).choices)}\n")


def test_the_engine_may_be_configured_and_the_option_wins(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dockopt.optimizer.cli_building import build_options
    from dockopt.optimizer.configuration.settings import setting
    from dockopt.optimizer.engines.choose import NAMES

    assert setting("engine").choices == tuple(NAMES)
    assert build_options(None).engine is None
    (project / "dockopt.toml").write_text('engine = "podman"\n')
    assert build_options(None).engine == "podman"
    assert build_options("docker").engine == "docker"
    assert build_options(None, "remote").engine is None, "a builder is one of docker"


def test_config_shows_what_counts_and_where_it_is_said(dockopt: Program, project: Path) -> None:
    shown = dockopt("config")
    assert shown.code == 0
    assert "# no dockopt.toml and no [tool.dockopt]" in shown.out.decode()
    (project / "dockopt.toml").write_text(
        'ignore = ["reorder"]\ntargets = ["a\\u001b"]\n[effects."a b"]\nreads = ["x"]\n'
    )
    shown = dockopt("config", ".")
    assert (shown.code, shown.err) == (0, "")
    text = shown.out.decode()
    assert "\x1b" not in text
    assert "# `reorder` does not run: `ignore` in dockopt.toml:1\n" in text
    content = tomllib.loads(text)
    assert "reorder" not in content["select"]
    assert content["targets"] == ["a\x1b"]
    assert content["effects"] == {"a b": {"reads": ["x"]}}
    assert text.count("# dockopt.toml:") == 2


def test_what_config_prints_is_a_configuration_that_says_the_same(dockopt: Program, project: Path) -> None:
    text = (
        'ignore = ["reorder"]\napply = ["drift"]\nengine-floor = "docker-20.10"\n[per-file."*"]\nselect = ["drift"]\n'
    )
    (project / "dockopt.toml").write_text(text)
    first = tomllib.loads(dockopt("config").out.decode())
    (project / "dockopt.toml").write_bytes(dockopt("config").out)
    assert tomllib.loads(dockopt("config").out.decode()) == first
    assert first == {"select": ["drift"], "apply": ["drift"], "engine-floor": "docker-20.10"}


def test_a_configuration_that_is_not_understood_is_one_line(dockopt: Program, project: Path) -> None:
    (project / "dockopt.toml").write_text("\nselct = []\n")
    message = "dockopt.toml:2: there is no setting `selct`; did you mean `select`?"
    assert dockopt("config") == (2, b"", f"dockopt: {message}\n")


def test_init_shows_asks_and_writes(dockopt: Program, project: Path) -> None:
    said = dockopt("init", stdin=b"n\ny\n")
    assert said.code == 0
    assert not (project / "dockopt.toml").exists()
    text = (project / ".pre-commit-config.yaml").read_text()
    assert text in said.out.decode()
    assert "write .pre-commit-config.yaml?" in said.err
    said = dockopt("init", "--yes")
    assert said.out.startswith(b"dockopt.toml:\n\n# Settings of dockopt")
    assert b".pre-commit-config.yaml: exists and stays as it is\n" in said.out
    assert tomllib.loads((project / "dockopt.toml").read_text()) == {}
    assert dockopt("suggest").code == 0


def test_init_never_writes_over_a_file(dockopt: Program, project: Path) -> None:
    (project / "dockopt.toml").write_text("# mine\n")
    (project / ".pre-commit-config.yaml").symlink_to("nowhere")
    said = dockopt("init", "--yes")
    assert said.code == 0
    assert (project / "dockopt.toml").read_text() == "# mine\n"
    assert not (project / "nowhere").exists()
    assert b"add below `repos:`" in said.out
    assert dockopt("init", "--yes").out == said.out


def test_init_without_an_answer_writes_nothing(dockopt: Program, project: Path) -> None:
    result = dockopt("init")
    assert result.code == 2
    assert result.err.endswith("; `--yes` writes without asking\n")
    assert not (project / "dockopt.toml").exists()
    assert dockopt("init", "nowhere").code == 2


def test_the_hook_takes_dockerfiles_and_nothing_else(dockopt: Program, project: Path) -> None:
    import re

    import yaml

    dockopt("init", "--yes")
    (repository,) = yaml.safe_load((project / ".pre-commit-config.yaml").read_text())["repos"]
    (hook,) = repository["hooks"]
    for name in ("Dockerfile", "a/Dockerfile.dev", "a/b.Dockerfile", "Containerfile"):
        assert re.search(hook["files"], name), name
    for name in ("Dockerfile/x", "NotDockerfile", "a.Dockerfile.md/b", "main.py"):
        assert not re.search(hook["files"], name), name
    command = [sys.executable, "-m", "dockopt", *hook["entry"].split()[1:], "Dockerfile"]
    done = subprocess.run(command, capture_output=True, cwd=project, env=dict(os.environ), timeout=60, check=False)
    assert done.returncode in (0, 1), done.stderr
