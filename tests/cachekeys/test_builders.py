"""What counts for a cache key and what does not, builder by builder, and what is refused.

That the keys are right is the matter of `tests/soundness`; kaniko does not run there, so here are its rules one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from dockopt.optimizer.cachekeys import (
    BaseImage,
    Entry,
    KeyOptions,
    Prediction,
    StepKey,
    Unpredictable,
    buildah,
    buildkit,
    classic,
    kaniko,
    predict,
)
from dockopt.optimizer.syntax import parse

IMAGES = {"busybox": BaseImage((("PATH", "/bin"),))}
FILES = {"a": "1", "b": "2", "dir/x": "3", "dir/y": "4"}
CACHED, RUNS, PERHAPS = Prediction.CACHED, Prediction.RUNS, Prediction.PERHAPS
Keys = Callable[..., list[StepKey]]
ALL: dict[str, Keys] = {
    "buildkit": buildkit.step_keys,
    "classic": classic.step_keys,
    "buildah": buildah.step_keys,
    "kaniko": kaniko.step_keys,
}


class Files:
    """A context of files with a digest each."""

    def __init__(self, digests: Mapping[str, str]) -> None:
        self._digests = digests

    def entry(self, path: str) -> Entry | None:
        if path in self._digests:
            return Entry(self._digests[path])
        return (
            Entry("directory", directory=True)
            if any(p.startswith(f"{path}/") for p in self._digests) or not path
            else None
        )

    def names(self, path: str) -> Sequence[str]:
        prefix = f"{path}/" if path else ""
        return sorted({p[len(prefix) :].split("/")[0] for p in self._digests if p.startswith(prefix)})


def second_build(
    keys: Keys,
    old: str,
    new: str,
    *,
    files: Mapping[str, str] = FILES,
    args: tuple[dict[str, str], dict[str, str]] = ({}, {}),
) -> list[Prediction]:
    """Predict the build of the second text after that of the first one; `files` is the context of the second."""
    before = keys(parse(old.encode()), Files(FILES), KeyOptions(args[0], images=IMAGES))
    after = keys(parse(new.encode()), Files(files), KeyOptions(args[1], images=IMAGES))
    return predict(before, after)


@pytest.mark.parametrize("name", ALL)
def test_the_same_build_is_cached(name: str) -> None:
    text = "FROM busybox\nARG A=1\nENV B=$A\nLABEL l=1\nCOPY a /w/\nRUN make\nCMD b\n"
    assert set(second_build(ALL[name], text, text)) == {CACHED}


@pytest.mark.parametrize("name", ["classic", "buildah", "kaniko"])
def test_metadata_is_a_link_of_the_chain(name: str) -> None:
    found = second_build(ALL[name], "FROM busybox\nLABEL l=1\nRUN make\n", "FROM busybox\nLABEL l=2\nRUN make\n")
    assert set(found) == {RUNS}


def test_metadata_has_no_key_in_buildkit() -> None:
    old = "FROM busybox\nLABEL l=1\nRUN make\n"
    assert second_build(buildkit.step_keys, old, "FROM busybox\nCMD a\nLABEL l=2\nRUN make\n") == [CACHED]


@pytest.mark.parametrize("name", ALL)
def test_a_changed_file_runs_what_copies_it_and_all_below(name: str) -> None:
    text = "FROM busybox\nRUN above\nCOPY a /w/\nRUN below\n"
    found = second_build(ALL[name], text, text, files={**FILES, "a": "edited"})
    assert found == ([CACHED, RUNS] if name == "kaniko" else [CACHED, RUNS, RUNS])


@pytest.mark.parametrize("name", ALL)
def test_a_file_that_nothing_copies_does_not_count(name: str) -> None:
    text = "FROM busybox\nCOPY a /w/\nRUN below\n"
    assert set(second_build(ALL[name], text, text, files={**FILES, "b": "edited"})) == {CACHED}


@pytest.mark.parametrize(
    ("name", "expected"), [("buildkit", RUNS), ("classic", RUNS), ("buildah", RUNS), ("kaniko", CACHED)]
)
def test_the_name_of_a_file_in_a_directory(name: str, expected: Prediction) -> None:
    """Kaniko hashes what is in the files in the order of their names, and not the names."""
    text = "FROM busybox\nCOPY dir /w/\nRUN below\n"
    assert second_build(ALL[name], text, text, files={"a": "1", "b": "2", "dir/x": "3", "dir/z": "4"})[-1] is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    # buildah has the names of arguments in the key of ARG, and their values in that of RUN
    [("buildkit", [RUNS]), ("classic", [CACHED, RUNS]), ("buildah", [CACHED, RUNS]), ("kaniko", [RUNS])],
)
def test_a_build_argument(name: str, expected: list[Prediction]) -> None:
    text = "FROM busybox\nARG A\nRUN make\n"
    assert second_build(ALL[name], text, text, args=({"A": "1"}, {"A": "2"})) == expected


@pytest.mark.parametrize("name", ["classic", "kaniko"])
def test_env_hides_an_argument(name: str) -> None:
    text = "FROM busybox\nENV A=0\nARG A\nRUN make\n"
    assert set(second_build(ALL[name], text, text, args=({"A": "1"}, {"A": "2"}))) == {CACHED}


def test_an_argument_after_env_wins_in_buildkit() -> None:
    text = "FROM busybox\nENV A=0\nARG A\nRUN make\n"
    assert second_build(buildkit.step_keys, text, text, args=({"A": "1"}, {"A": "2"})) == [RUNS]


@pytest.mark.parametrize(("name", "expected"), [("buildkit", RUNS), ("kaniko", RUNS)])
def test_the_value_of_env(name: str, expected: Prediction) -> None:
    found = second_build(ALL[name], "FROM busybox\nENV A=1\nRUN make\n", "FROM busybox\nENV A=2\nRUN make\n")
    assert found[-1] is expected


def test_kaniko_looks_copies_up_only_with_copy_layers() -> None:
    dockerfile = parse(b"FROM busybox\nCOPY a /w/\nRUN make\n")
    options = KeyOptions(images=IMAGES)
    keywords = [
        [s.instruction.keyword for s in kaniko.step_keys(dockerfile, Files(FILES), options, copy_layers=layers)]
        for layers in (False, True)
    ]
    assert keywords == [["RUN"], ["COPY", "RUN"]]


STAGES = "FROM busybox AS s\nCOPY a /a\nFROM busybox\nCOPY --from=s /a /\nRUN below\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("buildkit", [RUNS, PERHAPS, PERHAPS]),
        ("classic", [RUNS, PERHAPS, PERHAPS]),
        ("buildah", [RUNS, PERHAPS, PERHAPS]),
        # the key of the stage counts, not what is copied
        ("kaniko", [RUNS]),
    ],
)
def test_content_of_a_stage_may_make_up_for_its_key(name: str, expected: list[Prediction]) -> None:
    assert second_build(ALL[name], STAGES, STAGES, files={**FILES, "a": "edited"}) == expected


def test_nothing_makes_up_for_another_destination() -> None:
    new = STAGES.replace("/a /\n", "/a /other/\n")
    assert second_build(buildkit.step_keys, STAGES, new, files={**FILES, "a": "edited"}) == [RUNS, RUNS, RUNS]


def test_stages_that_the_target_does_not_need_are_not_built() -> None:
    old = "FROM busybox AS s\nRUN one\nFROM busybox\nRUN two\n"
    new = "FROM busybox AS s\nRUN one\nFROM busybox\nRUN --mount=from=s,target=/m two\n"
    assert second_build(buildkit.step_keys, old, new) == [RUNS, RUNS]
    assert second_build(classic.step_keys, old, old) == [CACHED, CACHED]


def test_triggers_of_a_stage_run_first_in_buildkit() -> None:
    text = "FROM busybox AS s\nONBUILD COPY a /a\nFROM s\nRUN below\n"
    steps = buildkit.step_keys(parse(text.encode()), Files(FILES), KeyOptions(images=IMAGES))
    assert [step.instruction.keyword for step in steps] == ["COPY", "RUN"]
    assert second_build(buildkit.step_keys, text, text, files={**FILES, "a": "edited"}) == [RUNS, RUNS]


@pytest.mark.parametrize("name", ["classic", "buildah", "kaniko"])
def test_triggers_are_refused_elsewhere(name: str) -> None:
    text = "FROM busybox AS s\nONBUILD COPY a /a\nFROM s\nRUN below\n"
    with pytest.raises(Unpredictable, match="line 3: ONBUILD triggers are modelled for BuildKit only"):
        ALL[name](parse(text.encode()), Files(FILES), KeyOptions(images=IMAGES))


@pytest.mark.parametrize("name", ALL)
def test_triggers_of_a_base_image_are_refused(name: str) -> None:
    images = {"busybox": BaseImage(onbuild=("COPY . /app",))}
    with pytest.raises(Unpredictable, match="the base image `busybox` has ONBUILD triggers"):
        ALL[name](parse(b"FROM busybox\nRUN make\n"), Files(FILES), KeyOptions(images=images))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("source", ["https://example.com/x.tar", "git@example.com:x.git"])
def test_remote_sources_are_refused(name: str, source: str) -> None:
    with pytest.raises(
        Unpredictable, match=f"line 2: what the server of `{source}` answers is not known before the build"
    ):
        ALL[name](parse(f"FROM busybox\nADD {source} /x/\n".encode()), Files(FILES), KeyOptions(images=IMAGES))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("COPY --parents dir/x /w/", "`--parents` of COPY is not modelled"),
        ("COPY --exclude=x dir /w/", "`--exclude` of COPY is not modelled"),
        ("COPY $UNKNOWN /w/", "the source `\\$UNKNOWN` is not known before the build"),
        ("RUN --mount=type=cache true", "has no target"),
    ],
)
def test_what_buildkits_model_refuses(text: str, message: str) -> None:
    with pytest.raises(Unpredictable, match=message):
        buildkit.step_keys(parse(f"FROM elsewhere\n{text}\n".encode()), Files(FILES))


@pytest.mark.parametrize("name", ["BUILDKIT_SYNTAX", "SOURCE_DATE_EPOCH"])
def test_arguments_that_speak_to_buildkit_are_refused(name: str) -> None:
    with pytest.raises(Unpredictable, match=f"build argument `{name}` changes keys"):
        buildkit.step_keys(parse(b"FROM busybox\n"), Files(FILES), KeyOptions({name: "1"}))


@pytest.mark.parametrize("name", ["classic", "buildah", "kaniko"])
def test_a_base_image_that_is_not_known_is_refused(name: str) -> None:
    with pytest.raises(Unpredictable, match="line 1: nothing is known of the base image `elsewhere`"):
        ALL[name](parse(b"FROM elsewhere\nRUN make\n"), Files(FILES))


@pytest.mark.parametrize(("expands", "expected"), [(True, RUNS), (False, CACHED)])
def test_a_mode_with_a_variable_counts_where_the_frontend_expands_it(expands: bool, expected: Prediction) -> None:
    options = KeyOptions(images=IMAGES, expands_mode=expands)
    texts = (b"FROM busybox\nCOPY a /w/\n", b"FROM busybox\nCOPY --chmod=${M:-644} a /w/\n")
    before, after = (buildkit.step_keys(parse(text), Files(FILES), options) for text in texts)
    assert predict(before, after) == [expected]
