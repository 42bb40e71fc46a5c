"""Fill the generated blocks of the documentation from what the program really prints.

A block stands between `<!-- generated: NAME -->` and `<!-- end -->`; NAME is a key of `BLOCKS`. `python docs/fill.py` writes
the files, `--check` only says which are out of date (exit code 1).
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    "README.md", "docs/ci.md", "docs/commands.md", "docs/configuration.md", "docs/context.md", "docs/go-facts.md", "docs/graph.md",
    "docs/proofs.md", "docs/report.md", "docs/runtime-bases.md", "docs/suppression.md",
)  # fmt: skip
_BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ASSUMPTION = re.compile(r"([a-z]+(?:-[a-z]+)+): (.+)", re.DOTALL)


def _printed(directory: Path, *arguments: str) -> str:
    """What `dockopt` prints in a directory. Raises CalledProcessError where it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_COLOR")}
    done = subprocess.run(
        [sys.executable, "-m", "dockopt", *arguments],
        cwd=directory,
        env={**environment, "PYTHONPATH": str(ROOT / ".src"), "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode()


def _suggestion() -> str:
    return f"```console\n$ dockopt suggest\n{_printed(ROOT / 'fixtures' / 'examples' / 'go-service', 'suggest')}```\n"


def _rewrites() -> str:
    rows = [line.split(maxsplit=1) for line in _printed(ROOT, "rules").splitlines()]
    table = [f"| [`{name}`](docs/rules/{name}.md) | {text} |" for name, text in rows]
    return "\n".join(("| rewrite | what it does |", "|---|---|", *table, ""))


def _options() -> str:
    return f"```console\n$ dockopt suggest --help\n{_printed(ROOT, 'suggest', '--help')}```\n"


def _c_packages() -> str:
    """What is known of Go packages with C."""
    sys.path.insert(0, str(ROOT / ".src"))
    from dockopt.optimizer.ecosystems.go.c_packages import table

    return table()


def _runtime_bases() -> str:
    """What is known of the images that programs are run in."""
    sys.path.insert(0, str(ROOT / ".src"))
    from dockopt.optimizer.runtime_bases import table

    return table()


def _commands() -> str:
    """A table of all programs that have a model, by the module that has it, with the first line of its text."""
    sys.path.insert(0, str(ROOT / ".src"))
    from dockopt.optimizer.commands.registry import MODELS

    programs: dict[str, list[str]] = {}
    for program, target in MODELS.items():
        programs.setdefault(target.partition(":")[0], []).append(program)
    tested, versions = _tested_programs(), _cases()["VERSIONS"]
    rows = []
    for module, names in sorted(programs.items()):
        path = ROOT / (module.removeprefix("dockopt.").replace(".", "/") + ".py")
        shown = ", ".join(f"`{name}`" + ("" if tested[name] else " (no case)") for name in sorted(names))
        text = (ast.get_docstring(ast.parse(path.read_bytes())) or "").split("\n")[0]
        cases = sum(tested[name] for name in names)
        what = text.partition(":")[0].rstrip(".")
        used = ", ".join(f"{package} {version}" for package, version in versions.get(path.stem, {}).items())
        # the commands of an ecosystem are called like all others: its folder tells which they are
        name = path.parent.name if path.stem == "commands" else path.stem
        rows.append(f"| [{name}](../{path.relative_to(ROOT)}) | {shown} | {what} | {cases} | {used} |\n")
    return "| model | programs | | cases | run with |\n|---|---|---|---:|---|\n" + "".join(rows)


def _cases() -> dict[str, Any]:
    """The literals of the table of cases, by name."""
    tree = ast.parse((ROOT / "tests" / "commands" / "cases.py").read_bytes())
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def _tested_programs() -> Counter[str]:
    """How many command lines per program the tests run for real."""
    found = _cases()
    lines = [line for name in ("COMMANDS", "DEBIAN", "BUSYBOX") for line in found[name]]
    counted = Counter(line.split()[0] for line in lines)
    counted["go"] = (ROOT / "tests" / "ecosystems" / "go" / "test_facts.py").read_text("utf-8").count("\ndef test_")
    return counted


def _contexts() -> str:
    """A table of the files that tell contexts, by the module that reads them, with the first line of its text."""
    sys.path.insert(0, str(ROOT / ".src"))
    from dockopt.optimizer.context.builds.registry import SOURCES

    rows = []
    for number, source in enumerate(SOURCES, 1):
        path = ROOT / "optimizer" / "context" / "builds" / f"{source.module}.py"
        text = (ast.get_docstring(ast.parse(path.read_bytes())) or "").split("\n\n")[0].replace("\n", " ")
        files, _, what = text.rstrip(".").partition(": ")
        rows.append(f"| {number} | [{files}](../{path.relative_to(ROOT)}) | {what} |\n")
    return "| | files | what is read of them |\n|---|---|---|\n" + "".join(rows)


def _graph() -> str:
    return f"```mermaid\n{_printed(ROOT / 'fixtures' / 'examples' / 'go-service', 'graph', 'Dockerfile', '--format', 'mermaid')}```\n"


def _settings() -> str:
    """A table of all settings, from the one that the program reads by."""
    sys.path.insert(0, str(ROOT / ".src"))
    from dockopt.optimizer.configuration.settings import SETTINGS, Kind

    rows = []
    for setting in SETTINGS:
        value = ", ".join(f'`"{c}"`' for c in setting.choices) if setting.kind is Kind.CHOICE else setting.kind.value
        rows.append(
            f"| `{setting.name}` | {setting.scope.value} | {value} | {setting.text} | {setting.default} "
            f"| `{setting.name} = {setting.example}` |\n"
        )
    return "| key | for | value | what it says | without it | example |\n|---|---|---|---|---|---|\n" + "".join(rows)


def _configuration() -> str:
    directory = ROOT / "fixtures" / "configuration" / "service"
    return f"```console\n$ dockopt config deploy/worker.Dockerfile\n{_printed(directory, 'config', 'deploy/worker.Dockerfile')}```\n"


def _hadolint() -> str:
    """A table of the rules of hadolint whose comments count for one of our rewrites."""
    sys.path.insert(0, str(ROOT / ".src"))
    from dockopt.optimizer.suppression.hadolint import SAME

    rows = [
        f"| `{theirs}` | {same.asks} | [`{same.rewrite}`](rules/{same.rewrite}.md) | {'yes' if same.whole_file else 'no'} |\n"
        for theirs, same in SAME.items()
    ]
    return "| rule | asks for | keeps away | also for the whole file |\n|---|---|---|---|\n" + "".join(rows)


def made_files() -> dict[str, str]:
    """Files that are made as a whole, by their path: the schema of the configuration, and the manual page."""
    sys.path.insert(0, str(ROOT / ".src"))
    import json

    from dockopt.optimizer.configuration.schema import schema
    from dockopt.optimizer.manual.page import manual_page

    return {"docs/dockopt.schema.json": json.dumps(schema(), indent=2) + "\n", "docs/man/dockopt.1": manual_page()}


def _action_inputs() -> str:
    import yaml

    inputs = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
    return _inputs({name: (entry["default"], entry["description"]) for name, entry in inputs.items()})


def _gitlab_inputs() -> str:
    import yaml

    inputs = next(yaml.safe_load_all((ROOT / "ci" / "gitlab.yml").read_text("utf-8")))["spec"]["inputs"]
    return _inputs({name: (entry.get("default"), entry["description"]) for name, entry in inputs.items()})


def _inputs(inputs: dict[str, tuple[object, str]]) -> str:
    rows = []
    for name, (default, text) in inputs.items():
        shown = (
            "has to be given"
            if default is None
            else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        )
        rows.append(f"| `{name}` | {'' if default == '' else shown} | {text} |\n")
    return "| input | default | |\n|---|---|---|\n" + "".join(rows)


def _ci_configuration() -> str:
    """What is printed of the good example, where reasons and mounts are worth seeing; from its own directory."""
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "project"
        shutil.copytree(ROOT / "fixtures" / "examples" / "go-service", project)
        (project / ".git").mkdir()  # paths are relative to the top of a repository
        _printed(project, "fix", "--write")
        return f"```console\n$ dockopt ci --provider github\n{_printed(project, 'ci', '--provider', 'github')}```\n"


def rule_pages() -> dict[str, str]:
    """The page of each rewrite, from the text of its module, as `dockopt explain` prints it."""
    pages = {}
    for name in (line.split()[0] for line in _printed(ROOT, "rules").splitlines()):
        summary, *body = _printed(ROOT, "explain", name).removeprefix(f"{name}: ").splitlines()
        pages[f"docs/rules/{name}.md"] = (
            f"# `{name}`\n\nIt {summary}.\n" + "".join(_sections(body)) + _golden_cases(name)
        )
    return pages


def _sections(lines: list[str]) -> Iterator[str]:
    """Turn headings and indented text into Markdown; what stands below *Before* and *After* is a Dockerfile."""
    code = False
    for line in (*lines, "End"):
        if line and not line.startswith(" "):
            if code:
                yield "```\n\n"
            if line == "End":
                return
            code = line in ("Before", "After")
            yield f"## {line}\n\n" + ("```dockerfile\n" if code else "")
        elif line or not code:
            yield line.removeprefix("    ") + "\n"


def _golden_cases(rewrite: str) -> str:
    """The projects with which a rewrite is tested: those that it changes and those that it leaves alone."""
    groups: dict[str, list[str]] = {"expected.Dockerfile": [], "refused.txt": []}
    for result, cases in groups.items():
        for case in sorted((ROOT / "fixtures" / rewrite).glob(f"*/{result}")):
            cases.append(f"[{case.parent.name}](../../fixtures/{rewrite}/{case.parent.name})")
    changed, refused = groups.values()
    return (
        f"\n## Cases\n\nWhat it does with {len(changed)} small projects, and why it leaves {len(refused)} others alone, is part of the "
        f"tests.\n\nChanged: {', '.join(changed)}.\n\nLeft alone: {', '.join(refused)}.\n"
    )


def assumptions() -> dict[str, str]:
    """Every assumption that a proof may print: all module-level strings of the form `short-name: sentence`."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "optimizer").rglob("*.py")):
        for node in ast.parse(path.read_bytes()).body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                match = _ASSUMPTION.fullmatch(node.value.value)
                if match is not None:
                    found[match.group(1)] = match.group(2)
    return dict(sorted(found.items()))


def _assumptions() -> str:
    return "".join(f"- `{name}`: {text}\n" for name, text in assumptions().items())


BLOCKS: dict[str, Callable[[], str]] = {
    "suggestion": _suggestion,
    "rewrites": _rewrites,
    "options": _options,
    "assumptions": _assumptions,
    "commands": _commands,
    "contexts": _contexts,
    "settings": _settings,
    "configuration": _configuration,
    "hadolint": _hadolint,
    "graph": _graph,
    "c-packages": _c_packages,
    "runtime-bases": _runtime_bases,
    "action-inputs": _action_inputs,
    "gitlab-inputs": _gitlab_inputs,
    "ci-configuration": _ci_configuration,
}


def filled(page: str) -> str:
    """The text of a page with fresh blocks; raises KeyError for a block that nothing generates."""
    return _BLOCK.sub(lambda block: block[1] + BLOCKS[block[2]]() + block[3], (ROOT / page).read_text("utf-8"))


def main(check: bool) -> int:
    """Write the pages, or only compare them; return the exit code."""
    stale = []
    for page, text in {**{page: filled(page) for page in PAGES}, **rule_pages(), **made_files()}.items():
        path = ROOT / page
        if not path.exists() or text != path.read_text("utf-8"):
            stale.append(page)
            if not check:
                path.parent.mkdir(exist_ok=True)
                (ROOT / page).write_text(text, "utf-8")
    for page in stale:
        print(f"{page}: {'out of date; run `python docs/fill.py`' if check else 'written'}")
    return 1 if stale and check else 0


if __name__ == "__main__":
    raise SystemExit(main("--check" in sys.argv[1:]))
