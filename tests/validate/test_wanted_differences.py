"""What a change of the image may claim: nothing differs but what it declares."""

from __future__ import annotations

import pytest
from dockopt.optimizer.apply import apply_edits
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.plan import judge
from dockopt.optimizer.proposal import Edit, Proposal, Refusal, RuntimeStage, Verdict, WantedDifference
from dockopt.optimizer.syntax import parse
from dockopt.optimizer.validate import validate

from tests.validate.test_verdicts import MemoryContext, stage

SERVICE = (
    "WORKDIR /app",
    "COPY go.mod ./",
    "COPY . .",
    "RUN go build -o /app/server .",
    "ENV PORT=8080",
    "EXPOSE 8080",
    'CMD ["/app/server"]',
)
ONE_STAGE = stage(*SERVICE, base="golang:1.22")
BUILDER = stage(*SERVICE[:4], base="golang:1.22 AS build")
RUNTIME = ("WORKDIR /app", "COPY --from=build /app/server /app/server", "ENV PORT=8080", "EXPOSE 8080", SERVICE[-1])


def build_of(text: str) -> Build:
    return Build(parse(text.encode()), FrozenContext(MemoryContext()))


def compare(old: str, new: str, wanted: WantedDifference) -> Verdict:
    before = build_of(old)
    return validate(before, before.with_text(parse(new.encode())), wanted)


def test_a_setting_may_differ_where_it_is_declared() -> None:
    new = ONE_STAGE.replace("CMD", "USER 10001\nCMD")
    assert compare(ONE_STAGE, new, WantedDifference()).status == "unproven"
    verdict = compare(ONE_STAGE, new, WantedDifference(settings=frozenset({"user"})))
    assert (verdict.status, verdict.differences) == ("equal-but", ("user",))


def test_a_user_that_later_commands_run_as_is_more_than_a_setting() -> None:
    new = ONE_STAGE.replace("RUN", "USER 10001\nRUN")
    verdict = compare(ONE_STAGE, new, WantedDifference(settings=frozenset({"user"})))
    assert verdict.status == "unproven"
    assert verdict.line == 6


def test_an_owner_may_differ_but_not_what_is_copied() -> None:
    old = stage("COPY . /app")
    wanted = WantedDifference(owners=frozenset({"/app"}))
    verdict = compare(old, stage("COPY --chown=10001:10001 . /app"), wanted)
    assert (verdict.status, verdict.differences) == ("equal-but", ("the owner of /app",))
    assert compare(old, stage("COPY --chown=10001:10001 go.mod /app"), wanted).status == "unproven"
    assert compare(old, stage("COPY --chown=10001:10001 . /srv"), wanted).status == "unproven"


def test_a_new_command_has_to_stay_inside_of_what_is_declared() -> None:
    new = ONE_STAGE.replace("ENV", "RUN mkdir /data\nENV")
    added = frozenset({"mkdir /data"})
    assert compare(ONE_STAGE, new, WantedDifference(added=added)).status == "unproven"
    assert compare(ONE_STAGE, new, WantedDifference(frozenset({"/data"}))).status == "unproven"
    assert compare(ONE_STAGE, new, WantedDifference(frozenset({"/data"}), added=added)).status == "equal-but"


def test_a_runtime_stage_takes_over_what_it_names() -> None:
    new = BUILDER + stage(*RUNTIME, base="alpine:3.20")
    wanted = WantedDifference(runtime_stage=RuntimeStage(("/app/server",)))
    verdict = compare(ONE_STAGE, new, wanted)
    assert verdict.status == "equal-but", verdict.obligation
    assert verdict.differences == ("every file but /app/server",)


