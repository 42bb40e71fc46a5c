"""Whatever arrives, the server goes on, and both sides agree on every text."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dockopt.optimizer.engine import analyze
from dockopt.optimizer.lsp.documents import Documents
from dockopt.optimizer.lsp.framing import MOST, NotAMessage, messages
from dockopt.optimizer.lsp.positions import ENCODINGS, LineIndex, Place, Range
from dockopt.optimizer.lsp.settings import settings_of
from hypothesis import given
from hypothesis import strategies as st

from tests.lsp.clients import EMACS_28, NEOVIM_0_7, VS_CODE, with_
from tests.lsp.conftest import Start
from tests.lsp.editor import ServerError, applied

PIECES = [
    "\n",
    "\r\n",
    "\r",
    " ",
    "\\\n",
    "FROM a\n",
    "COPY . .\n",
    "RUN ",
    "go build",
    "#",
    "🐳",
    "é",
    "\x0c",
    "\u2028",
    "<<E\n",
    "E\n",
    "[",
]


class Chunks:
    """A stream that gives its bytes in pieces of its own choosing."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def readline(self, limit: int) -> bytes:
        end = self.data.find(b"\n", 0, limit) + 1 or min(limit, len(self.data))
        return self.read(end)

    def read(self, size: int) -> bytes:
        taken, self.data = self.data[:size], self.data[size:]
        return taken


def framed(body: bytes, header: bytes = b"Content-Length: %d\r\n\r\n") -> bytes:
    return header % len(body) + body


# -- framing --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: %d\r\n\r\n",
        b"content-length:%d\r\n\r\n",
        b"Content-Length: %d\n\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: %d\r\n\r\n",
        b"Content-Length: %d\r\nContent-Type: x\r\n\r\n",
        b"\r\n\r\nContent-Length: %d\r\n\r\n",
        b"garbage of another program\nContent-Length: %d\r\n\r\n",
        b"the rest of a body that was too long}Content-Length: %d\r\n\r\n",
        b"Content-Length: x\r\n\r\nContent-Length: -3\r\n\r\nContent-Length: %d\r\n\r\n",
    ],
)
def test_the_next_message_is_found(header: bytes) -> None:
    assert list(messages(Chunks(framed(b"one", header) + framed(b"two")))) == [b"one", b"two"]


def test_a_huge_message_is_skipped_without_being_kept() -> None:
    class Endless(Chunks):
        def read(self, size: int) -> bytes:
            assert size < 1 << 20
            return super().read(size) or (b"x" * size if self.left() else b"")

        total = MOST + 1

        def left(self) -> bool:
            Endless.total -= 1 << 16
            return Endless.total > 0

    found = list(messages(Endless(b"Content-Length: %d\r\n\r\n" % (MOST + 1))))
    assert isinstance(found[0], NotAMessage)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_framing(noise: bytes) -> None:
    found = list(messages(Chunks(noise + b"\n\r\n" + framed(b"one"))))
    # a length that the noise announces may swallow what follows; nothing else may get lost
    assert found == [b"one"] or b"content-length:" in noise.lower()


# -- texts ----------------------------------------------------------------------------------------------------------------


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, str, list[tuple[Range | None, str]]]:
    text = "".join(draw(st.lists(st.sampled_from(PIECES), max_size=12)))
    encoding = draw(st.sampled_from(ENCODINGS))
    changes: list[tuple[Range | None, str]] = []
    for new in draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5)):
        if draw(st.booleans()):
            changes.append((None, new * 2))
        else:
            places = sorted(Place(draw(st.integers(0, 6)), draw(st.integers(0, 12))) for _ in range(2))
            changes.append((Range(*places), new))
    return text, encoding, changes


@given(edits())
def test_changes_of_parts_are_applied_as_the_protocol_says(
    given_: tuple[str, str, list[tuple[Range | None, str]]],
) -> None:
    """The server asks for whole texts; a client that sends parts all the same is understood."""
    text, encoding, changes = given_
    documents = Documents(encoding)
    documents.open("file:///w/Dockerfile", "dockerfile", 1, text)
    expected = text
    for where, new in changes:
        if where is None:
            expected = new
            continue
        index = LineIndex(expected, encoding)
        start, end = (index.offset(place) for place in where)
        expected = expected[:start] + new + expected[end:]
    found = documents.change("file:///w/Dockerfile", 2, changes)
    assert found is not None
    assert (found.text, found.version) == (expected, 2)


