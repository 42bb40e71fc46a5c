"""Output of engines, in one piece and cut anywhere."""

from __future__ import annotations

import base64
import json

import pytest
from dockopt.optimizer.engines.logs import BuildahLog, LogReader, PlainLog, RawJsonLog
from dockopt.optimizer.engines.model import StepResult

AT = "2026-01-01T00:00:0"
DOCUMENTS = [
    {"vertexes": [{"digest": "1", "name": "[internal] load metadata for docker.io/library/a:1", "started": f"{AT}0Z"}]},
    {"vertexes": [{"digest": "2", "name": "[build 2/3] COPY . .", "started": f"{AT}1.5Z"}]},
    {"vertexes": [{"digest": "2", "name": "[build 2/3] COPY . .", "started": f"{AT}1.5Z", "completed": f"{AT}3.123456789Z"}]},
    {"vertexes": [{"digest": "3", "name": "[3/3] RUN a", "cached": True, "started": f"{AT}3Z", "completed": f"{AT}3Z"}]},
    {"logs": [{"vertex": "3", "data": base64.b64encode("é {\n".encode()).decode()}]},
    {"vertexes": [{"digest": "4", "name": "[4/4] RUN b", "started": f"{AT}3Z", "completed": f"{AT}4Z", "error": "exit code: 1"}]},
]  # fmt: skip
STEPS = (
    StepResult("build", "COPY . .", False, 1.623456, "", 2),
    StepResult("", "RUN a", True, 0.0, "", 3),
    StepResult("", "RUN b", False, 1.0, "exit code: 1", 4),
)


def fed(reader: LogReader, *pieces: str) -> LogReader:
    for at, piece in enumerate(pieces):
        reader.feed(piece, float(at))
    return reader


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("size", [1, 7, 100000])
def test_rawjson(indent: int | None, size: int) -> None:
    text = "".join(json.dumps(document, indent=indent) + "\n" for document in DOCUMENTS) + "ERROR: failed to solve\n"
    begun: list[str] = []
    reader = fed(RawJsonLog(begun.append), *(text[i : i + size] for i in range(0, len(text), size)))
    assert reader.steps() == STEPS
    assert begun == ["COPY . ."]
    assert reader.tail[0] == "é {"
    assert "".join(reader.tail).endswith("ERROR: failed to solve")


def test_a_base_that_cannot_be_had() -> None:
    document = {
        "vertexes": [
            {"digest": "1", "name": "[internal] load metadata for docker.io/library/a:1", "error": "not found"}
        ]
    }
    reader = fed(RawJsonLog(lambda _: None), json.dumps(document))
    assert reader.missing_bases == {"docker.io/library/a:1": "not found"}
    plain = fed(
        PlainLog(lambda _: None), "#2 [internal] load metadata for docker.io/library/a:1\n#2 ERROR: not found\n"
    )
    assert plain.missing_bases == {"docker.io/library/a:1": "not found"}


@pytest.mark.parametrize("size", [1, 9, 1000])
def test_plain(size: int) -> None:
    text = "#5 [build 2/3] COPY . .\n#5 DONE 1.6s\n#6 [3/3] RUN a\n#6 CACHED\n#7 [4/4] RUN b\n#7 0.512 words\n#7 ERROR: exit code: 1\n"
    reader = fed(PlainLog(lambda _: None), *(text[i : i + size] for i in range(0, len(text), size)))
    assert [step._replace(seconds=0.0) for step in reader.steps()] == [step._replace(seconds=0.0) for step in STEPS]
    assert list(reader.tail) == ["words"]


def test_buildah() -> None:
    text = [
        "STEP 1/3: FROM a\n",
        "STEP 2/3: COPY . .\n",
        "--> Using cache abc\n",
        "STEP 3/3: RUN make\nwords\n",
        "COMMIT x\n",
    ]
    reader = fed(BuildahLog(lambda _: None), *text)
    assert [(step.instruction, step.cached) for step in reader.steps()] == [("COPY . .", True), ("RUN make", False)]
    assert reader.steps()[1].seconds == 1.0
    assert list(reader.tail) == ["words", "COMMIT x"]


@pytest.mark.parametrize(
    "garbage",
    [
        "{not JSON}\n", "{\n", '{"a": 1} trailing\n', "{" * 5000 + "\n", "[1]\n", "null\n",
        '{"vertexes": 3}\n', '{"vertexes": [3, null, []]}\n',
        '{"vertexes": [{"digest": [], "name": {}, "started": 3, "completed": "x"}]}\n', '{"logs": [{"data": 3}, {"data": "é"}, 1]}\n',
        '{"vertexes": [{"digest": "9", "name": "[1/1] RUN x", "started": "yesterday", "completed": "2026-01-01T00:00:00Z"}]}\n',
        '{"vertexes": [{"digest": "9", "name": "[1/1] RUN x", "started": "2026-01-01T00:00:00", "completed": "2026-01-01T00:00:00Z"}]}\n',
        "\x00\x1b[31m\n", "#7 DONE 1.2.3s\n", "#7 DONE ..s\n", "--> Using cache 1\n", "STEP 1: \n", "STEP \n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("reader", [RawJsonLog, PlainLog, BuildahLog])
def test_garbage_hides_nothing_that_comes_after_it(
    reader: type[RawJsonLog | PlainLog | BuildahLog], garbage: str
) -> None:
    log = reader(lambda _: None)
    log.feed(garbage, 1.0)
    log.feed("ERROR: the last word\n", 2.0)
    assert log.tail[-1].endswith("ERROR: the last word")
    assert all(step.seconds >= 0 for step in log.steps())


def test_nothing_was_built() -> None:
    assert fed(BuildahLog(lambda _: None), "Error: no such file\n").steps() == ()
