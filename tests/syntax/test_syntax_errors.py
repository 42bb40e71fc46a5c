"""What BuildKit refuses is refused with its meaning, and with line and column."""

from __future__ import annotations

import pytest
from dockopt.optimizer.syntax import DockerfileSyntaxError, parse

BROKEN = {
    b"": (1, 1, "the Dockerfile cannot be empty"),
    b"# nothing\n": (1, 1, "no instructions"),
    b"RUN a\n": (1, 1, "no build stage"),
    b"FROM a\nRUNN b\n": (2, 1, "unknown instruction: RUNN"),
    b"FROM a\n\n  COPY x\n": (3, 3, "COPY requires at least two arguments"),
    b"FROM a\nRUN <<E\nb\n": (2, 1, "unterminated heredoc"),
    b"FROM a\nENV b\n": (2, 5, "ENV must have two arguments"),
    b"FROM a\nCOPY --nope a b\n": (2, 6, "unknown flag: --nope"),
    b"FROM\n": (1, 1, "FROM requires either one or three arguments"),
    b"FROM a AS 0\n": (1, 1, "invalid name for build stage"),
    b"# escape=x\nFROM a\n": (1, 1, "invalid escape token 'x'"),
    b"FROM a\nHEALTHCHECK\n": (2, 1, "HEALTHCHECK requires at least one argument"),
}


@pytest.mark.parametrize("text", BROKEN)
def test_place_and_meaning(text: bytes) -> None:
    line, column, message = BROKEN[text]
    with pytest.raises(DockerfileSyntaxError) as caught:
        parse(text)
    error = caught.value
    assert message.lower() in error.message.lower()
    assert (error.line, error.column) == (line, column)