def test_a_text_whose_opening_got_lost_is_taken_from_its_next_change() -> None:
    documents = Documents()
    assert documents.change("file:///w/Dockerfile", 2, [(Range(Place(0, 0), Place(0, 0)), "x")]) is None
    found = documents.change("file:///w/Dockerfile", 3, [(None, "FROM a\n")])
    assert found is not None
    assert found.is_dockerfile


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:Dockerfile",
        "file://host/w/Dockerfile",
        "file:w",
        "",
        "http://[",
        "file:///a%00b",
        "file:///\ud83d/Dockerfile",
    ],
)
def test_what_is_no_file_here_is_left_alone(uri: str) -> None:
    assert not Documents().open(uri, "dockerfile", 1, "FROM a\n").is_dockerfile


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(st.sampled_from(["select", "ignore", "codeLens", "context", "x"]), x, max_size=4)
        ),
        max_leaves=8,
    )
)
def test_no_settings_break_anything(sent: Any) -> None:
    settings_of(sent)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a" * 5000 + "/Dockerfile", "no file can have a name that long"),
        ("a/" * 3000 + "Dockerfile", "no file can have a name that long"),
        ("a" * 5000 + ".Dockerfile", "no file can have a name that long"),
        ("go.mod/Dockerfile", None),
    ],
    ids=["directory", "deep", "file", "below a file"],
)
def test_names_that_no_file_can_have_are_answered(name: str, says: str | None, project: Path, start: Start) -> None:
    editor = start(project)
    uri = f"{project.as_uri()}/{name}"
    text = "FROM debian:12\nCOPY main.go /src/\n"
    item = {"uri": uri, "languageId": "dockerfile", "version": 1, "text": text}
    editor.versions[uri] = 1
    editor.notify("textDocument/didOpen", {"textDocument": item})
    found = editor.published(uri)
    if says is not None:
        assert says in found[0]["message"]
    place = {"line": 1, "character": 1}
    editor.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": place})
    assert b"Traceback" not in editor.log


