"""Where Python's package managers look for things and where they install them, at one place of a Dockerfile."""

from __future__ import annotations

import posixpath
import sys
from dataclasses import dataclass

from dockopt.optimizer.commands.arguments import NotUnderstood, searched_directories
from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.environment import named_in_project
from dockopt.optimizer.regions import EVERYTHING, Region, below, join

DEPENDENCY_BUILDS = (
    "dependency-builds: packages that are installed, and the scripts that build those that come as sources, leave alone what "
    "the Dockerfile copies from the context, and heed only variables that Python's and C's build tools document"
)
PYTHON_SETTINGS = (
    "python-settings: settings outside the project (variables of the base image, pip.conf, uv.toml) lead no package manager into "
    "directories that the Dockerfile fills from the context"
)
PYTHON_MODULES = (
    "python-modules: no file in a directory of the project that Python searches has the name of a module of Python or pip, and "
    "no installed package lies there"
)

#: variables of Python (python(1), "ENVIRONMENT VARIABLES"), of pip, uv, Poetry, PDM, Pipenv and conda (their manuals:
#: option `--foo` is `PIP_FOO`), of what they download with, and of the tools that build extension modules (setuptools,
#: distutils' `sysconfig.customize_compiler`, meson-python, scikit-build-core, maturin)
VARIABLES = (
    "PYTHON*", "PIP_*", "UV_*", "POETRY_*", "PDM_*", "PIPENV_*", "PIPX_*", "CONDA_*", "MAMBA_*", "_CONDA_*", "VIRTUAL_ENV*",
    "VIRTUALENV_*", "WORKON_HOME", "HATCH_*", "FLIT_*", "PYPI_*", "PBR_*", "SETUPTOOLS_*", "DISTUTILS_*", "PYPROJECT_*",
    "HOME", "USER", "LOGNAME", "SHELL", "TERM", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "CI", "LANG", "LANGUAGE", "LC_*", "TZ",
    "TMPDIR", "TEMP", "TMP", "XDG_*", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY",
    "NO_PROXY", "ALL_PROXY", "SSL_*", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC", "GIT_*", "SSH_*", "SOURCE_DATE_EPOCH",
    "CC", "CXX", "CPP", "AR", "ARFLAGS", "LD", "LDSHARED", "LDCXXSHARED", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "ARCHFLAGS",
    "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "PKG_CONFIG*", "CMAKE*", "SKBUILD_*", "MESON*", "NINJA*",
    "MAKEFLAGS", "MAX_JOBS", "CARGO_*", "RUST*", "MATURIN_*", "CYTHON*", "FC", "F77", "F90", "FFLAGS", "BLAS*", "LAPACK*",
    "OPENBLAS*", "NPY_*", "CUDA*", "TORCH_*", "GRPC_*", "PG_CONFIG", "MYSQLCLIENT_*", "CRYPTOGRAPHY_*", "_PYTHON*", "FORCE_CUDA",
)  # fmt: skip

#: variables that lead installations, or what they keep, to other directories
_DIRECTORY_VARIABLES = (
    "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "PIP_CACHE_DIR", "UV_CACHE_DIR",
    "UV_PYTHON_INSTALL_DIR", "UV_TOOL_DIR", "UV_TOOL_BIN_DIR", "POETRY_HOME", "POETRY_CACHE_DIR", "POETRY_VIRTUALENVS_PATH",
    "POETRY_CONFIG_DIR", "PDM_CACHE_DIR", "PIPENV_CACHE_DIR", "PIPX_HOME", "PIPX_BIN_DIR", "WORKON_HOME", "PYTHONUSERBASE",
    "PYTHONPYCACHEPREFIX", "CONDA_PREFIX", "MAMBA_ROOT_PREFIX",
)  # fmt: skip
#: variables that lead a package manager to another project, to settings or to files (manuals of uv, PDM, Poetry, Pipenv, conda)
_REFUSED_VARIABLES = (
    "PYTHONHOME", "UV_CONFIG_FILE", "UV_FIND_LINKS", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_BUILD_CONSTRAINT", "UV_PROJECT",
    "UV_WORKING_DIRECTORY", "UV_WORKING_DIR", "PDM_LOCKFILE", "PDM_PROJECT", "PDM_CONFIG_FILE", "PDM_PYTHON", "POETRY_PROJECT",
    "PIPENV_PIPFILE", "PIPENV_DOTENV_LOCATION", "CONDARC", "MAMBARC", "CONDA_ENVS_PATH", "CONDA_ENVS_DIRS", "CONDA_PKGS_DIRS",
)  # fmt: skip
#: options of useradd and adduser that say where the home directory lies
_HOME_OPTIONS = ("-d", "-h", "--home", "--home-dir")
#: modules that a package manager loads or may load, and that a file of that name in a directory before them hides
_MODULES = (sys.stdlib_module_names | {"pip", "setuptools", "pkg_resources", "wheel", "distutils", "imp", "asyncore"}) - {
    "__main__", "antigravity", "idlelib", "lib2to3", "test", "this", "tkinter", "turtle", "turtledemo",
}  # fmt: skip
#: modules that Python imports when it starts, where it finds them (site.py)
_HOOKS = ("sitecustomize", "usercustomize")
_MODULE_ENDINGS = (".py", ".pyc", ".so")
#: what makes a directory of the search path hold an installed package (importlib.metadata)
_METADATA = (".dist-info", ".egg-info", ".egg", ".egg-link")


