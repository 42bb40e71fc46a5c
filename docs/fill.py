"""Fill the generated blocks of the documentation from what the program really prints.

A block stands between `<!-- generated: NAME -->` and `<!-- end -->`; NAME is a key of `BLOCKS`. `python docs/fill.py` writes
the files, `--check` only says which are out of date (exit code 1).
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/proofs.md", "docs/report.md")
_BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ASSUMPTION = re.compile(r"([a-z]+(?:-[a-z]+)+): (.+)", re.DOTALL)


def _printed(directory: Path, *arguments: str) -> str:
    """What `dockopt` prints in a directory. Raises CalledProcessError where it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_COLOR")}
    done = subprocess.run(
        [sys.executable, "-m", "dockopt", *arguments],
        cwd=directory,
        env={**environment, "PYTHONPATH": str(ROOT / ".src"), "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode()


def _suggestion() -> str:
    return f"```console\n$ dockopt suggest\n{_printed(ROOT / 'fixtures' / 'examples' / 'go-service', 'suggest')}```\n"


def _rewrites() -> str:
    rows = [line.split(maxsplit=1) for line in _printed(ROOT, "rules").splitlines()]
    return "\n".join(
        ("| rewrite | what it does |", "|---|---|", *(f"| `{name}` | {text} |" for name, text in rows), "")
    )


def _options() -> str:
    return f"```console\n$ dockopt suggest --help\n{_printed(ROOT, 'suggest', '--help')}```\n"


def assumptions() -> dict[str, str]:
    """Every assumption that a proof may print: all module-level strings of the form `short-name: sentence`."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "optimizer").rglob("*.py")):
        for node in ast.parse(path.read_bytes()).body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                match = _ASSUMPTION.fullmatch(node.value.value)
                if match is not None:
                    found[match.group(1)] = match.group(2)
    return dict(sorted(found.items()))


def _assumptions() -> str:
    return "".join(f"- `{name}`: {text}\n" for name, text in assumptions().items())


BLOCKS: dict[str, Callable[[], str]] = {
    "suggestion": _suggestion,
    "rewrites": _rewrites,
    "options": _options,
    "assumptions": _assumptions,
}


def filled(page: str) -> str:
    """The text of a page with fresh blocks; raises KeyError for a block that nothing generates."""
    return _BLOCK.sub(lambda block: block[1] + BLOCKS[block[2]]() + block[3], (ROOT / page).read_text("utf-8"))


def main(check: bool) -> int:
    """Write the pages, or only compare them; return the exit code."""
    stale = []
    for page in PAGES:
        text = filled(page)
        if text != (ROOT / page).read_text("utf-8"):
            stale.append(page)
            if not check:
                (ROOT / page).write_text(text, "utf-8")
    for page in stale:
        print(f"{page}: {'out of date; run `python docs/fill.py`' if check else 'written'}")
    return 1 if stale and check else 0


if __name__ == "__main__":
    raise SystemExit(main("--check" in sys.argv[1:]))
