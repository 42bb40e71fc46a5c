"""Which stages somebody can see, where stages have the names of images and of each other."""

from __future__ import annotations

import pytest
from dockopt.optimizer.model import Build, FrozenContext
from dockopt.optimizer.syntax import parse


def exported(text: str) -> list[int]:
    build = Build(parse(text.encode()), FrozenContext(None))
    return [stage.index for stage in build.dockerfile.stages if build.is_exported(stage.index)]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("FROM a AS b\nFROM b\n", [0, 1]),
        ("FROM a AS b\nFROM c\nCOPY --from=b /x /x\n", [1]),
        ("FROM a AS b\nFROM c\nCOPY --from=0 /x /x\n", [1]),
        ("FROM a AS b\nFROM b AS c\nFROM d\nCOPY --from=c /x /x\n", [2]),
        # `b` is an image there: FROM means earlier stages only
        ("FROM b AS a\nFROM a AS b\n", [0, 1]),
        ("FROM b AS a\nFROM a AS b\nFROM scratch\n", [0, 1, 2]),
        ("FROM a AS a\nFROM scratch\n", [0, 1]),
    ],
)
def test_exported_stages(text: str, seen: list[int]) -> None:
    assert exported(text) == seen


def test_many_stages_on_each_other() -> None:
    text = "FROM scratch AS s0\n" + "".join(f"FROM s{n} AS s{n + 1}\n" for n in range(2000))
    assert exported(text) == list(range(2001))