@pytest.mark.parametrize("source", ["a/" * 1500 + "b", "a" * 5000, "../" * 1500 + "b"], ids=["deep", "long", "upwards"])
def test_sources_that_no_file_can_be_called_are_answered(source: str, project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile", f"FROM golang:1.22\nCOPY {source} /b/\nRUN go build\n")
    assert editor.request("textDocument/documentSymbol", {"textDocument": {"uri": uri}})


# -- a session of many edits ------------------------------------------------------------------------------------------------


def random_texts(seed: int, text: str, count: int) -> Iterator[str]:
    chance = random.Random(seed)
    for _ in range(count):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(["", *PIECES]) + text[at + chance.choice([0, 0, 1, 5]) :]
        yield text


@pytest.mark.parametrize("capabilities", [NEOVIM_0_7, EMACS_28, VS_CODE], ids=["neovim", "emacs", "vs-code"])
def test_random_edits_never_desynchronise(capabilities: Any, project: Path, start: Start) -> None:
    """After each edit the fix of all is that of the engine for the very text that the editor has."""
    file = project / "Dockerfile"
    editor = start(project, with_(capabilities, "textDocument.diagnostic", None))
    uri = editor.open(file)
    for number, text in enumerate(random_texts(7, editor.texts[uri], 120)):
        editor.change(uri, text)
        if number % 3:
            continue  # the next edit overtakes the analysis
        editor.published(uri)
        edit = editor.fix_all(uri)
        after = text if edit is None else editor.apply(edit)[uri]
        assert after.encode() == (analyze(file, text.encode()).result if text.strip() else text.encode())
        for action in editor.actions(uri, only=["quickfix"]):
            editor.apply(action["edit"])  # no overlaps, right versions
    assert editor.close() == 0
    assert b"Traceback" not in editor.log


#: messages that say nothing, or the wrong thing
MALFORMED: list[Any] = [
    [],
    None,
    3,
    "text",
    {},
    {"jsonrpc": "1.0", "method": "textDocument/didOpen"},
    {"jsonrpc": "2.0", "method": 5},
    {"jsonrpc": "2.0", "method": "no/such/notification", "params": {}},
    {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": None},
    {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": {"uri": 3}}},
    {"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {"textDocument": {}, "contentChanges": "x"}},
    {
        "jsonrpc": "2.0",
        "method": "textDocument/didChange",
        "params": {"textDocument": {"uri": "file:///never", "version": 1}, "contentChanges": [{"text": "x"}]},
    },
    {"jsonrpc": "2.0", "method": "textDocument/didClose", "params": {"textDocument": {"uri": "file:///never"}}},
    {"jsonrpc": "2.0", "method": "workspace/didChangeWatchedFiles", "params": {"changes": [{"uri": "::", "type": 9}]}},
    {"jsonrpc": "2.0", "method": "workspace/didChangeConfiguration", "params": {"settings": [1, {"a": []}]}},
    {"jsonrpc": "2.0", "method": "workspace/didChangeWorkspaceFolders", "params": {"event": {}}},
    {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 10**9}},
    {"jsonrpc": "2.0", "method": "$/setTrace", "params": {"value": "loud"}},
    {"jsonrpc": "2.0", "id": "never asked", "result": {"x": 1}},
    {"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": "x"}},
]
BROKEN = [
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b"",
    b'{"jsonrpc": "2.0", "method": "initialized", "params": ' + b'{"a":' * 5000,
]


def test_malformed_messages_are_left_aside(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    for message in MALFORMED:
        editor.send(message)
    for body in BROKEN:
        editor.send_bytes(framed(body))
    editor.send_bytes(b"noise\r\n\r\n")
    editor.change(uri, "# 1\n" + editor.texts[uri])
    assert editor.published(uri)
    edit = editor.fix_all(uri)
    assert edit is not None
    file = project / "Dockerfile"
    assert editor.apply(edit)[uri].encode() == analyze(file, editor.texts[uri].encode()).result
    assert editor.close() == 0


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("no/such/request", {}, -32601),
        ("textDocument/hover", {"textDocument": {"uri": 3}}, -32602),
        ("textDocument/codeAction", None, -32602),
        ("codeAction/resolve", {"kind": "quickfix"}, -32602),
        ("initialize", {"capabilities": {}, "processId": None, "rootUri": None}, -32600),
    ],
)
def test_a_malformed_request_gets_an_error(method: str, params: Any, code: int, project: Path, start: Start) -> None:
    editor = start(project)
    with pytest.raises(ServerError) as error:
        editor.request(method, params)
    assert error.value.code == code
    assert editor.published(editor.open(project / "Dockerfile"))


def test_foreign_data_of_an_action_is_left_alone(project: Path, start: Start) -> None:
    editor = start(project)
    for data in (None, 3, {"uri": 3}, {"uri": "file:///x", "version": 1}):
        action = {"title": "x", "kind": "source.fixAll.dockopt", "data": data}
        try:
            assert "edit" not in editor.request("codeAction/resolve", action)
        except ServerError as error:
            assert error.code == -32801


def test_places_outside_of_the_text_are_no_error(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    for line, character in ((0, 10**6), (10**6, 0), (2**31 - 1, 2**31 - 1)):
        place = {"line": line, "character": character}
        editor.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": place})
        where = {"start": place, "end": place}
        params = {"textDocument": {"uri": uri}, "range": where, "context": {"diagnostics": []}}
        editor.request("textDocument/codeAction", params)


def test_cancelled_requests_are_answered_and_block_nothing(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    where = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    params = {"textDocument": {"uri": uri}, "range": where, "context": {"diagnostics": []}}
    numbers = [editor.ask("textDocument/codeAction", params) for _ in range(20)]
    for number in numbers[:-1]:
        editor.notify("$/cancelRequest", {"id": number})
    answers = []
    for number in numbers:
        try:
            answers.append(editor.answer(number))
        except ServerError as error:
            assert error.code == -32800
    assert answers
    assert len(answers) < len(numbers)
    assert answers[-1]


#: hours of work: every step looks at what all steps before it have written
ENDLESS = "FROM golang:1.22\nWORKDIR /src\nCOPY . .\n" + "".join(f"RUN go build -o /bin/{n}\n" for n in range(20_000))


@pytest.mark.parametrize("capabilities", [NEOVIM_0_7, VS_CODE], ids=["sent", "asked-for"])
def test_a_new_text_does_not_wait_for_the_analysis_of_an_endless_one(
    capabilities: Any, project: Path, start: Start
) -> None:
    editor = start(project, capabilities)
    file = project / "Dockerfile"
    small = file.read_text()
    uri = editor.open(file, ENDLESS)
    number = editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
    editor.change(uri, small)
    with pytest.raises(ServerError) as error:
        editor.answer(number)
    assert error.value.code == -32801  # ContentModified
    assert editor.request("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
    assert editor.fix_all(uri) is not None
    assert editor.close() == 0


def test_closing_an_endless_text_leaves_the_server_to_others(project: Path, start: Start) -> None:
    editor = start(project)
    endless = editor.open(project / "Dockerfile.endless", ENDLESS)
    editor.notify("textDocument/didClose", {"textDocument": {"uri": endless}})
    other = editor.open(project / "Dockerfile")
    assert editor.published(other)
    assert editor.close() == 0


def test_the_server_ends_in_the_middle_of_an_endless_analysis(project: Path, start: Start) -> None:
    editor = start(project)
    editor.open(project / "Dockerfile", ENDLESS)
    assert editor.close() == 0


# -- beginning and end ------------------------------------------------------------------------------------------------------


def test_the_end_of_a_session(project: Path, start: Start) -> None:
    assert start(project).close() == 0
    abrupt = start(project)
    abrupt.notify("exit", None)
    assert abrupt.process.wait(60) == 1
    gone = start(project)
    assert gone.process.stdin is not None
    gone.process.stdin.close()
    assert gone.process.wait(60) == 1
    assert b"Fatal" not in gone.log + abrupt.log


def test_requests_before_initialize_are_refused(tmp_path: Path) -> None:
    import io
    import os

    from dockopt.optimizer.lsp.framing import Writer
    from dockopt.optimizer.lsp.main import _greet

    def body(message: Any) -> bytes:
        return json.dumps(message).encode()

    out = io.BytesIO()
    early = body({"id": 1, "method": "textDocument/hover"})
    hello = body({"id": 2, "method": "initialize", "params": {"rootPath": os.fspath(tmp_path)}})
    greeting = _greet(iter([b"x", body([]), early, body({"method": "initialized"}), hello, early]), Writer(out))
    assert greeting is not None
    assert greeting.folders == (os.fspath(tmp_path),)
    codes = [
        json.loads(m).get("error", {}).get("code") for m in messages(Chunks(out.getvalue())) if isinstance(m, bytes)
    ]
    assert codes == [-32002, None]
    assert _greet(iter([body({"method": "exit"}), hello]), Writer(out)) is None
    assert _greet(iter([]), Writer(out)) is None


def test_edits_of_the_test_client_are_those_of_the_protocol() -> None:
    def edit(line: int, start: int, end: int, text: str) -> dict[str, Any]:
        return {
            "range": {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}},
            "newText": text,
        }

    assert applied("a🐳b\r\nc", [edit(0, 3, 4, "X"), edit(1, 0, 0, "1"), edit(1, 0, 0, "2")], "utf-16") == "a🐳X\r\n12c"
    with pytest.raises(AssertionError, match="overlap"):
        applied("abc", [edit(0, 0, 2, ""), edit(0, 1, 3, "")], "utf-8")


def test_a_request_after_shutdown_is_refused(project: Path, start: Start) -> None:
    editor = start(project)
    editor.request("shutdown", None)
    with pytest.raises(ServerError, match="nothing but `exit`"):
        editor.request("textDocument/hover", {"textDocument": {"uri": "x"}, "position": {"line": 0, "character": 0}})
    editor.notify("exit", None)
    assert editor.process.wait(30) == 0


def test_a_context_with_a_nul_counts_as_not_said() -> None:
    understood = settings_of({"context": "a\0b"})
    assert understood.settings.context is None
    assert understood.problems == ("`dockopt.context` holds a NUL, which no path has",)
