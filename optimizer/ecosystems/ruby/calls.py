"""The command lines of Bundler: which of them install, and by which options."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dockopt.optimizer.ecosystems.view import Obstacle

_SWITCHES = frozenset(
    "--deployment --frozen --no-cache --local --quiet --no-prune --full-index --system --clean --no-clean --no-deployment "
    "--no-frozen --prefer-local --redownload --force --verbose -V --no-color --no-quiet --no-local --no-binstubs".split()
)
_VALUED = frozenset("--jobs -j --retry --path --gemfile --shebang --trust-policy -P --target-rbconfig".split())
_LISTS = frozenset({"--without", "--with", "--only"})


@dataclass(slots=True)
class Call:
    """One `bundle install`."""

    shown: str
    switches: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)

    @property
    def remembers(self) -> bool:
        """Bundler notes some options in its settings (bundle-install(1), "Remembered options")."""
        noted = {"--deployment", "--frozen", "--clean", "--system", "--no-prune", "--no-deployment"}
        return bool(noted & self.switches or {"--path", "--without", "--with", "--shebang"} & self.values.keys())


def words_of(argv: tuple[str | None, ...]) -> list[str | None]:
    """Return subcommand and arguments of a `bundle` command; `_2.3.1_` names a version of Bundler."""
    words = list(argv[1:])
    while words and words[0] is not None and (re.fullmatch(r"_[\w.]+_", words[0]) or words[0] == "--no-color"):
        words.pop(0)
    return words


def is_installation(argv: tuple[str | None, ...]) -> bool:
    """Tell whether a command is `bundle install`, or `bundle` alone, which is the same (bundle(1))."""
    if not argv or (argv[0] or "").rpartition("/")[2] not in ("bundle", "bundler"):
        return False
    words = words_of(argv)
    if not words or words[0] is None:
        return not words
    if words[0].startswith("-"):
        return words[0] not in ("--version", "-v", "--help", "-h")
    return words[0] in ("install", "i")


def call_of(argv: tuple[str | None, ...], raw: tuple[str, ...] = ()) -> Call:
    """Return the options of a `bundle install`. Raises `Obstacle` for those that are not understood."""
    words = words_of(argv)
    shown = raw[len(argv) - len(words) :] if raw else ["?" if word is None else word for word in words]
    call = Call(" ".join(["bundle", *("?" if w is None else w for w in words)]))
    pairs = list(zip(words, shown, strict=True))
    if pairs and pairs[0][0] in ("install", "i"):
        pairs.pop(0)
    while pairs:
        word, written = pairs.pop(0)
        if word is None:
            if re.match(r"(-j|--jobs=?|--retry=?)", written):
                continue  # how many, whatever it is
            raise Obstacle(f"`{written}` is not known before the build")
        name, equals, value = word.partition("=")
        if re.fullmatch(r"-j\d+", word):
            continue
        if name in _SWITCHES and not equals:
            call.switches.add(name)
        elif name in _LISTS:
            while not equals and pairs and pairs[0][0] is not None and not pairs[0][0].startswith("-"):
                value += " " + (pairs.pop(0)[0] or "")
            call.values[name] = value.strip()
        elif name in _VALUED:
            if not equals:
                if not pairs:
                    raise Obstacle(f"the option `{name}` has no value")
                following, written = pairs.pop(0)
                if following is None and name not in ("--jobs", "-j", "--retry"):
                    raise Obstacle(f"`{written}` is not known before the build")
                value = following or ""
            call.values[name] = value
        else:
            raise Obstacle(f"the option `{word}` of `bundle install` is not modelled")
    return call
