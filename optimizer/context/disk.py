"""What of the file system may be looked at, and which files have another text in an editor than on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Disk:
    """The files of one analysis. The default is all of the file system as it is, which is what the command line takes."""

    #: nothing outside of this directory is looked at (the workspace of an editor); None: no limit
    limit: Path | None = None
    #: absolute path → text that an editor has and did not save yet; a file that is not on disk is not there
    unsaved: Mapping[str, bytes] = field(default_factory=dict)

    def holds(self, path: Path) -> bool:
        """Tell whether a path, links followed, may be looked at."""
        if self.limit is None:
            return True
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.limit))

    def upwards(self, directory: Path) -> Iterator[Path]:
        """Yield a directory and those above it, up to the limit; only the directory itself where it lies outside of that."""
        for folder in (directory, *directory.parents):
            yield folder
            if self.limit is not None and (folder == self.limit or not folder.is_relative_to(self.limit)):
                return

    def text(self, path: str) -> bytes | None:
        """Return what an editor holds of a file, None where that is what is on disk."""
        return self.unsaved.get(path)


#: all of the file system, as it is
WHOLE = Disk()
