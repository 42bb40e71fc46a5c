"""Comments for hadolint that mean the same for dockopt: one whose rule asks for what one of our rewrites does.

`# hadolint ignore=…` speaks of the next instruction, `# hadolint global ignore=…` of the whole file (README of hadolint, "Inline
ignores"). Of BuildKit's checks (`# check=skip=…`) none asks for what a rewrite does, so none is looked at
(docs.docker.com/reference/build-checks).
"""

from __future__ import annotations

import re

#: rules of hadolint (its wiki has a page for each) by the rewrite that does what they ask for
SAME = {
    # "Multiple consecutive `RUN` instructions. Consider consolidation": who ignores it wants these RUNs apart
    "DL3059": "merge-runs",
}
_PRAGMA = re.compile(
    r"#\s*hadolint\s+(?P<scope>global\s+)?ignore\s*=\s*(?P<rules>[A-Za-z0-9]+(?:\s*,\s*[A-Za-z0-9]+)*)"
)


def hadolint_rules(comment: str) -> tuple[tuple[str, ...], bool] | None:
    """Return which rewrites a comment keeps away, and whether from the whole file; None for one that is not for hadolint.

    The comment comes without white space around it.
    """
    match = _PRAGMA.fullmatch(comment)
    if match is None:
        return None
    named = re.split(r"\s*,\s*", match["rules"])
    return tuple(dict.fromkeys(SAME[name] for name in named if name in SAME)), match["scope"] is not None
