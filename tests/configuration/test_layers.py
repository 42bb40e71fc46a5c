"""Which of several tables and files counts, that nothing outside of the project is read, and that every setting has its effect."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from dockopt.optimizer.configuration import Configuration, find_configuration
from dockopt.optimizer.configuration.settings import rule_ids
from dockopt.optimizer.context.disk import Disk
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.inputs import InputError
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Edit, Proposal, WantedDifference

BUILD = b"FROM golang:1.22 AS build\nWORKDIR /app\nCOPY . .\nRUN go mod download\nRUN CGO_ENABLED=0 go build -o /out/app .\n"
GO = BUILD + b"FROM scratch\nCOPY --from=build /out/app /app\n"
SUMS = "".join(f"golang.org/x/text v0.14.0{name} h1:{'a' * 43}=\n" for name in ("", "/go.mod"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    for name in ("service/deploy", "base"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "service" / "Dockerfile").write_bytes(GO)
    (tmp_path / "service" / "go.mod").write_text("module a.b/x\n\ngo 1.22\n\nrequire golang.org/x/text v0.14.0\n")
    (tmp_path / "service" / "go.sum").write_text(SUMS)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.write_text(text)


def of(project: Path, name: str = "service/Dockerfile") -> Configuration:
    return find_configuration(project / name)


def rewrites(project: Path, options: Options | None = None) -> list[str]:
    report = analyze(project / "service" / "Dockerfile", GO, options)
    assert report.error is None
    return [change.proposal.rewrite for change in report.changes]


def problem(project: Path) -> str:
    with pytest.raises(InputError) as caught:
        of(project)
    return str(caught.value)


def test_what_is_said_nearer_goes_before_what_is_said_farther_away(project: Path) -> None:
    write(project / "base" / "all.toml", 'engine-floor = "docker-19.03"\ntargets = ["a"]\nformat = "json"\n')
    write(project / "dockopt.toml", 'extend = "base/all.toml"\ntargets = ["b"]\n')
    write(project / "service" / "dockopt.toml", 'extend = "../dockopt.toml"\nformat = "text"\n')
    found = of(project)
    assert found.text("engine-floor") == "docker-19.03"
    assert found.targets == ("b",)
    assert found.text("format") == "text"
    assert [path.parent.name for path in found.files] == ["base", project.name, "service"]
    place = found.value("targets")
    assert place is not None
    assert place.shown_place.endswith("/dockopt.toml:2")


def test_files_above_count_only_where_they_are_extended(project: Path) -> None:
    write(project / "dockopt.toml", 'ignore = ["reorder"]\n')
    write(project / "service" / "dockopt.toml", "")
    assert of(project).rules(rule_ids()) == frozenset(rule_ids())
    write(project / "service" / "dockopt.toml", 'extend = "../dockopt.toml"\n')
    assert of(project).rules(rule_ids()) == frozenset(rule_ids()) - {"reorder"}


def test_a_pyproject_can_be_extended_and_can_extend(project: Path) -> None:
    write(project / "pyproject.toml", '[tool.dockopt]\nextend = "base/all.toml"\nignore = ["drift"]\n')
    write(project / "base" / "all.toml", 'ignore = ["reorder"]\n')
    write(project / "service" / "dockopt.toml", 'extend = "../pyproject.toml"\n')
    assert of(project).rules(rule_ids()) == frozenset(rule_ids()) - {"reorder", "drift"}
    write(project / "pyproject.toml", "[project]\nname = 'x'\n")
    assert "service/dockopt.toml:1: `extend = '../pyproject.toml'`: there is no `[tool.dockopt]`" in problem(project)


def test_a_select_starts_anew_and_ignores_add_up(project: Path) -> None:
    write(project / "dockopt.toml", 'ignore = ["reorder", "drift"]\n')
    text = 'extend = "../dockopt.toml"\nignore = ["merge-runs"]\n[per-file.Dockerfile]\n'
    write(project / "service" / "dockopt.toml", text + 'ignore = ["split-run"]\n')
    assert of(project).rules(rule_ids()) == frozenset(rule_ids()) - {"reorder", "drift", "merge-runs", "split-run"}
    write(project / "service" / "dockopt.toml", text + 'select = ["reorder", "split-copy"]\nignore = ["split-copy"]\n')
    assert of(project).rules(rule_ids()) == {"reorder"}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("Dockerfile", ["service/Dockerfile", "service/deploy/Dockerfile"]),
        ("/Dockerfile", ["service/Dockerfile"]),
        ("deploy/*.Dockerfile", ["service/deploy/a.Dockerfile"]),
        ("*.Dockerfile", ["service/deploy/a.Dockerfile", "service/b.Dockerfile"]),
        ("deploy/", ["service/deploy/a.Dockerfile", "service/deploy/Dockerfile"]),
        ("service/Dockerfile", []),
        ("../base/*", []),
    ],
)
def test_patterns_are_those_of_ignore_files_from_the_directory_of_the_file(
    project: Path, pattern: str, matches: list[str]
) -> None:
    write(project / "service" / "dockopt.toml", f'[per-file."{pattern}"]\ntargets = ["x"]\n')
    names = (
        "service/Dockerfile", "service/deploy/Dockerfile", "service/deploy/a.Dockerfile", "service/b.Dockerfile", "base/Dockerfile"
    )  # fmt: skip
    assert {name for name in names if of(project, name).targets} == set(matches)


def test_a_table_of_an_extended_file_speaks_of_paths_from_there(project: Path) -> None:
    write(project / "dockopt.toml", '[per-file."service/Dockerfile"]\ntargets = ["x"]\ncontext = "service"\n')
    write(project / "service" / "dockopt.toml", 'extend = "../dockopt.toml"\n')
    assert of(project).targets == ("x",)
    assert not of(project, "service/other/Dockerfile").targets
    report = analyze(project / "service" / "Dockerfile", GO)
    assert Path(report.context).resolve() == (project / "service").resolve()
    assert report.context_reason.endswith("dockopt.toml:3")


def test_a_circle_is_an_error(project: Path) -> None:
    write(project / "dockopt.toml", 'extend = "service/dockopt.toml"\n')
    write(project / "service" / "dockopt.toml", '# me\nextend = "../dockopt.toml"\n')
    assert "dockopt.toml:1: `extend = 'service/dockopt.toml'` comes back to a file that this one belongs to" in problem(
        project
    )
    write(project / "service" / "dockopt.toml", 'extend = "dockopt.toml"\n')
    assert "comes back" in problem(project)
    (project / "service" / "link.toml").symlink_to("dockopt.toml")
    write(project / "service" / "dockopt.toml", 'extend = "link.toml"\n')
    assert "comes back" in problem(project)


def test_a_long_row_is_an_error(project: Path) -> None:
    for number in range(40):
        write(project / "base" / f"{number}.toml", f'extend = "{number + 1}.toml"\n')
    write(project / "service" / "dockopt.toml", 'extend = "../base/0.toml"\n')
    assert "more than 16 files in a row" in problem(project)


@pytest.mark.parametrize("name", ["../../outside.toml", "{}/outside.toml", "link.toml", "folder/outside.toml"])
def test_nothing_outside_of_the_project_is_read(project: Path, tmp_path: Path, name: str) -> None:
    project = tmp_path / "service"
    (project / ".git").mkdir()
    write(tmp_path / "outside.toml", 'targets = ["secret"]\n')
    (project / "link.toml").symlink_to(tmp_path / "outside.toml")
    (project / "folder").symlink_to(tmp_path)
    text = f'extend = "{name.format(tmp_path) if name != "../../outside.toml" else "../outside.toml"}"\n'
    write(project / "dockopt.toml", text)
    with pytest.raises(InputError, match="leads out of the project"):
        find_configuration(project / "Dockerfile")


def test_a_configuration_that_is_a_link_out_of_the_project_is_not_read(project: Path, tmp_path: Path) -> None:
    top = tmp_path / "service"
    (top / ".git").mkdir()
    write(tmp_path / "outside.toml", 'targets = ["secret"]\n')
    (top / "pyproject.toml").symlink_to(tmp_path / "outside.toml")
    assert find_configuration(top / "Dockerfile").path is None
    (top / "dockopt.toml").symlink_to(tmp_path / "outside.toml")
    with pytest.raises(InputError, match="a link that leads out of the project"):
        find_configuration(top / "Dockerfile")


@pytest.mark.parametrize("name", ["..", "/", "../../..", "elsewhere"])
def test_a_context_outside_of_the_project_is_an_error(project: Path, name: str) -> None:
    top = project / "service"
    (top / ".git").mkdir()
    (top / "elsewhere").symlink_to(project)
    write(top / "dockopt.toml", f'context = "{name}"\n')
    assert f"dockopt.toml:1: `context`: `{name}` leads out of the project" in problem(project)


def test_a_context_that_is_not_there_is_an_error(project: Path) -> None:
    write(project / "dockopt.toml", '[per-file."service/*"]\n\ncontext = "servce"\n')
    assert 'dockopt.toml:3: `per-file."service/*".context`: there is no directory `servce`' in problem(project)
    # it speaks of another Dockerfile only
    assert of(project, "base/Dockerfile").path is not None


def test_rewrites_are_selected_and_ignored(project: Path) -> None:
    assert rewrites(project) == ["split-copy", "cache-mounts"]
    write(project / "dockopt.toml", 'ignore = ["cache-mounts"]\n')
    assert rewrites(project) == ["split-copy"]
    write(project / "dockopt.toml", 'select = ["cache-mounts"]\n')
    assert rewrites(project) == ["cache-mounts"]


def test_the_command_line_goes_before_the_configuration(project: Path) -> None:
    write(project / "dockopt.toml", 'select = ["cache-mounts"]\nignore = ["split-copy"]\ncontext = "base"\n')
    service = project / "service"
    assert rewrites(project, Options(select=frozenset({"split-copy"}), context=service)) == ["split-copy"]
    assert rewrites(project, Options(ignore=frozenset({"cache-mounts"}), context=service)) == []
    report = analyze(service / "Dockerfile", GO, Options(context=service))
    assert Path(report.context).resolve() == service.resolve()


def test_targets_are_kept(project: Path) -> None:
    """In a private stage nobody sees what `cache-mounts` leaves out; as a target it is an image of its own."""
    text = b"FROM alpine:3.20 AS made\nRUN apk update\nRUN apk add git\nFROM alpine:3.20\nCOPY --from=made /a /a\n"
    path = project / "service" / "Dockerfile"
    assert not analyze(path, text).changes
    write(project / "dockopt.toml", 'targets = ["MADE"]\n')
    assert [change.proposal.rewrite for change in analyze(path, text).changes] == ["merge-runs"]


@pytest.mark.parametrize(("floor", "mounts"), [("docker-19.03", False), ("docker-20.10", True), ("docker-23", True)])
def test_no_feature_is_proposed_that_the_oldest_engine_lacks(project: Path, floor: str, mounts: bool) -> None:
    write(project / "dockopt.toml", f'engine-floor = "{floor}"\n')
    assert ("cache-mounts" in rewrites(project)) is mounts
    if not mounts:
        report = analyze(project / "service" / "Dockerfile", GO)
        said = [change.verdict.obligation for change in report.unproven]
        assert "the oldest engine (`engine-floor`) is not known to support `RUN --mount`" in said
        pinned = analyze(project / "service" / "Dockerfile", b"# syntax=docker/dockerfile:1\n" + GO)
        assert "cache-mounts" in [change.proposal.rewrite for change in pinned.changes]


BROKEN = b"FROM golang:1.22\nWORKDIR /app\nCOPY go.mod ./\nRUN go mod download\nCOPY . .\nRUN go build -o /out/app .\n"


def test_to_be_selected_in_the_configuration_is_not_to_be_named(project: Path) -> None:
    """`drift` repairs a Dockerfile that does not build: only `apply`, or the command line, has that done."""
    (project / "service" / "go.mod").write_text(
        "module a.b/x\n\ngo 1.22\n\nrequire a.b/lib v0.0.0\n\nreplace a.b/lib => ./lib\n"
    )
    (project / "service" / "go.sum").write_text("")
    (project / "service" / "lib").mkdir()
    (project / "service" / "lib" / "go.mod").write_text("module a.b/lib\n\ngo 1.22\n")
    path = project / "service" / "Dockerfile"
    path.write_bytes(BROKEN)

    def outcome(options: Options | None = None) -> tuple[list[str], list[str]]:
        found = analyze(path, BROKEN, options)
        assert found.error is None
        return [c.proposal.rewrite for c in found.changes], [c.proposal.rewrite for c in found.repairs]

    assert "drift" in outcome()[1]
    write(project / "dockopt.toml", 'select = ["drift"]\n')
    assert outcome() == ([], ["drift"])
    write(project / "dockopt.toml", 'apply = ["drift"]\n')
    assert "drift" in outcome()[0]
    assert "drift" not in outcome(Options(ignore=frozenset({"drift"})))[0]
    write(project / "dockopt.toml", "")
    named = frozenset({"drift"})
    assert "drift" in outcome(Options(select=named, named=named))[0]
    write(project / "dockopt.toml", 'apply = ["drift"]\n')
    assert "drift" in outcome(Options(apply_configured=False))[1], "an editor fixes what is safe"


class Changing(NamedTuple):
    """A rewrite that changes the image on purpose."""

    id: str = "fixed-user"
    changes_image: bool = True

    def propose(self, build: Build) -> Iterator[Proposal]:
        last = build.dockerfile.instructions[-1]
        if last.keyword != "USER":
            edit = Edit(last.span.end, last.span.end, b"USER 1000\n")
            wanted = WantedDifference(settings=frozenset({"user"}))
            yield Proposal(self.id, last.start_line, "it runs as root", (edit,), declared=wanted)


def test_what_changes_the_image_is_applied_only_where_it_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockopt.rewrites.registry.REWRITES", (Changing(),))
    path = project / "service" / "Dockerfile"
    name = frozenset({"fixed-user"})

    def outcome(**options: Any) -> tuple[int, int]:
        found = analyze(path, GO, Options(**options))
        assert found.error is None
        return len(found.changes), len(found.offered)

    assert outcome() == (0, 0)
    assert outcome(offers=True) == (0, 1)
    write(project / "dockopt.toml", 'select = ["fixed-user"]\n')
    assert outcome() == (0, 1), "to be selected is to be looked at"
    assert outcome(select=name, named=name) == (1, 0)
    write(project / "dockopt.toml", 'apply = ["fixed-user"]\n')
    assert outcome() == (1, 0)
    assert outcome(offers=True) == (1, 0)
    assert outcome(apply_configured=False) == (0, 0)
    assert outcome(ignore=name) == (0, 0)
    write(project / "dockopt.toml", 'apply = ["fixed-user"]\nignore = ["fixed-user"]\n')
    assert outcome() == (0, 0)


def test_a_changed_file_is_read_anew(project: Path) -> None:
    path = project / "dockopt.toml"
    write(path, 'targets = ["a"]\n')
    assert of(project).targets == ("a",)
    write(path, 'targets = ["b"]\n')
    os.utime(path, ns=(1, 1))
    assert of(project).targets == ("b",)


def test_an_editor_has_its_say_and_its_limit(project: Path) -> None:
    """A text that is not saved counts, also of a file that is not there yet; nothing above the opened directory is looked at."""
    write(project / "dockopt.toml", 'targets = ["a"]\n')
    path = project / "service" / "Dockerfile"
    unsaved = {
        str(project / "dockopt.toml"): b'extend = "base/new.toml"\n',
        str(project / "base" / "new.toml"): b'targets = ["b"]\n',
    }
    assert find_configuration(path, Disk(project, unsaved)).targets == ("b",)
    assert find_configuration(path, Disk(project / "service")).path is None
    write(project / "service" / "dockopt.toml", 'extend = "../dockopt.toml"\n')
    with pytest.raises(InputError, match="leads out of the project"):
        find_configuration(path, Disk(project / "service"))


def test_names_that_mean_nothing_have_file_line_and_a_proposal(project: Path) -> None:
    write(project / "dockopt.toml", '# a\n\nignore = [\n  "reorder",\n  "split-cpoy",\n]\n')
    assert "dockopt.toml:3: `ignore`: there is no rewrite `split-cpoy`; did you mean `split-copy`?" in problem(project)
    write(project / "dockopt.toml", '[per-file."*"]\nselects = []\n')
    assert 'dockopt.toml:2: `per-file."*"`: there is no setting `selects`; did you mean `select`?' in problem(project)
    write(project / "dockopt.toml", '[per-file."!a"]\n')
    assert "without `!` or `#` in front" in problem(project)
    write(project / "pyproject.toml", "")
    (project / "dockopt.toml").unlink()
    write(project / "pyproject.toml", '[tool.other]\n\n[tool.dockopt]\nengine-floor = "docker-23.0"\n')
    assert "pyproject.toml:4: `engine-floor` is none of `docker-19.03`, `docker-20.10`, `docker-23`" in problem(project)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('extend = "a\\u0000b"\n', "dockopt.toml:1: `extend` holds a NUL"),
        ('context = "a\\u0000b"\n', "dockopt.toml:1: `context` holds a NUL"),
        ('[effects.x]\nreads = ["a\\u0000b"]\n', "dockopt.toml:2: `effects.x.reads` holds a NUL"),
    ],
)
def test_what_can_be_no_path_is_an_error_of_its_line(text: str, said: str, project: Path) -> None:
    (project / "service" / "dockopt.toml").write_text(text)
    with pytest.raises(InputError) as error:
        find_configuration(project / "service" / "Dockerfile")
    assert said in str(error.value)


def test_a_name_that_no_file_system_takes_has_no_configuration(project: Path) -> None:
    assert find_configuration(project / ("a" * 5000) / "Dockerfile") == find_configuration(project / "Dockerfile")


@pytest.mark.parametrize("name", ["dockopt.toml", "pyproject.toml"])
def test_a_byte_order_mark_is_passed_over(name: str, project: Path) -> None:
    head = "[tool.dockopt]\n" if name == "pyproject.toml" else ""
    (project / name).write_bytes(b"\xef\xbb\xbf" + f'{head}format = "json"\n'.encode())
    found = find_configuration(project / "Dockerfile").value("format")
    assert found is not None
    assert found.value == "json"
    assert found.shown_place.endswith(f"{name}:{2 if head else 1}")


def test_a_broken_file_with_our_settings_is_not_passed_over(project: Path) -> None:
    """What it says would not count, and nobody would know."""
    write(project / "pyproject.toml", '[tool.dockopt]\nformat = "json\n')
    assert "pyproject.toml: it is no TOML" in problem(project)
    write(project / "pyproject.toml", "[tool.other\n")
    assert find_configuration(project / "Dockerfile").path is None


def test_a_pattern_of_many_stars_is_compared_in_no_time(project: Path) -> None:
    file = project / ("a" * 120) / "Dockerfile"
    file.parent.mkdir()
    write(project / "dockopt.toml", f'[per-file."{"*a" * 40}*b"]\ncontext = "."\n[per-file."{"**/" * 40}b"]\n')
    assert find_configuration(file).value("context") is None
