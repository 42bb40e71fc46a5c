"""What a list of requirements says of wheels."""

from __future__ import annotations

import pytest
from dockopt.optimizer.ecosystems.python.wheels import NotWheels, Wheel, need, wheels
from hypothesis import given
from hypothesis import strategies as st

HASH = "--hash=sha256:" + "0" * 64


def test_names_and_lines_are_told() -> None:
    flask = f"Flask[async]==3.0.3 \\\n    {HASH} \\\n    {HASH}\n    # via -r x.in\n"
    head = "# made by pip-compile\n--index-url https://pypi.org/simple\n--only-binary :all:\n"
    text = f'{head}{flask}\nJinja2==3.1 ; python_version >= "3.8" {HASH}\n'
    assert wheels(text) == ((Wheel("flask", 4), Wheel("jinja2", 9)), True)


def test_what_is_asked_for_elsewhere_is_not_said_by_the_list() -> None:
    assert wheels(f"a.b_c==1 {HASH}\n") == ((Wheel("a-b-c", 1),), False)


@pytest.mark.parametrize(
    "line",
    [
        "flask==3.0.3",
        f"flask>=3 {HASH}",
        f"flask @ https://example.com/flask.tar.gz {HASH}",
        f"./flask.tar.gz {HASH}",
        "-e .",
        "-r other.txt",
        "--no-binary :all:",
        "--find-links wheels",
        "--index-url https://example.com/simple",
        "--extra-index-url https://example.com/simple",
    ],
)
def test_what_is_not_fixed_is_refused(line: str) -> None:
    found = wheels(f"a==1 {HASH}\n{line}\n")
    assert isinstance(found, NotWheels)
    assert found.line == 2


def test_packages_that_need_more_are_known() -> None:
    assert "libmagic" in (need(Wheel("python-magic", 1)) or "")
    assert "of its own" in (need(Wheel("setuptools", 1)) or "")
    assert need(Wheel("flask", 1)) is None


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert isinstance(wheels(text), NotWheels | tuple)
