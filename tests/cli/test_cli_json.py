"""The report for programs, held against its published schema."""

import base64
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from dockopt.optimizer.apply import apply_edits
from dockopt.optimizer.proposal import Edit
from dockopt.optimizer.report.json import SCHEMA_VERSION

from tests.cli.conftest import GO, Program

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text("utf-8"))


def original(value: str | dict[str, str]) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])


def checked(text: bytes) -> dict[str, Any]:
    document = json.loads(text)
    jsonschema.validate(document, SCHEMA)
    assert isinstance(document, dict)
    return document


def test_the_schema_is_one_and_of_this_version() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema"]["const"] == SCHEMA_VERSION


def test_the_schema_allows_no_field_that_it_does_not_describe() -> None:
    def objects(node: object) -> list[dict[str, Any]]:
        if isinstance(node, list):
            return [found for entry in node for found in objects(entry)]
        if not isinstance(node, dict):
            return []
        own = [node] if node.get("type") == "object" else []
        return own + [found for entry in node.values() for found in objects(entry)]

    assert len(objects(SCHEMA)) > 5
    for entry in objects(SCHEMA):
        assert entry["additionalProperties"] is False
        assert set(entry["required"]) == set(entry["properties"])
        for name, field in entry["properties"].items():
            assert field.get("description") or "$ref" in field, f"{name} is not described"


@pytest.mark.parametrize(
    "content",
    [
        GO,
        GO + b"ENV a=b\nLABEL c=d\n# IGNORE\n",
        GO.replace(b"\n", b"\r\n") + b"# \xff\xe2\x80\xa8\x1b[31m\n",
        b"FROM alpine\n",
        b"",
        b"FROM a\nSYNTAX\n",
        b"FROM a\nBOOM\n",
        b"FROM a\0",
    ],
    ids=["change", "everything", "odd-bytes", "good", "empty", "syntax", "defect", "binary"],
)
def test_every_report_keeps_to_the_schema(dockopt: Program, project: Path, content: bytes) -> None:
    (project / "Dockerfile").write_bytes(content)
    result = dockopt("suggest", "--format", "json", "Dockerfile")
    assert result.out.isascii()
    assert result.out.endswith(b"}\n")
    (entry,) = checked(result.out)["files"]
    assert (entry["error"] is None) == (result.code == 0)
    assert entry["internalError"] == (result.code == 3)


def test_the_edits_and_the_diff_lead_to_the_result(dockopt: Program, project: Path) -> None:
    before = GO.replace(b"\n", b"\r\n") + b"# \xff\n"
    (project / "Dockerfile").write_bytes(before)
    (entry,) = checked(dockopt("suggest", "--format", "json", "Dockerfile").out)["files"]
    text = before
    for change in entry["changes"]:
        edits = [
            Edit(edit["start"], edit["end"], original(edit["text"])) for edit in change["edits"] if not edit["path"]
        ]
        text = apply_edits(text, edits).result
    assert text == original(entry["result"])
    assert text != before
    assert b"+RUN go mod download\n" in original(entry["diff"])


def test_what_is_said_of_a_file(dockopt: Program, project: Path) -> None:
    (project / "Dockerfile").write_bytes(GO + b"ENV a=b\nLABEL c=d\n# IGNORE\n")
    (entry,) = checked(dockopt("suggest", "--format", "json", "Dockerfile").out)["files"]
    assert (entry["path"], entry["context"], entry["contextReason"]) == ("Dockerfile", ".", "all sources resolve here")
    (change,) = entry["changes"]
    assert (change["rewrite"], change["line"], change["applicability"]) == ("split-copy", 3, "safe")
    assert change["verdict"]["status"] == "equal"
    assert change["verdict"]["proof"]["frozen"][0] == {"path": "go.mod", "state": "sha256:1"}
    assert [offer["rewrite"] for offer in entry["offered"]] == ["pin-base"]
    assert entry["unproven"][0]["verdict"]["obligation"] == "`make` reads no variable"
    assert entry["refusals"][0] == {
        "rewrite": "split-run",
        "line": 4,
        "reason": "`make` is not understood",
        "causePath": "Makefile",
        "causeLine": 7,
    }
    assert [(other["path"], other["result"]) for other in entry["otherFiles"]] == [(".dockerignore", ".git\n")]
    assert not entry["written"]


def test_errors_are_in_the_document_and_on_standard_error(dockopt: Program) -> None:
    result = dockopt("suggest", "--check", "--format", "json", "missing", "Dockerfile")
    assert result.code == 2
    missing, good = checked(result.out)["files"]
    assert missing["error"] == "missing: no such file or directory"
    assert result.err == "dockopt: missing: no such file or directory\n"
    assert good["changes"]


def test_writing_is_said(dockopt: Program, project: Path) -> None:
    (entry,) = checked(dockopt("fix", "--write", "--format", "json", "Dockerfile").out)["files"]
    assert entry["written"]
    assert (project / "Dockerfile").read_bytes() == original(entry["result"])


def test_colours_never_get_into_the_document(dockopt: Program) -> None:
    plain = dockopt("suggest", "--format", "json", "Dockerfile").out
    assert dockopt("suggest", "--format", "json", "--color", "always", "Dockerfile").out == plain


def test_standard_input(dockopt: Program) -> None:
    (entry,) = checked(dockopt("fix", "--format", "json", "-", stdin=GO).out)["files"]
    assert entry["path"] == "Dockerfile"
    assert b"RUN go mod download" in original(entry["result"])
