"""Settings of pip and distutils that could lead an installation to other files than its arguments name."""

from __future__ import annotations

import configparser
import posixpath
import re

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.python.requirements import decoded, is_remote_index
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle, Place
from dockopt.optimizer.regions import join

#: options of pip that name files or places of installation (`pip help install`), as settings and variables spell them
_LEADING = (
    "requirement", "constraint", "build-constraint", "editable", "find-links", "target", "prefix", "root", "src", "log",
    "log-file", "report", "python", "group", "requirements-from-script",
)  # fmt: skip
LEADING_VARIABLES = tuple("PIP_" + name.upper().replace("-", "_") for name in _LEADING)


def check_variables(around: Surroundings, place: Place) -> None:
    """Raise Obstacle if a variable names files that pip would use."""
    # `PIP_x` is the option `x` whatever the case of its letters (`pip/_internal/configuration.py`, get_environ_vars)
    spelled = {name for name in around.assigned() if name.startswith("PIP_")} | {"PIP_CONFIG_FILE", *LEADING_VARIABLES}
    for name in sorted(spelled):
        known, value = around.variable(name)
        if name.upper() not in (*LEADING_VARIABLES, "PIP_CONFIG_FILE", "PIP_CERT", "PIP_CLIENT_CERT"):
            continue
        if (known and not value) or (not known and name not in around.assigned()):
            continue  # only the base image may have set it: `python-settings`
        if not known:
            raise Obstacle(f"`{name}` is not known before the build, and may name files for it to use")
        path = join("/", value or "")
        outside = (value or "").startswith("/") and not place.is_inside(path) and around.context_path(path) is None
        if not outside or name.upper() in LEADING_VARIABLES:
            raise Obstacle(f"`{name}` names files for it to use")


def check_settings(around: Surroundings, place: Place) -> None:
    """Raise Obstacle if a configuration file that comes from the context names files (pip's "Configuration", locations)."""
    paths = ["/etc/pip.conf", "/etc/xdg/pip/pip.conf"]
    if place.home is not None:
        paths += [f"{place.home}/.pip/pip.conf", f"{place.home}/.config/pip/pip.conf"]
    paths += [f"{prefix}/pip.conf" for prefix in place.inside]
    for path in paths:
        if around.context_path(path) is None:
            copied = around.may_be_copied(path)
            if copied is not None:
                raise Obstacle(
                    f"{copied} may bring settings to `{path}`; a destination with a slash at its end says where the file lies"
                )
            continue
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(decoded(around.read_context(path) or b"", path))
        except configparser.Error as error:
            raise Obstacle(
                f"`{posixpath.basename(path)}` is not understood: {str(error).splitlines()[0].lower()}", path
            ) from None
        for section in parser.sections():
            for option in parser.options(section):
                name, value = option.replace("_", "-"), parser.get(section, option)
                if name in ("cert", "client-cert") and (not value.startswith("/") or place.is_inside(join("/", value))):
                    raise Obstacle(f"`{posixpath.basename(path)}` sets `{option}` to a file of the project", path)
                if name in ("index-url", "extra-index-url") and not all(map(is_remote_index, value.split())):
                    raise Obstacle(f"`{posixpath.basename(path)}` sets `{option}` to a directory", path)
                if name in _LEADING:
                    raise Obstacle(f"`{posixpath.basename(path)}` sets `{option}`, which leads pip to more files", path)


def distutils_settings(around: Surroundings, place: Place) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a `setup.cfg` in the working directory without settings for where packages go, and one that is only probed.

    distutils reads it (`Distribution.parse_config_files`), and pip asks distutils with Python before 3.10. Raises Obstacle for one
    that has such settings, or may come from a COPY that is not followed.
    """
    if around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    path = join(around.cwd, "setup.cfg")
    if around.kind(path) == "absent" or not place.is_inside(path):
        return (), ()
    data = around.read_context(path)
    if data is None and around.may_be_copied(path) is None:
        return (), (path,)
    if data is None:
        raise Obstacle(f"it is not certain whether `{path}` exists, which old versions of Python look at", path)
    if re.search(rb"(?m)^\s*\[\s*(install|global)\s*\]", data):
        raise Obstacle("`setup.cfg` says where packages go, to old versions of Python", path)
    return (path,), ()
