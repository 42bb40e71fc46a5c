"""Comments for hadolint that mean the same for dockopt: one whose rule asks for what one of our rewrites does.

`# hadolint ignore=…` speaks of the next instruction, `# hadolint global ignore=…` of the whole file (README of hadolint, "Inline
ignores"). Of BuildKit's checks (`# check=skip=…`) none asks for what a rewrite does, so none is looked at
(docs.docker.com/reference/build-checks).
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Same(NamedTuple):
    """The rewrite that does what a rule of hadolint asks for."""

    rewrite: str
    #: what the rule asks for, in short
    asks: str
    #: a comment for the whole file counts too: the rewrite does nothing but what the rule asks for
    whole_file: bool = False


#: by rule of hadolint (its wiki has a page for each). Not DL3002 ("last USER should not be root"): it speaks of a USER that is root,
#: and `non-root` of images without any
SAME = {
    "DL3006": Same("pin-base", "a tag for the base image"),
    "DL3007": Same("pin-base", "a version instead of `latest`"),
    "DL3009": Same("apt-hygiene", "no lists of apt"),
    "DL3019": Same("apt-hygiene", "`apk add --no-cache`"),
    "DL3032": Same("apt-hygiene", "`yum clean all`"),
    "DL3040": Same("apt-hygiene", "`dnf clean all`"),
    "DL3042": Same("apt-hygiene", "`pip install --no-cache-dir`"),
    "DL3059": Same("merge-runs", "one RUN instead of several", whole_file=True),
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
    whole_file = match["scope"] is not None
    found = (SAME[name] for name in re.split(r"\s*,\s*", match["rules"]) if name in SAME)
    return tuple(dict.fromkeys(same.rewrite for same in found if same.whole_file or not whole_file)), whole_file
