"""All settings in one table: reader, JSON Schema and documentation are made from it, so they cannot disagree."""

from __future__ import annotations

import enum
from typing import NamedTuple

#: how built-in frontends of engines are called, and their version (`dockerfile/VERSION` at the BuildKit that Docker has; what they
#: can: reference manual of the Dockerfile, "Dockerfile release notes"): 19.03 has BuildKit 0.6, 20.10 has 0.8, 23 has 0.11
ENGINE_FLOORS = {"docker-19.03": (1, 1), "docker-20.10": (1, 2), "docker-23": (1, 5)}
ENGINE_FLOOR = "docker-23"


class Kind(enum.Enum):
    """What a value is: how it is written, and what is checked of it."""

    TEXT = "a text"
    TEXTS = "a list of texts"
    RULES = "a list of rewrites"
    CHOICE = "one of several texts"
    BOOLEAN = "true or false"


class Scope(enum.Enum):
    """What a setting is for."""

    FILE = "a configuration file itself"
    DOCKERFILE = "a Dockerfile"
    CALL = "a call"


class Setting(NamedTuple):
    """One key."""

    name: str
    kind: Kind
    scope: Scope
    #: what it means, a clause
    text: str
    #: what holds without it, a clause
    default: str
    #: a value, as TOML
    example: str
    choices: tuple[str, ...] = ()


SETTINGS = (
    Setting(
        "extend", Kind.TEXT, Scope.FILE,
        "another configuration file, relative to this one and inside of the project; what is said here goes before what is said there",
        "none", '"../dockopt.toml"',
    ),
    Setting(
        "select", Kind.RULES, Scope.DOCKERFILE,
        "only these rewrites run; a nearer `select` replaces a farther one, and what was ignored farther away counts no more",
        "all", '["split-copy", "reorder"]',
    ),
    Setting(
        "ignore", Kind.RULES, Scope.DOCKERFILE, "these rewrites do not run; added to what is ignored farther away",
        "none", '["merge-runs"]',
    ),
    Setting(
        "apply", Kind.RULES, Scope.DOCKERFILE,
        "`fix` applies what these rewrites propose also where that repairs or changes the image, as if each call named them with "
        "`--select`; nothing else in a configuration has that effect",
        "none", '["drift"]',
    ),
    Setting(
        "context", Kind.TEXT, Scope.DOCKERFILE, "the build context, a directory relative to this file and inside of the project",
        "found out and printed", '"services"',
    ),
    Setting(
        "targets", Kind.TEXTS, Scope.DOCKERFILE,
        "stages that somebody builds by name, beside those that are found: their images are kept, too",
        "those that are found", '["test", "release"]',
    ),
    Setting(
        "engine-floor", Kind.CHOICE, Scope.DOCKERFILE,
        "the oldest engine that builds it: without a line `# syntax=…` no newer feature is proposed",
        f"`{ENGINE_FLOOR}`", '"docker-20.10"', tuple(ENGINE_FLOORS),
    ),
    Setting(
        "format", Kind.CHOICE, Scope.CALL, "the form of the report (`--format`)", "`text`", '"json"',
        ("text", "json", "jsonl", "sarif", "github", "gitlab", "junit", "checkstyle", "markdown"),
    ),
    Setting("color", Kind.CHOICE, Scope.CALL, "colours (`--color`)", "`auto`", '"never"', ("auto", "always", "never")),
    Setting(
        "engine", Kind.CHOICE, Scope.CALL, "what builds for `verify`, `bench`, `diff-images` and `fix --verify` (`--engine`)",
        "the first that answers", '"podman"', ("docker", "podman", "buildah"),
    ),
)  # fmt: skip

#: of a table `[effects."command"]`
EFFECTS = (
    Setting(
        "reads", Kind.TEXTS, Scope.DOCKERFILE, "what it reads beside the system; a directory ends with a slash",
        "nothing", '["VERSION", "tools/"]',
    ),
    Setting("writes", Kind.TEXTS, Scope.DOCKERFILE, "what it may write", "nothing", '["version.txt"]'),
    Setting(
        "variables", Kind.TEXTS, Scope.DOCKERFILE, "variables that it may look at; `*` at the end stands for any rest",
        "all", '["CI_*"]',
    ),
    Setting(
        "network", Kind.BOOLEAN, Scope.DOCKERFILE, "whether it asks the network; then it is never reused longer than it is today",
        "`true`", "false",
    ),
)  # fmt: skip

#: tables with names that the user chooses, and what they hold
EFFECTS_TABLE, PER_FILE_TABLE = "effects", "per-file"
PER_FILE = tuple(setting for setting in SETTINGS if setting.scope is Scope.DOCKERFILE)
TABLES: dict[str, tuple[Setting, ...]] = {EFFECTS_TABLE: EFFECTS, PER_FILE_TABLE: PER_FILE}
#: what the names of these tables have to look like (a regular expression of JSON Schema and Python), and how that is said
NAMES = {
    EFFECTS_TABLE: (r"^\S", "is no command"),
    PER_FILE_TABLE: (r"^[^!#\s]", "is no pattern; it is written as in an ignore file, without `!` or `#` in front"),
}


def setting(name: str) -> Setting:
    """Return the setting of that name at the top of a file. Raises KeyError."""
    return next(s for s in SETTINGS if s.name == name)


def rule_ids() -> tuple[str, ...]:
    """Return what stands in a list of rewrites."""
    from dockopt.optimizer.rules import registered

    return tuple(rewrite.id for rewrite in registered())