@pytest.mark.parametrize(
    ("line", "other", "said"),
    [
        ("ENV PORT=8080", "", "the setting `env PORT` of the image would differ"),
        ("EXPOSE 8080", "EXPOSE 8081", "of the image would differ"),
        (SERVICE[-1], 'CMD ["/server"]', "the setting `cmd` of the image would differ"),
        ("WORKDIR /app\n", "", "the setting `working directory` of the image would differ"),
        ("/app/server /app/server", "/app/go.mod /app/server", "`/app/server` is not shown to be what the old image"),
        ("COPY --from", "COPY --chmod=0755 --from", "`/app/server` is not shown to be what the old image has there"),
        ("EXPOSE", "COPY main.go /app/main.go\nEXPOSE", "`/app/main.go` is new in the image"),
        ("EXPOSE", "RUN date > /app/date\nEXPOSE", "is new and"),
    ],
)
def test_a_runtime_stage_that_is_configured_or_filled_otherwise_is_not_proven(line: str, other: str, said: str) -> None:
    new = BUILDER + stage(*RUNTIME, base="alpine:3.20").replace(line, other)
    verdict = compare(ONE_STAGE, new, WantedDifference(runtime_stage=RuntimeStage(("/app/server",))))
    assert verdict.status == "unproven"
    assert said in str(verdict.obligation)


def test_a_runtime_stage_may_have_what_it_takes_over_elsewhere() -> None:
    lines = tuple(line.replace("/app/server /app/server", "/app/server /usr/local/bin/server") for line in RUNTIME)
    new = BUILDER + stage(*lines, base="alpine:3.20")
    moved = (("/app/server", "/usr/local/bin/server"),)
    verdict = compare(ONE_STAGE, new, WantedDifference(runtime_stage=RuntimeStage((), moved)))
    assert verdict.status == "equal-but", verdict.obligation
    assert verdict.differences == ("every file but /app/server (now /usr/local/bin/server)",)
    for wrong in ((("/app/go.mod", "/usr/local/bin/server"),), (("/app/server", "/usr/bin/server"),)):
        assert compare(ONE_STAGE, new, WantedDifference(runtime_stage=RuntimeStage((), wrong))).status == "unproven"
    assert compare(ONE_STAGE, new, WantedDifference(runtime_stage=RuntimeStage(("/app/server",)))).status == "unproven"


def test_a_runtime_stage_does_not_change_what_builds() -> None:
    new = BUILDER.replace("go build", "go build -trimpath") + stage(*RUNTIME, base="alpine:3.20")
    wanted = WantedDifference(runtime_stage=RuntimeStage(("/app/server",)))
    assert compare(ONE_STAGE, new, wanted).status == "unproven"


def replacing(text: str, old: str, new: str, *, more: tuple[Edit, ...] = ()) -> tuple[Verdict | Refusal, Build | None]:
    at = text.index(old)
    edit = Edit(at, at + len(old), new.encode())
    return judge(build_of(text), Proposal("pin-base", 1, "", (edit, *more), replacing=(edit,)))


def test_another_tag_of_the_same_image_is_a_declared_difference() -> None:
    verdict, after = replacing(ONE_STAGE, "golang:1.22", "golang:1.25")
    assert isinstance(verdict, Verdict)
    assert verdict.status == "equal-but"
    assert verdict.differences == ("what comes from the base image, `golang:1.22` before and `golang:1.25` after",)
    assert after is not None
    assert after.dockerfile.source == ONE_STAGE.replace("1.22", "1.25").encode()


def test_another_image_below_commands_is_not_proven() -> None:
    verdict, _ = replacing(ONE_STAGE, "golang:1.22", "rust:1.80")
    assert isinstance(verdict, Verdict)
    assert verdict.status == "unproven"
    assert "may need what `golang:1.22` has and `rust:1.80` has not" in str(verdict.obligation)


def test_another_command_is_declared_with_all_that_it_writes() -> None:
    verdict, _ = replacing(ONE_STAGE, "go build -o", "go build -trimpath -o")
    assert isinstance(verdict, Verdict)
    assert verdict.status == "equal-but"
    assert "/app/server" in verdict.differences[0]


def test_what_is_not_a_replacement_is_proven_as_always() -> None:
    at = ONE_STAGE.index("ENV PORT")
    verdict, _ = replacing(ONE_STAGE, "golang:1.22", "golang:1.25", more=(Edit(at, at, b"RUN date > /etc/date\n"),))
    assert isinstance(verdict, Verdict)
    assert verdict.status == "unproven"


