"""Where the go tool keeps modules, builds and settings: the model says what `go env` says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.go.commands import Places

from tests.ecosystems.go.fakes import GOLANG, Image
from tests.syntax.oracle_client import find_go

#: variables, each as an image may set them; T stands for a directory of the test, since the tool counts its calls there
#: (go help telemetry)
ENVIRONMENTS: tuple[Mapping[str, str], ...] = (
    {},
    {"GOPATH": ""},
    {"GOPATH": "T/p"},
    {"GOPATH": "T/p:T/q"},
    {"GOPATH": "T/p/"},
    {"GOMODCACHE": "T/m"},
    {"GOMODCACHE": "T/m/../n/"},
    {"GOMODCACHE": "", "GOPATH": "T/p"},
    {"GOMODCACHE": "T/m", "GOPATH": "T/p"},
    {"GOCACHE": "T/c"},
    {"GOCACHE": ""},
    {"XDG_CACHE_HOME": "T/x"},
    {"XDG_CACHE_HOME": "T/x", "GOCACHE": "T/c"},
    {"XDG_CACHE_HOME": ""},
    {"XDG_CONFIG_HOME": "T/x"},
    {"XDG_CONFIG_HOME": ""},
    {"HOME": "T/me"},
    {"HOME": "T/me", "GOPATH": "T/p", "XDG_CACHE_HOME": "T/x", "XDG_CONFIG_HOME": "T/y"},
)
UNSET: Mapping[str, str | None] = {name: None for name in GOLANG if name not in ("HOME", "PATH")}


def go_env(environment: Mapping[str, str], *names: str) -> dict[str, str]:
    go = find_go()
    if go is None:
        pytest.skip("needs Go")
    done = subprocess.run([go, "env", "-json", *names], env=environment, capture_output=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("changes", ENVIRONMENTS, ids=str)
def test_places_are_those_of_go_env(changes: Mapping[str, str], tmp_path: Path) -> None:
    environment = {
        "HOME": str(tmp_path),
        **{name: value.replace("T", str(tmp_path)) for name, value in changes.items()},
    }
    theirs = go_env(environment, "GOPATH", "GOMODCACHE", "GOCACHE", "GOENV")
    places = Places.of(Image(environment={**UNSET, **environment}))
    assert not isinstance(places, str), places
    normal = {name: str(Path(value).resolve(strict=False)) for name, value in theirs.items()}
    assert places.modcache == normal["GOMODCACHE"]
    assert places.cache == normal["GOCACHE"]
    assert places.gopath.rstrip("/") == theirs["GOPATH"].split(":")[0].rstrip("/")
    assert f"{places.config}/go/env".replace("//", "/") == theirs["GOENV"]


@pytest.mark.parametrize("name", ["GOPATH", "GOMODCACHE", "GOCACHE"])
def test_relative_places_are_refused(name: str) -> None:
    assert isinstance(Places.of(Image(environment={**UNSET, "HOME": "/root", name: "relative"})), str)


def test_the_home_of_root_is_known_without_a_variable() -> None:
    places = Places.of(Image(environment={**UNSET, "HOME": None}))
    assert isinstance(places, Places)
    assert places.cache == "/root/.cache/go-build"
    assert isinstance(Places.of(Image(user="app", environment={**UNSET, "HOME": None})), str)


@pytest.mark.parametrize("variable", ["HOME", "XDG_CONFIG_HOME"])
def test_settings_in_a_file_move_the_caches(tmp_path: Path, variable: str) -> None:
    """That is why the model refuses where there is such a file."""
    config = tmp_path / (".config" if variable == "HOME" else "")
    (config / "go").mkdir(parents=True)
    (config / "go" / "env").write_text("GOMODCACHE=/elsewhere\n")
    environment = {"HOME": str(tmp_path), variable: str(tmp_path)}
    assert go_env(environment, "GOMODCACHE")["GOMODCACHE"] == "/elsewhere"
    assert go_env({**environment, "GOMODCACHE": "/m"}, "GOMODCACHE")["GOMODCACHE"] == "/m"
    assert go_env({**environment, "GOENV": "off"}, "GOMODCACHE")["GOMODCACHE"] != "/elsewhere"
    here = Image({f"{config}/go/env": "GOMODCACHE=/elsewhere\n"}, environment={**UNSET, **environment})
    assert isinstance(Places.of(here), str)
    off = Image(here.files, environment={**here.environment, "GOENV": "off"})
    assert isinstance(Places.of(off), Places)


def test_settings_are_written_where_the_model_says(tmp_path: Path) -> None:
    go = find_go()
    if go is None:
        pytest.skip("needs Go")
    before = {"HOME": str(tmp_path)}
    subprocess.run([go, "env", "-w", "GOPRIVATE=git.example"], env=before, check=True, capture_output=True)
    assert (tmp_path / ".config/go/env").read_text() == "GOPRIVATE=git.example\n"