class Obstacle(NotUnderstood):
    """What a command does cannot be told; `path` is the file of the image that is the cause, "" for the command itself.

    `missing` is a path of the image that is surely not there, and without which the command fails.
    """

    def __init__(self, reason: str, path: str = "", line: int = 0, *, missing: str = "") -> None:
        super().__init__(reason)
        self.reason, self.path, self.line, self.missing = reason, path, line, missing


@dataclass(frozen=True, slots=True)
class Place:
    """What surrounds a command of a Python tool. Paths are those of the image."""

    #: directories that the Dockerfile fills from the context: no tool looks there of its own accord
    roots: tuple[str, ...]
    home: str | None
    #: environments that lie in the project: they are read and written
    inside: tuple[str, ...]
    #: what installing writes outside the project
    outside: Region
    probes: tuple[str, ...]
    assumptions: tuple[str, ...]

    @property
    def reads(self) -> Region:
        """Everything but the project."""
        return EVERYTHING.minus(*self.roots) if self.roots else EVERYTHING

    def is_inside(self, path: str) -> bool:
        """Tell whether a path lies in a directory that the Dockerfile fills from the context."""
        return any(below(path, root) for root in self.roots)


def home_of(around: Surroundings) -> str | None:
    """Return the home directory, None where it is up to the base image."""
    known, home = around.variable("HOME")
    if known and home:
        return join("/", home)
    if around.user == "root":
        return "/root"
    if around.user is not None:
        made = _home_of_account(around, around.user)
        if made is not None:
            return made
        raise Obstacle(
            f"the home directory of the user `{around.user}`, where settings and packages may lie, is not known; "
            "`ENV HOME=…` would say it"
        )
    return None


def _home_of_account(around: Surroundings, user: str) -> str | None:
    """Return the home directory of an account that the Dockerfile makes itself: below /home unless it says otherwise.

    useradd(8) (BASE_DIR), busybox adduser (`-h`), Debian's adduser(8), where system accounts have their home elsewhere.
    """
    found = None
    for program in ("useradd", "adduser"):
        for _, words in around.earlier(program):
            if user not in words or None in words:
                continue
            options = [word or "" for word in words]
            homes = [options[i + 1] for i, word in enumerate(options[:-1]) if word in _HOME_OPTIONS]
            homes += [word.partition("=")[2] for word in options if word.startswith(("--home=", "--home-dir="))]
            bases = any(word in ("-b", "--base-dir", "-R", "--root", "-P", "--prefix") for word in options)
            debian_system = program == "adduser" and "--system" in options
            if homes and homes[-1].startswith("/"):
                found = join("/", homes[-1])
            elif not homes and not bases and not debian_system:
                found = f"/home/{user}"
            else:
                return None
    return found


def place_of(around: Surroundings, program: str, *, module: bool = False) -> Place:
    """Return what surrounds a program of Python.

    `module` says that the working directory comes first on the search path (`python -m`). Raises Obstacle.
    """
    # a directory in another one says nothing more
    roots = tuple(r for r in around.project_roots if not any(r != o and below(r, o) for o in around.project_roots))
    for name in _REFUSED_VARIABLES:
        if around.variable(name)[1]:
            raise Obstacle(f"`{name}` leads it to other files")
    own = ("HOME", "PYTHONPATH", *_DIRECTORY_VARIABLES, *_REFUSED_VARIABLES)
    named = named_in_project(around, VARIABLES, own)
    if named is not None:
        raise Obstacle(f"the variable `{named[0]}` leads it to `{named[1]}`, among the files of the project", named[1])
    home = home_of(around)
    if home is not None and any(below(home, root) for root in roots):
        raise Obstacle(f"the home directory `{home}`, with settings and packages, lies in the project")
    inside, prefixes, probes = _environments(around, program)
    named_inside, named_outside = _named_directories(around)
    inside = tuple(dict.fromkeys((*inside, *named_inside)))
    prefixes = None if prefixes is None else (*prefixes, *named_outside)
    assumptions = [DEPENDENCY_BUILDS, PYTHON_SETTINGS]
    if _searches_project(around, module=module):
        assumptions.append(PYTHON_MODULES)
    outside = EVERYTHING if prefixes is None or home is None else Region(tuple(sorted({*prefixes, home})))
    outside = outside.minus(*roots) if roots else outside
    return Place(roots, home, inside, outside, probes, tuple(assumptions))


def environment_of(path: str) -> str | None:
    """Return the environment of a program: a virtual environment has its programs in `bin`."""
    directory = posixpath.dirname(path)
    return posixpath.dirname(directory) if posixpath.basename(directory) == "bin" else None