def test_a_replacement_of_anything_else_is_not_proven() -> None:
    verdict, _ = replacing(ONE_STAGE, "PORT=8080", "PORT=80")
    assert isinstance(verdict, Verdict)
    assert verdict.status == "unproven"
    assert "neither a base image nor a command" in str(verdict.obligation)


BY_ARGUMENT = ONE_STAGE.replace("FROM golang:1.22", "ARG GO=1.22\nFROM golang:${GO}-alpine")


def test_another_default_of_an_argument_is_another_base_image() -> None:
    verdict, after = replacing(BY_ARGUMENT, "GO=1.22", "GO=1.25")
    assert isinstance(verdict, Verdict)
    assert verdict.status == "equal-but"
    told = "what comes from the base image, `golang:1.22-alpine` before and `golang:1.25-alpine` after"
    assert verdict.differences == (told,)
    assert after is not None
    assert after.dockerfile.source == BY_ARGUMENT.replace("GO=1.22", "GO=1.25").encode()


@pytest.mark.parametrize(
    ("text", "old", "new", "said"),
    [
        (BY_ARGUMENT.replace("WORKDIR", "ARG GO\nWORKDIR"), "GO=1.22", "GO=1.25", "the stage asks for"),
        (BY_ARGUMENT.replace("WORKDIR", "ONBUILD ARG GO\nWORKDIR"), "GO=1.22", "GO=1.25", "the stage asks for"),
        (BY_ARGUMENT.replace("FROM", "ARG TWO=$GO\nFROM"), "GO=1.22", "GO=1.25", "another build argument is made of"),
        (BY_ARGUMENT + "FROM --platform=$GO scratch\n", "GO=1.22", "GO=1.25", "chooses a platform"),
        (BY_ARGUMENT + "FROM alpine:$GO\n", "GO=1.22", "GO=1.25", "part of another base image"),
        (BY_ARGUMENT.replace("FROM", "ARG GO=1.23\nFROM"), "GO=1.22", "GO=1.25", "is declared more than once"),
        (BY_ARGUMENT.replace("GO=1.22", "GO=1.22 TWO=1"), "TWO=1", "TWO=2", "is not part of a base image"),
        (BY_ARGUMENT.replace("GO=1.22", "GO=1.22 TWO=1"), "GO=1.22 TWO=1", "GO=1.25 TWO=2", "more of line 1"),
        (BY_ARGUMENT, "GO=1.22", "GO", "has no default"),
        (BY_ARGUMENT, "GO=1.22", "GO=$TWO", "is no plain text"),
        (
            "ARG BASE=golang:1.22\n" + ONE_STAGE.replace("golang:1.22", "$BASE"),
            "golang",
            "rust",
            "may need what `golang",
        ),
    ],
)
def test_another_default_that_does_more_is_not_proven(text: str, old: str, new: str, said: str) -> None:
    verdict, after = replacing(text, old, new)
    assert isinstance(verdict, Verdict)
    assert (verdict.status, after) == ("unproven", None)
    assert said in str(verdict.obligation)


def test_the_edits_of_a_replacement_are_those_that_are_applied() -> None:
    _, after = replacing(ONE_STAGE, "golang:1.22", "golang:1.25")
    at = ONE_STAGE.index("golang:1.22")
    edit = Edit(at, at + len("golang:1.22"), b"golang:1.25")
    assert after is not None
    assert after.dockerfile.source == apply_edits(ONE_STAGE.encode(), [edit]).result


def test_a_command_done_once_more_is_held_against_what_it_saw_before() -> None:
    old = stage("COPY go.mod /a", "RUN test -f /a")
    early = stage("RUN test -f /a", "COPY go.mod /a", "RUN test -f /a")
    verdict = compare(old, early, WantedDifference())
    assert (verdict.status, verdict.line) == ("unproven", 2)
    again = stage("COPY go.mod /a", "RUN test -f /a", "RUN test -f /a")
    assert compare(old, again, WantedDifference()).status == "equal"
