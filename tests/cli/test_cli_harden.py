"""`dockopt harden`: what it prints, and what its exit codes say."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.cli.conftest import Program

CASES = Path(__file__).parents[2] / "fixtures" / "non-root"


def test_it_prints_yaml(dockopt: Program) -> None:
    result = dockopt("harden", str(CASES / "go-on-alpine"), "--for", "kubernetes")
    assert result.code == 0
    assert yaml.safe_load(result.out)["securityContext"]["runAsUser"] == 10001


def test_what_needs_root_is_an_answer_too(dockopt: Program) -> None:
    result = dockopt("harden", str(CASES / "database"))
    assert (result.code, result.out) == (1, b"")
    assert "has to start as root" in result.err


def test_wrong_usage_and_no_file(dockopt: Program) -> None:
    assert dockopt("harden", str(CASES / "database"), "--for", "swarm").code == 2
    assert dockopt("harden", str(CASES / "nowhere")).code == 2
