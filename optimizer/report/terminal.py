"""Where output goes: exact bytes into pipes and files, escaped text on terminals, colours by rich where wanted."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Mapping
from typing import BinaryIO, TextIO

from dockopt.optimizer.report.safe_text import safe
from dockopt.optimizer.report.text import Block, Line

_STYLES = {
    "file": "bold",
    "good": "green",
    "finding": "yellow",
    "gain": "",
    "risk": "yellow",
    "proof": "green",
    "dim": "dim",
    "refusal": "dim",
    "summary": "bold",
}
_DIFF_STYLES = {b"@": "cyan", b"+": "green", b"-": "red"}


def wants_color(choice: str, stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether to colour: `always` and `never` decide; `auto` asks NO_COLOR, then FORCE_COLOR, then the terminal.

    An empty variable counts as unset (no-color.org, force-color.org).
    """
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and environment.get("TERM") != "dumb"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody reads the stream on a terminal."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


class Output:
    """Standard output as bytes.

    In a pipe or a file a diff keeps the bytes of the files, so that `patch` can apply it; on a terminal, and wherever
    colours are asked for, everything is escaped: that is for eyes.
    """

    def __init__(self, color: str = "auto", stream: TextIO | None = None) -> None:
        stream = sys.stdout if stream is None else stream
        if stream is None:  # the process was started with a closed standard output
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._binary: BinaryIO | None = getattr(stream, "buffer", None)
        self._text = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self.color = wants_color(color, stream, os.environ)
        self.for_eyes = self.color or is_terminal(stream)
        self._held: list[bytes] | None = None

    def hold(self) -> None:
        """Keep everything back until `release`: a progress bar owns the terminal."""
        self._held = []

    def release(self) -> None:
        """Write what was held back."""
        held, self._held = self._held, None
        if held:
            self.write(b"".join(held))

    def show(self, blocks: Iterable[Block]) -> None:
        """Print lines and diffs in order."""
        shown = list(blocks)
        if not shown:
            return
        self.write(self._colored(shown) if self.color else b"".join(map(self._plain, shown)))

    def write(self, content: bytes) -> None:
        """Write bytes as they are and flush; raises `BrokenPipeError` where nobody reads any more."""
        if self._held is not None:
            self._held.append(content)
            return
        if self._binary is None:  # a replaced stream without bytes below it
            self._text.write(content.decode(self.encoding, "backslashreplace"))
            self._text.flush()
            return
        self._text.flush()
        self._binary.write(content)
        self._binary.flush()

    def _plain(self, block: Block) -> bytes:
        if isinstance(block, Line):
            return self._encoded(block.text) + b"\n"
        if not self.for_eyes:
            return bytes(block)
        return b"".join(self._encoded(_visible(line)) + b"\n" for line in block.lines)

    def _colored(self, blocks: list[Block]) -> bytes:
        """All blocks through one rich console; text is given as `Text`, so nothing in it is read as markup."""
        import io

        from rich.console import Console
        from rich.text import Text

        console = Console(
            file=io.StringIO(),
            force_terminal=True,
            color_system="standard",
            no_color=False,
            markup=False,
            highlight=False,
            emoji=False,
            soft_wrap=True,
            legacy_windows=False,
        )
        for block in blocks:
            if isinstance(block, Line):
                console.print(Text(block.text, _STYLES.get(block.style, "")))
                continue
            for number, line in enumerate(block.lines):
                style = "bold" if number < 2 else _DIFF_STYLES.get(line[:1], "")
                console.print(Text(_visible(line), style))
        rendered = console.file
        assert isinstance(rendered, io.StringIO)
        return self._encoded(rendered.getvalue())

    def _encoded(self, text: str) -> bytes:
        return text.encode(self.encoding, "backslashreplace")


def _visible(line: bytes) -> str:
    r"""One line of a diff for eyes: the end is cut off and tabs stay; the `\r` of CRLF files is shown as `\r`."""
    return safe(line.removesuffix(b"\n"), keep="\t")


def print_error(message: str) -> None:
    """One line on standard error: `dockopt: message`; the message is escaped here."""
    say(f"dockopt: {safe(message)}")


def say(line: str) -> None:
    """Print a line on standard error, if there is one: to print it on None would put it into the report."""
    if sys.stderr is None:
        return
    try:
        print(line, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # nobody listens: the exit code still tells
        return
