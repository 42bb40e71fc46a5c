"""The command line of cargo: its subcommand and the options that decide where and what it works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: options with a value that every subcommand for packages has, or that some of them have (`cargo help build`, `cargo help fetch`)
_WITH_VALUE = frozenset(
    "--target --manifest-path --target-dir --config --color --lockfile-path --profile --package --bin --example --test --bench "
    "--features --jobs --message-format --exclude --out-dir --artifact-dir --path --root --version --branch --tag --rev --git "
    "--registry --index --bins-dir -p -F -j -C -Z --timings".split()
)
#: options that make cargo work on something else, or in another way, than where it stands
UNUSUAL = ("--manifest-path", "--config", "--lockfile-path", "-C", "-Z", "--git", "--registry", "--index")
_SHORT = {"b": "build", "c": "check", "t": "test", "r": "run", "d": "doc", "rm": "remove"}


@dataclass(frozen=True, slots=True)
class CargoCommand:
    """One `cargo` command."""

    name: str
    #: `+nightly`, "" where rustup decides
    toolchain: str = ""
    #: option → value (None: not known before the build), "" for a switch
    options: Mapping[str, str | None] = field(default_factory=dict)
    operands: tuple[str | None, ...] = ()

    @property
    def is_locked(self) -> bool:
        """Tell whether Cargo.lock may not change."""
        return "--locked" in self.options or "--frozen" in self.options

    @property
    def is_offline(self) -> bool:
        """Tell whether it may not use the network."""
        return "--offline" in self.options or "--frozen" in self.options

    @property
    def unusual(self) -> str | None:
        """Return an option that makes it work on something else than the package where it stands."""
        return next((name for name in UNUSUAL if name in self.options), None)


def read_command(argv: tuple[str | None, ...]) -> CargoCommand | None:
    """Read `cargo …`; None where the subcommand is not known before the build or there is none."""
    words = list(argv[1:])
    toolchain = ""
    if words and words[0] is not None and words[0].startswith("+"):
        toolchain = words.pop(0) or ""
    name = ""
    options: dict[str, str | None] = {}
    operands: list[str | None] = []
    while words:
        word = words.pop(0)
        if word == "--":
            break  # what follows is for the program that cargo starts
        if word is None or not word.startswith("-") or word == "-":
            if name:
                operands.append(word)
            elif word is None:
                return None
            else:
                name = _SHORT.get(word, word)
            continue
        head, equals, value = word.partition("=")
        if not equals and len(word) > 2 and word[1] != "-" and word[:2] in _WITH_VALUE:
            head, equals, value = word[:2], "=", word[2:]
        if equals:
            options[head] = value
        elif head in _WITH_VALUE and words and head != "--timings":
            options[head] = words.pop(0)
        else:
            options[head] = ""
    return CargoCommand(name, toolchain, options, tuple(operands)) if name else None
