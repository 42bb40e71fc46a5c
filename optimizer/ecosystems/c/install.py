"""C and C++ have no step that only fetches dependencies: these functions say so where such a project is compiled.

CMake, make, Ninja and Meson read any file of the project, compare modification times, and take libraries from wherever the system
keeps them; nothing is known of what they read and write.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.installs import Cause, Install
from dockopt.optimizer.ecosystems.registry import ECOSYSTEMS
from dockopt.optimizer.regions import join

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed

#: they serve projects in C and C++ only
_BUILDERS = frozenset("cmake ninja meson autoreconf autoconf bazel scons qmake xmake".split())
_COMPILERS = re.compile(r"(.*-)?(gcc|g\+\+|cc|c\+\+|clang|clang\+\+)(-\d+)?")
_PACKAGE_MANAGERS = {"conan": "conanfile.txt or conanfile.py", "vcpkg": "vcpkg.json"}
#: programs of the ecosystems that have an install step
_OTHER_LANGUAGES = frozenset(
    name for entry in ECOSYSTEMS for names in entry.programs.values() for name in names.split()
)
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
#: a recipe that compiles C, by the variables of make's own rules or by name
_COMPILES = re.compile(
    rb"\$[({](CC|CXX|LINK\.c|COMPILE\.c)[)}]"
    rb"|^\t.*\b(gcc|g\+\+|clang|clang\+\+|cmake|cc)\b"
    rb"|^(CC|CXX|CFLAGS|CXXFLAGS)\s*[:?+]?=",
    re.MULTILINE,
)
_WHY = (
    "compiles C or C++: there is no step that only fetches dependencies, any file may be read, and what was compiled is compared by "
    "modification time. Packages of the distribution can be installed above the sources; `ccache` in a cache mount keeps objects"
)


def caches(_around: Surroundings) -> tuple[str, ...]:
    """Return nothing: these tools have no cache that they only read through."""
    return ()


def is_install(_command: Executed) -> bool:
    """Tell that there is no install step."""
    return False


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Return why the build of a C or C++ project stays where it is, None for everything else."""
    name = (command.argv[0] if command.argv and command.argv[0] else "").rpartition("/")[2]
    if any(other.stage == command.stage and other.name in _OTHER_LANGUAGES for other in executor.executed):
        return None  # it compiles a part of a project in another language
    if name in _PACKAGE_MANAGERS:
        reason = (
            f"`{name}` is not modelled: beside {_PACKAGE_MANAGERS[name]} it reads profiles and recipes, and runs them"
        )
        return Cause(reason, "", command.line)
    if name in _BUILDERS or _COMPILERS.fullmatch(name):
        return Cause(f"`{name}` {_WHY}", "", command.line)
    if name == "make" and (found := _makefile_for_c(command, executor)) is not None:
        return Cause(f"`make` {_WHY}", *found)
    return None


def _makefile_for_c(command: Executed, executor: Executor) -> tuple[str, int] | None:
    """Return the place in a makefile of the context that compiles C; ("", line of the RUN) below CMake's own."""
    if command.cwd is None:
        return None
    for makefile in _MAKEFILES:
        found = command.before.files.context_file(join(command.cwd, makefile))
        data = None if found is None else executor.files.read(found[0])
        if found is not None and data is not None:
            match = _COMPILES.search(data)
            return None if match is None else (found[0], data.count(b"\n", 0, match.start()) + 1)
    return None
