"""What `dockopt ci` prints: read by the parsers, schemas and tools of its readers, and by our own readers of such files."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from dockopt.optimizer.cicache.answer import cache_configuration
from dockopt.optimizer.cicache.providers import BACKENDS
from dockopt.optimizer.fingerprint import repository_of
from dockopt.optimizer.inputs import InputError
from dockopt.optimizer.opening import open_build

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "examples"
FULL = """\
FROM golang:1.22 AS Tools
RUN go install example.com/tool@v1.2.3

FROM golang:1.22 AS build
WORKDIR /src
COPY go.mod ./
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=secret,id=netrc,target=/root/.netrc go mod download
COPY . .
RUN --mount=type=cache,target=/root/.cache/go-build --mount=type=ssh go build -o /out/app .
RUN --mount=type=cache,target=/var/odd --mount=type=secret,target=/run/secrets/npm.token true

FROM build AS test
RUN go test ./...

FROM alpine:3.20 AS runtime
COPY --from=build /out/app /app
"""
CASES = [(provider, backend) for provider, backends in BACKENDS.items() for backend in backends]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "Dockerfile").write_text(FULL)
    (tmp_path / "service" / "go.mod").write_text("module m\n\ngo 1.22\n")
    (tmp_path / "service" / "main.go").write_text("package main\n\nfunc main() {}\n")
    monkeypatch.chdir(tmp_path)
    repository_of.cache_clear()
    return tmp_path


def printed(
    provider: str = "github", backend: str | None = None, target: str | None = None, path: str = "service"
) -> str:
    return cache_configuration(Path(path), provider, backend, target, None)


def build_step(text: str) -> dict[str, str]:
    """The inputs of build-push-action."""
    steps = yaml.safe_load(text)["jobs"]["image"]["steps"]
    (found,) = [step["with"] for step in steps if step.get("uses", "").startswith("docker/build-push-action@")]
    return dict(found)


def job(text: str) -> dict[str, Any]:
    return dict(yaml.safe_load(text)["build-image"])


# --- what is decided, and why


def test_layers_of_stages_that_are_not_in_the_image_need_mode_max(project: Path) -> None:
    text = printed()
    assert "# mode=max: the image holds no layers of `build`; " in text, "neither of a stage that nothing uses"
    assert ",mode=max," in build_step(text)["cache-to"]


@pytest.mark.parametrize("target", ["build", "Build", "1", "test"])
def test_an_image_that_holds_all_of_its_layers_needs_mode_min(project: Path, target: str) -> None:
    text = printed(target=target)
    assert "# mode=min: " in text
    assert ",mode=min," in build_step(text)["cache-to"]
    assert build_step(text)["target"] == ("test" if target == "test" else "build")


def test_a_base_whose_name_is_a_variable_may_be_any_stage(project: Path) -> None:
    (project / "Dockerfile").write_text("ARG B=build\nFROM alpine AS build\nRUN make\nFROM ${B}\nRUN other\n")
    assert "the image holds no layers of `build`" in printed(path=".")


def test_a_stage_that_only_carries_files_through(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM alpine AS a\nLABEL x=y\nFROM busybox\nCOPY --from=a /etc /etc\n")
    assert "# mode=min: " in printed(path=".")


def test_cache_mounts_do_not_travel_and_that_is_said(project: Path) -> None:
    text = printed()
    assert "# Layers travel with cache-to. Cache mounts do not: they stay on the builder" in text
    assert "# - line 7, /go/pkg/mod: downloads all again; " in text
    assert "# - line 9, /root/.cache/go-build: compiles all again, but only where its layer is missed." in text
    assert "# - line 10, /var/odd: makes again what it keeps there" in text
    assert "Cache mounts" not in printed(target="tools"), "this one has none"
    assert "is used by lines" not in text


def test_a_mount_that_two_instructions_share_may_be_empty_for_the_second(project: Path) -> None:
    mount = "RUN --mount=type=cache,target=/go/pkg/mod"
    (project / "Dockerfile").write_text(f"FROM golang\n{mount} go mod download\n{mount} true\n{mount} go build\n")
    assert "# - /go/pkg/mod is used by lines 2, 3 and 4: the later ones must not count on what" in printed(path=".")


def test_findings_that_hide_the_cache_are_named(project: Path) -> None:
    shutil.copytree(EXAMPLES / "go-service", project / "go-service")
    text = printed(path="go-service")
    assert "# - line 4, split-copy: `COPY . .` stands above the download of Go modules" in text
    shutil.copytree(EXAMPLES / "go-already-good", project / "good")
    assert "dockopt suggest" not in printed(path="good")


def test_images_of_one_repository_do_not_share_a_name(project: Path) -> None:
    (project / "Dockerfile").write_text(FULL)
    (project / "api.Dockerfile").write_text(FULL)
    calls = [("service", None), ("service", "test"), (".", None), (".", "test"), ("api.Dockerfile", None)]
    scopes = [build_step(printed(path=path, target=target))["cache-from"] for path, target in calls]
    assert len(set(scopes)) == len(calls)
    assert build_step(printed(path="."))["cache-from"] == "type=gha,scope=image"


def test_other_targets_are_told(project: Path) -> None:
    (project / "Makefile").write_text("image:\n\tdocker build --target test service\n")
    assert "# The project builds `test` by name, too" in printed()


@pytest.mark.parametrize("provider", sorted(BACKENDS))
def test_what_a_build_has_to_be_given(project: Path, provider: str) -> None:
    text = printed(provider)
    if provider == "github":
        step = build_step(text)
        assert step["secrets"].splitlines() == ["netrc=${{ secrets.NETRC }}", "npm.token=${{ secrets.NPM_TOKEN }}"]
        assert step["ssh"] == "default\n"
    elif provider == "gitlab":
        (command,) = job(text)["script"]
        assert "--secret id=netrc,env=NETRC" in command
        assert "--secret id=npm.token,env=NPM_TOKEN" in command
        assert "--ssh default" in command
    else:
        (target,) = hcl2.loads(text)["target"]
        (content,) = target.values()
        assert [json.loads(entry) for entry in content["secret"]] == [
            "type=env,id=netrc,env=NETRC",
            "type=env,id=npm.token,env=NPM_TOKEN",
        ]


def test_tags_are_those_of_the_commit(project: Path) -> None:
    assert build_step(printed())["tags"] == "${{ env.IMAGE }}:${{ github.sha }}"
    assert '--tag "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHA" --push' in job(printed("gitlab"))["script"][0]
    assert ":latest" not in printed() + printed("gitlab") + printed("bake")


# --- what cannot be said


def test_problems_are_told(project: Path) -> None:
    with pytest.raises(InputError, match="has no stage `nope`; there are `Tools`, `build`, `test`, `runtime`"):
        printed(target="nope")
    with pytest.raises(InputError, match="`--cache gha` is nothing for gitlab; there are registry, local"):
        printed("gitlab", "gha")
    (project / "${{ evil }}").mkdir()
    shutil.copy("service/Dockerfile", "${{ evil }}/Dockerfile")
    with pytest.raises(InputError, match="cannot be written into a configuration"):
        printed(path="${{ evil }}")
    (project / "secret").mkdir()
    (project / "secret" / "Dockerfile").write_text("FROM a\nRUN --mount=type=secret,id=$(x) true\n")
    with pytest.raises(InputError, match="cannot be written into a configuration"):
        printed(path="secret")


def test_the_command(project: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dockopt", "ci", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    done = run("service", "--provider", "gitlab")
    assert (done.returncode, done.stdout, done.stderr) == (0, printed("gitlab"), "")
    for arguments, message in (
        (["nowhere"], "dockopt: nowhere: no such file or directory\n"),
        (["service", "--provider", "jenkins"], "dockopt: --provider: `jenkins` is none of github, gitlab, bake\n"),
        (
            ["service", "--target", "x"],
            "dockopt: service: has no stage `x`; there are `Tools`, `build`, `test`, `runtime`\n",
        ),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


# --- readers


@pytest.fixture
def everything(project: Path) -> dict[str, Path]:
    """Every configuration of several projects, in files of a directory for each provider."""
    for name in ("go-service", "node-service", "python-locked-by-hashes", "go-single-stage"):
        shutil.copytree(EXAMPLES / name, project / name, symlinks=True)
    projects = [path.name for path in project.iterdir() if path.is_dir() and path.name != ".git"]
    assert len(projects) == 5
    places = {"github": project / ".github" / "workflows", "gitlab": project / "gitlab", "bake": project / "bake"}
    for provider, backend in CASES:
        places[provider].mkdir(parents=True, exist_ok=True)
        for name in projects:
            suffix = "hcl" if provider == "bake" else "yml"
            text = printed(provider, backend, None, name)
            assert text.isascii()
            (places[provider] / f"{name}-{backend}.{suffix}").write_text(text)
    return places


@pytest.mark.parametrize(
    ("provider", "schema"), [("github", "vendor.github-workflows"), ("gitlab", "vendor.gitlab-ci")]
)
def test_the_schema_of_the_provider(everything: dict[str, Path], provider: str, schema: str) -> None:
    files = sorted(everything[provider].iterdir())
    assert len(files) >= 10
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_actionlint_has_no_complaint(everything: dict[str, Path], project: Path) -> None:
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("needs actionlint")
    shutil.rmtree(project / ".git")
    subprocess.run(["git", "init", "-q", project], check=True)
    done = subprocess.run([actionlint, "-no-color"], cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_parser_of_hcl(everything: dict[str, Path]) -> None:
    for file in everything["bake"].iterdir():
        content = hcl2.loads(file.read_text())
        assert {json.loads(name) for block in content["variable"] for name in block} == {"IMAGE", "TAG", "CACHE_TO"}
        assert len(content["target"]) == 1


def test_bake_itself(everything: dict[str, Path], project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "buildx", "version"], check=False, capture_output=True).returncode
    ):
        pytest.skip("needs docker buildx")
    agent = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(project)
    agent.bind("agent")  # bake wants one to be there
    for file in sorted(everything["bake"].iterdir()):
        name, _, backend = file.stem.rpartition("-")
        for variables, tags in (({}, None), ({"TAG": "abc"}, ["registry.example.com/group/project:abc"])):
            done = subprocess.run(
                ["docker", "buildx", "bake", "--print", "--file", file],
                cwd=project,
                env={**os.environ, "SSH_AUTH_SOCK": str(project / "agent"), **variables},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            (target,) = json.loads(done.stdout)["target"].values()
            assert target["context"] == name
            assert target["dockerfile"] == "Dockerfile"
            assert target.get("tags") == tags
            (destination,) = target["cache-to"]
            assert destination.startswith(f"type={backend},")
            assert "$" not in destination
    agent.close()


@pytest.mark.parametrize(("provider", "backend"), CASES)
@pytest.mark.parametrize("target", [None, "test"])
def test_dockopt_finds_the_build_in_it(project: Path, provider: str, backend: str, target: str | None) -> None:
    """What is printed names the same context and stage, by our own readers of such files."""
    file = {"github": ".github/workflows/image.yml", "gitlab": ".gitlab-ci.yml", "bake": "docker-bake.hcl"}[provider]
    (project / file).parent.mkdir(parents=True, exist_ok=True)
    (project / file).write_text(printed(provider, backend, target))
    source = Path("service/Dockerfile").read_bytes()
    located = open_build(Path("service/Dockerfile"), source).located
    assert located.context == project / "service"
    assert located.reason.startswith(f"{file}:")
    assert located.targets == ((target,) if target else ())
    assert located.notes == ()
