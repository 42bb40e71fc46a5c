"""The configuration that docs/ci.md tells its readers to write."""

from __future__ import annotations

import re

from tests.integrations.conftest import ROOT

_BLOCK = re.compile(r"```yaml\n# (\S+)\n(.*?)```", re.DOTALL)


def snippets() -> dict[str, str]:
    """The text of each file by its name."""
    found = dict(_BLOCK.findall((ROOT / "docs" / "ci.md").read_text("utf-8")))
    assert set(found) == {
        ".github/workflows/dockopt.yml",
        ".github/workflows/dockopt-scanning.yml",
        ".gitlab-ci.yml",
        ".pre-commit-config.yaml",
    }
    return found