def _environments(
    around: Surroundings, program: str
) -> tuple[tuple[str, ...], tuple[str, ...] | None, tuple[str, ...]]:
    """Return the environments in the project that a program may belong to, those outside (None: any), and what PATH tries first."""
    known, search = around.variable("PATH")
    if "/" in program:
        if around.cwd is None and not program.startswith("/"):
            raise Obstacle(f"`{program}` is relative to a working directory that is not known before the build")
        path = join(around.cwd or "/", program)
        if around.context_path(path) is not None:
            raise Obstacle(f"`{path}` comes from the build context", path)
        prefix = environment_of(path)
        if prefix is None:
            raise Obstacle(f"which environment `{path}` belongs to is not known")
        if any(below(prefix, root) for root in around.project_roots):
            if prefix in around.project_roots:
                raise Obstacle(f"`{path}` lies among the files of the project", path)
            return (prefix,), _prefixes(search if known else None), ()
        return (), (prefix if prefix not in ("/", "") else "/usr", *(_prefixes(search if known else None) or ())), ()
    inside: list[str] = []
    probes: list[str] = []
    for entry in searched_directories(around):
        if not entry.startswith("/"):
            raise Obstacle("PATH has an entry that depends on the working directory")
        candidate = join(entry, program)
        if not any(below(candidate, root) for root in around.project_roots):
            if around.context_path(candidate) is not None:
                raise Obstacle(f"`{candidate}` comes from the build context", candidate)
            continue
        prefix = environment_of(candidate)
        kind = around.kind(candidate)
        if kind == "file":
            raise Obstacle(f"`{candidate}` comes from the build context", candidate)
        if prefix is not None and prefix not in around.project_roots:
            inside.append(prefix)
        elif kind != "absent":
            raise Obstacle(f"PATH may lead to `{candidate}` in the project", candidate)
        probes.append(candidate)
    return tuple(dict.fromkeys(inside)), _prefixes(search if known else None), tuple(probes)


def _named_directories(around: Surroundings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return environments in the project, and other directories, that variables lead installations to."""
    inside, outside = [], []
    for name in _DIRECTORY_VARIABLES:
        value = around.variable(name)[1]
        if not value:
            continue
        if not value.startswith("/"):
            if name == "UV_PROJECT_ENVIRONMENT":
                continue  # it is relative to the project, which `uv` knows
            raise Obstacle(f"`{name}` depends on the working directory")
        path = join("/", value)
        if not any(below(path, root) for root in around.project_roots):
            outside.append(path)
        elif name in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT") and path not in around.project_roots:
            inside.append(path)
        else:
            raise Obstacle(f"`{name}` leads to `{path}`, among the files of the project")
    return tuple(inside), tuple(outside)


def _prefixes(search: str | None) -> tuple[str, ...] | None:
    """Return the environments that the directories of PATH belong to; None where PATH is not known."""
    if search is None:
        return None
    found = {posixpath.dirname(join("/", entry)) for entry in search.split(":") if entry.startswith("/")}
    # /bin and /sbin belong to /usr: packages of Debian's Python go to /usr/local or /usr/lib
    return tuple(sorted((found - {"/"}) | {"/usr"})) if found else None


def _searches_project(around: Surroundings, *, module: bool) -> bool:
    """Tell whether Python's search path leads into the project; raises Obstacle if something there hides a module of its own."""
    directories = []
    known, value = around.variable("PYTHONPATH")
    for entry in (value or "").split(":") if known and value else ():
        if not entry.startswith("/") and around.cwd is None:
            raise Obstacle("`PYTHONPATH` depends on a working directory that is not known before the build")
        directories.append(join(around.cwd or "/", entry))
    if module and around.variable("PYTHONSAFEPATH")[1] in (None, ""):
        if around.cwd is None:
            raise Obstacle("`python -m` searches a working directory that is not known before the build")
        directories.append(around.cwd)
    searched = [d for d in directories if any(below(d, r) or below(r, d) for r in around.project_roots)]
    for directory in searched:
        _check_modules(around, directory, started=directory != around.cwd or not module or bool(value))
    return bool(searched)


def _check_modules(around: Surroundings, directory: str, *, started: bool) -> None:
    """Raise Obstacle for what hides a module from Python in a directory that it searches; `started` counts those of its start, too."""
    names = around.listing(directory)
    if names is None:
        copied = around.may_be_copied(directory)
        if copied is not None:
            raise Obstacle(f"which modules {copied} brings to `{directory}`, which Python searches, is not known")
        return
    for entry in names:
        path, stem = join(directory, entry), entry.partition(".")[0]
        if started and entry.endswith(_METADATA):
            raise Obstacle(f"Python takes `{path}` for an installed package", path)
        if stem not in _MODULES and not (started and stem in _HOOKS):
            continue
        kind = around.kind(path)
        package = entry == stem and kind != "file" and around.kind(join(path, "__init__.py")) != "absent"
        if package or (kind != "directory" and entry.endswith(_MODULE_ENDINGS)):
            what = f"instead of its own module `{stem}`" if stem in _MODULES else "when it starts"
            raise Obstacle(f"Python would import `{path}` {what}", path)
