"""The command lines of Composer: which of them install, and by which options (`composer help install`, Composer 2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from dockopt.optimizer.ecosystems.view import Obstacle

_SWITCHES = frozenset(
    "--prefer-source --prefer-dist --no-dev --dev --no-autoloader --no-progress --no-suggest --no-scripts --no-plugins --no-cache "
    "--optimize-autoloader -o --classmap-authoritative -a --apcu-autoloader --ignore-platform-reqs --no-interaction -n --quiet -q --ansi "
    "--no-ansi --profile --verbose -v -vv -vvv --audit --no-audit --no-security-blocking".split()
)
_VALUED = frozenset("--prefer-install --ignore-platform-req --audit-format --apcu-autoloader-prefix".split())
_SHORT = {"o": "--optimize-autoloader", "a": "--classmap-authoritative", "n": "-n", "q": "-q", "v": "-v"}


@dataclass(slots=True)
class Call:
    """One `composer install`."""

    shown: str
    switches: set[str] = field(default_factory=set)
    #: program that is started by `php`, "" for `composer` on the search path
    script: str = ""

    @property
    def dumps(self) -> bool:
        """It writes the autoloader."""
        return "--no-autoloader" not in self.switches

    @property
    def scripts(self) -> bool:
        """Scripts of composer.json run."""
        return "--no-scripts" not in self.switches

    @property
    def plugins(self) -> bool:
        """Plugins among the packages run."""
        return "--no-plugins" not in self.switches

    @property
    def dev(self) -> bool:
        """Packages for development are installed too."""
        return "--no-dev" not in self.switches


def words_of(argv: tuple[str | None, ...]) -> tuple[str, list[str | None]] | None:
    """Return (script, words after the program) of a command that is Composer, else None; `php composer.phar` is."""
    if not argv or argv[0] is None:
        return None
    name = argv[0].rpartition("/")[2]
    if name in ("composer", "composer.phar"):
        return ("" if name == "composer" and "/" not in argv[0] else argv[0]), list(argv[1:])
    if name == "php":
        words = list(argv[1:])
        while len(words) > 1 and words[0] == "-d":
            del words[:2]
        if words and words[0] is not None and words[0].rpartition("/")[2] in ("composer", "composer.phar"):
            return words[0], words[1:]
    return None


def subcommand_of(words: list[str | None]) -> str | None:
    """Return the subcommand, None where it is not known; "" if there is none. `composer i` is `install`."""
    for word in words:
        if word is None:
            return None
        if not word.startswith("-"):
            return "install" if word in ("i", "install") else word
    return ""


def is_installation(argv: tuple[str | None, ...]) -> bool:
    """Tell whether a command is `composer install`."""
    found = words_of(argv)
    return found is not None and subcommand_of(found[1]) == "install"


def call_of(argv: tuple[str | None, ...]) -> Call:
    """Return the options of a `composer install`. Raises `Obstacle` for those that are not understood."""
    found = words_of(argv)
    assert found is not None
    script, words = found
    call = Call(" ".join("?" if word is None else word for word in argv), script=script)
    seen = False
    while words:
        word = words.pop(0)
        if word is None:
            raise Obstacle("a word of it is not known before the build")
        name, equals, _ = word.partition("=")
        if not word.startswith("-") and not seen:
            seen = True
        elif name in _SWITCHES and not equals:
            call.switches.add(name)
        elif name in _VALUED:
            if not equals and words:
                words.pop(0)
        elif word.startswith("-") and not word.startswith("--") and set(word[1:]) <= _SHORT.keys():
            call.switches |= {_SHORT[letter] for letter in word[1:]}
        else:
            raise Obstacle(f"`{word}` of `composer install` is not modelled")
    return call
