"""A program of Python in the image that its packages are installed in, and in a stage of its own: it answers the same.

The images `python:3.11` and `python:3.11-slim` may be one and the same here, with Python in another place than `/usr/local`: then what
pip has installed is moved, and Python is not.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.proposal import FileReport

from tests.engine.engine import Engine
from tests.engine.test_multi_stage import answer, serving, size

_PROGRAM = """\
import json
import os
import sys
import wsgiref.simple_server
from pathlib import Path

import itsdangerous

MENU = Path(__file__).with_name("menu.txt").read_text()


def shop(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    signed = itsdangerous.Signer("salt").sign("soup").decode()
    return [json.dumps({"menu": MENU, "signed": signed, "user": os.getuid(), "home": os.path.expanduser("~")}).encode()]


wsgiref.simple_server.make_server("127.0.0.1", int(sys.argv[-1].split(":")[-1]), shop).serve_forever()
"""
_REQUIREMENTS = """\
gunicorn==22.0.0 --hash=sha256:350679f91b24062c86e386e198a15438d53a7a8207235a78ba1b53df4c4378d9
itsdangerous==2.2.0 --hash=sha256:c6242fc49e35958c8b15141343aa660db5fc54d4f13a1db01a3f5891b98700ef
packaging==24.0 --hash=sha256:2ddfb553fdf02fb784c234c7ba6ccc288296ceabec964ad2eae3777778130bc5
"""
_HEAD = "FROM python:3.11\nWORKDIR /app\nCOPY requirements.txt ./\nRUN pip install --only-binary=:all: -r requirements.txt\nCOPY . .\n"


def built(engine: Engine, directory: Path, tail: str) -> tuple[FileReport, list[str]]:
    """Build the project before and after; return what is proposed, and both tags."""
    for base in ("python:3.11", "python:3.11-slim"):
        if not engine.has(base):
            pytest.skip(f"the engine has no image {base}")
    for name, text in (("shop.py", _PROGRAM), ("requirements.txt", _REQUIREMENTS), ("menu.txt", "soup\n")):
        (directory / name).write_text(text)
    path = directory / "Dockerfile"
    path.write_text(_HEAD + tail)
    chosen = frozenset({"multi-stage"})
    told = analyze(path, path.read_bytes(), Options(context=directory, select=chosen, named=chosen))
    assert b"\nFROM python:3.11-slim\n" in told.result
    tags = []
    for source in (told.source, told.result):
        tags.append(engine.tag("python-stages"))
        result = engine.build(source, directory, tag=tags[-1])
        assert result.ok, result.log
    return told, tags


@pytest.mark.engine
@pytest.mark.parametrize("user", ["root", "shop"])
def test_a_program_of_python_answers_the_same_from_a_stage_of_its_own(
    warm_engine: Engine, tmp_path: Path, user: str
) -> None:
    account = "" if user == "root" else "RUN useradd --create-home shop\nUSER shop\n"
    _, tags = built(warm_engine, tmp_path, f'{account}ENTRYPOINT ["python", "-u", "shop.py"]\n')
    with serving(tags[0]) as old, serving(tags[1]) as new:
        before, after = answer(old), answer(new)
    assert before == after
    said = json.loads(after)
    assert (said["menu"], said["user"]) == ("soup\n", 0 if user == "root" else 1000)
    assert said["home"] == ("/root" if user == "root" else "/home/shop")
    print(f"python: {size(tags[0])} bytes before, {size(tags[1])} after")


@pytest.mark.engine
def test_a_program_that_pip_installs_goes_along(warm_engine: Engine, tmp_path: Path) -> None:
    _, tags = built(warm_engine, tmp_path, 'CMD ["gunicorn", "--version"]\n')
    assert [warm_engine.run(tag) for tag in tags] == ["gunicorn (version 22.0.0)\n"] * 2
