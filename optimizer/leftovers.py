"""Names that tell which run made a thing, so that the next run can remove what one left that was killed.

A run that ends, by itself or by a signal that can be caught, removes what it made. One that was killed cannot, so its images and
temporary folders bear a word that says whose they are: `dockopt-<where>-<process>-…`. *Where* stands for one start of one machine and
one table of processes: an engine, and a folder for temporary files, may be shared with other machines and containers, whose processes
cannot be seen from here. Only what a process of *here* made that is no more is removed; where its number was given to another
process since, it stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

_OWNER = re.compile(r"dockopt-(?:verify:)?(?P<where>[0-9a-f]{12})-(?P<process>\d+)-[0-9a-z_]+")


@cache
def _here() -> str:
    """Return a word for what shares its processes with this one: the same kernel since its start, the same namespace (`proc(5)`)."""
    facts = [platform.node()]
    with contextlib.suppress(OSError):
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
    with contextlib.suppress(OSError):
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]


def owner() -> str:
    """Return the word of this run that names begin with."""
    return f"{_here()}-{os.getpid()}"


def is_left(name: str) -> bool:
    """Tell whether a name was given by a run that was here and is no more; a registry may stand before it."""
    found = _OWNER.fullmatch(name.rpartition("/")[2])
    return found is not None and found["where"] == _here() and not _lives(int(found["process"]))


def left(names: Iterable[str]) -> list[str]:
    """Return those of the names whose run is no more."""
    return [name for name in names if is_left(name)]


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that is removed at the end, and remove those that killed runs of this user left."""
    for path in Path(tempfile.gettempdir()).glob("dockopt-*"):
        with contextlib.suppress(OSError):
            if is_left(path.name) and path.lstat().st_uid == os.geteuid():
                shutil.rmtree(path)
    with tempfile.TemporaryDirectory(prefix=f"dockopt-{owner()}-") as folder:
        yield Path(folder)
