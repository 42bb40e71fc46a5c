"""Examples of every command: shown by `--help`, and in the manual page. This is imported at every start, so it imports nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: by command: what one wants, and what one types
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "suggest": (
        ("what would rebuild faster below this directory", "dockopt suggest"),
        ("apply it with other tools", "dockopt suggest --quiet Dockerfile | git apply"),
        ("what stands in the way", "dockopt suggest --explain-refusals services/api"),
        ("fail in CI where there is something to improve", "dockopt suggest --check --format github"),
        ("only what this branch touched", "dockopt suggest --check --diff-base main"),
    ),
    "fix": (
        ("show what would be written", "dockopt fix Dockerfile"),
        ("write it", "dockopt fix --write"),
        ("write it only if two builds show the same image", "dockopt fix --write --verify Dockerfile"),
        ("also what repairs a Dockerfile that does not build", "dockopt fix --write --select drift Dockerfile"),
        ("as a filter of an editor", "dockopt fix - --stdin-filename deploy/Dockerfile <deploy/Dockerfile"),
        ("which change does harm: only the first three", "dockopt fix --bisect-limit 3 Dockerfile"),
    ),
    "explain": (("why sources are copied last", "dockopt explain split-copy"),),
    "rules": (("what may be named by --select and --ignore", "dockopt rules"),),
    "graph": (
        ("a picture, by Graphviz", "dockopt graph Dockerfile | dot -Tsvg -o graph.svg"),
        ("for a page in Markdown", "dockopt graph Dockerfile --format mermaid"),
    ),
    "verify": (
        ("with the first engine that answers", "dockopt verify"),
        ("one stage, with a build argument", "dockopt verify --target release --build-arg VERSION=1 deploy/Dockerfile"),
        ("on a builder far away", "dockopt verify --builder fleet"),
        ("what a change of the image on purpose changes", "dockopt verify --select apt-hygiene"),
    ),
    "size": (
        ("build the Dockerfile here, and measure", "dockopt size"),
        ("an archive, without an engine", "dockopt size image.tar"),
        (
            "the three largest layers of an image",
            "dockopt size --format json app | jq '.layers | sort_by(-.bytes)[:3]'",
        ),
    ),
    "bench": (("after an edit of one source file", "dockopt bench --edit main.go"),),
    "diff-images": (
        ("two images of the engine", "dockopt diff-images app:before app:after"),
        ("two archives, without an engine", "dockopt diff-images before.tar after.tar"),
    ),
    "pin": (
        ("show what would be locked", "dockopt pin --digest"),
        ("lock it, and look up again what is locked already", "dockopt pin --digest --update --write"),
    ),
    "ci": (
        ("a workflow for GitHub", "dockopt ci >.github/workflows/image.yml"),
        ("for another Dockerfile and target", "dockopt ci --target release deploy/Dockerfile"),
    ),
    "harden": (
        ("for a file of Compose", "dockopt harden"),
        ("for a pod of Kubernetes", "dockopt harden --for kubernetes deploy/Dockerfile"),
    ),
    "config": (
        ("what counts for the Dockerfile here", "dockopt config"),
        ("for another one", "dockopt config deploy/worker.Dockerfile"),
    ),
    "init": (("look at the files and answer", "dockopt init"), ("write them without a question", "dockopt init --yes")),
    "lsp": (("what an editor starts", "dockopt lsp"),),
    "completion": (
        ("in ~/.bashrc", 'eval "$(dockopt completion bash)"'),
        ("in ~/.zshrc, below compinit", 'eval "$(dockopt completion zsh)"'),
        ("once", "dockopt completion fish >~/.config/fish/completions/dockopt.fish"),
    ),
}


def attach(commands: Iterable[Any]) -> None:
    """Put the examples below the help of commands (`typer.models.CommandInfo`) that have some and say nothing else there."""
    for command in commands:
        name = command.name or command.callback.__name__.replace("_", "-")
        if name in EXAMPLES and not command.epilog:
            # `\b`: the lines stay as they are (documentation of click, "Preventing Rewrapping")
            lines = [f"  # {what}\n  {typed}" for what, typed in EXAMPLES[name]]
            command.epilog = "\n".join(("\b", "Examples:", *lines))
