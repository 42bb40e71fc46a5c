"""BuildKit's cache keys.

An instruction is reused if its operation and the key of everything before it in its stage are those of an earlier build; after one
miss the rest of the stage misses. COPY and bind mounts of the context go by content: names, modes, link targets and bytes of what they
select, without times. A COPY from another stage goes by that stage's key, and if that is new, by the content of what it copies, which only
a build can tell: then the answer is "perhaps". ENV, ARG, USER and SHELL have no key of their own but change those below that look at them;
LABEL, CMD and their kin have none at all. Stages that the target does not need are not built.

Sources: BuildKit `solver/edge.go`, `solver/llbsolver/ops/{exec,file,merge}.go`, `cache/contenthash/checksum.go`,
`frontend/dockerfile/dockerfile2llb/`; held against these packages themselves (`tests/soundness/test_keys_against_buildkit.py`) and
against builds of random edits (`tests/soundness/test_cachekeys.py`).

Limits: a base image is known by its name (a name that moves to another image is not seen) unless `KeyOptions.images` has it; so are its
variables, working directory and triggers. Remote sources of ADD, `--parents` and `--exclude` raise `Unpredictable`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from dockopt.optimizer.bases import facts_of
from dockopt.optimizer.cachekeys import stages as named
from dockopt.optimizer.cachekeys.content import Selector, Snapshot, content, has_wildcard, without_covered
from dockopt.optimizer.cachekeys.mounts import Mounted, expanded, mounted
from dockopt.optimizer.cachekeys.operations import (
    Input,
    Key,
    by_content,
    by_definition,
    by_either,
    operation,
    source,
)
from dockopt.optimizer.cachekeys.options import BaseImage, KeyOptions
from dockopt.optimizer.cachekeys.steps import StepKey, Unpredictable
from dockopt.optimizer.cachekeys.variables import Environment, expand_with, global_variables
from dockopt.optimizer.lineage import parents_of
from dockopt.optimizer.regions import normalize
from dockopt.optimizer.symbolic.copying import is_remote
from dockopt.optimizer.symbolic.execute import clean_source
from dockopt.optimizer.symbolic.state import Value, known
from dockopt.optimizer.symbolic.terms import Term, term
from dockopt.optimizer.syntax import Dockerfile, Heredoc, Instruction

_SCRATCH = BaseImage(cwd="/")
_COPY_FLAGS = frozenset({"from", "chown", "chmod", "link", "unpack"})


def step_keys(dockerfile: Dockerfile, context: Snapshot, options: KeyOptions | None = None) -> list[StepKey]:
    """Return the keys of all instructions that BuildKit runs for the target, in file order. Raises Unpredictable."""
    options = options or KeyOptions()
    options.check()
    build = _Build(dockerfile, context, options)
    found: list[StepKey] = []
    for index in sorted(named.reached(dockerfile.stages, build.bases, options.target)):
        found += build.run(index)
    return found


class _State:
    """What a stage has come to."""

    def __init__(self, key: Key, environment: Environment, image: BaseImage | None, base: str, platform: str) -> None:
        self.key, self.environment, self.platform = key, environment, platform
        facts = facts_of(base)
        cwd, user = (facts.cwd, None) if image is None else (image.cwd or "/", image.user)
        self.cwd = Value(term("base-cwd", base)) if cwd is None else known(cwd)
        self.user = Value(term("base-user", base)) if user is None else known(user)
        self.shell = (image.shell if image is not None else ()) or ("/bin/sh", "-c")

    def child(self) -> _State:
        found: _State = object.__new__(_State)
        found.key, found.environment, found.platform = self.key, self.environment.child(), self.platform
        found.cwd, found.user, found.shell = self.cwd, self.user, self.shell
        return found


class _Build:
    """Goes down the stages of one build."""

    def __init__(self, dockerfile: Dockerfile, context: Snapshot, options: KeyOptions) -> None:
        self._dockerfile, self._context, self._options = dockerfile, context, options
        self._stages, self._escape = dockerfile.stages, dockerfile.escape
        pairs = [pair for instruction in dockerfile.meta_args for pair in instruction.pairs]
        self._globals = global_variables(pairs, options, self._escape, self._stages[-1].name)
        self.bases = [self._global(stage.base) for stage in self._stages]
        self._parents = parents_of(self._stages, self.bases)
        self._finals: dict[int, _State] = {}
        self._current = 0

    def _global(self, word: str) -> str:
        found = expand_with(word, self._globals.get, self._escape).text
        if found is None:
            raise Unpredictable(f"`{word}` of FROM is not known before the build")
        return found

    def run(self, index: int) -> list[StepKey]:
        """Return the keys of one stage; the stages that it needs have been run."""
        stage = self._stages[index]
        parent = self._parents[index]
        instructions = list(stage.instructions)
        if parent is not None:
            state = self._finals[parent].child()
            instructions = named.triggers_of(self._stages[parent]) + instructions
        else:
            state = self._from_image(self.bases[index], stage.platform)
        self._finals[index], self._current = state, index
        found = []
        for instruction in instructions:
            key = self._step(state, instruction)
            if key is not None:
                found.append(StepKey(index, instruction, key.key.digest, key.hope.digest))
        return found

    def _from_image(self, base: str, platform: str | None) -> _State:
        wanted = _platform(self._global(platform) if platform else self._options.platform)
        if base == "scratch":
            environment = Environment(base, _SCRATCH, self._globals, self._options.build_args)
            return _State(source("scratch"), environment, _SCRATCH, base, wanted)
        image = self._options.images.get(base)
        if image is not None and image.onbuild:
            raise Unpredictable(f"the base image `{base}` has ONBUILD triggers")
        environment = Environment(base, image, self._globals, self._options.build_args)
        return _State(self._image(base, wanted), environment, image, base, wanted)

    def _image(self, name: str, platform: str) -> Key:
        known_image = self._options.images.get(name)
        identity = known_image.digest if known_image is not None and known_image.digest else named.image_name(name)
        return source("image", identity, platform)

    # -- instructions ------------------------------------------------------------------------------------------------

    def _step(self, state: _State, instruction: Instruction) -> Key | None:
        """Apply one instruction, and return its key if it has one."""
        keyword = instruction.keyword
        if keyword == "ENV":
            state.environment.env(instruction.pairs, self._escape)
        elif keyword == "ARG":
            state.environment.arg(instruction.pairs, self._escape)
        elif keyword == "USER":
            state.user = state.environment.expand(instruction.args, self._escape)
        elif keyword == "SHELL":
            state.shell = instruction.json or ()
        elif keyword == "WORKDIR":
            return self._workdir(state, instruction)
        elif keyword == "RUN":
            state.key = self._run(state, instruction)
            return state.key
        elif keyword in ("COPY", "ADD"):
            return self._copy(state, instruction)
        return None

    def _workdir(self, state: _State, instruction: Instruction) -> Key | None:
        value = state.environment.expand(instruction.args, self._escape)
        if value.text is None or (state.cwd.text is None and not value.text.startswith("/")):
            state.cwd = Value(term("workdir", state.cwd.term, value.term))
            path = state.cwd.term
        else:
            # an absolute path stays as it is written (`NormalizeWorkdir`)
            state.cwd = known(_joined(state.cwd.text or "/", value.text))
            if state.cwd.text == "/":
                return None
            path = known(normalize(state.cwd.text or "/")).term
        owner = term("user", state.user.term) if state.user.text is None else _owner(state.user.text)
        state.key = operation("file", ["mkdir", path, owner], _on(state.key))
        return state.key

    # -- RUN ---------------------------------------------------------------------------------------------------------

    def _run(self, state: _State, instruction: Instruction) -> Key:
        arguments, script = self._command(state, instruction)
        own: list[str | Term] = [str(len(arguments)), *arguments, state.cwd.term, state.user.term, state.platform]
        for flag in instruction.flags:
            if flag.name not in ("mount", "network", "security"):
                raise Unpredictable(f"`--{flag.name}` of RUN is not modelled")
        network = instruction.flag("network") or "default"
        own += ["network", self._options.network if network == "default" else network]
        own += ["security", instruction.flag("security") or "sandbox"]
        own += state.environment.parts()
        mounts = [
            mounted(expanded(mount, state.environment, self._escape), lambda target: _absolute(state.cwd, target))
            for mount in instruction.mounts
        ]
        if script is not None:
            own += ["script", *script]
        if any(mount.parts[0] == "ssh" for mount in mounts):
            own.append("agent")
        for mount in sorted(mounts, key=lambda mount: mount.target):
            own += ["mount", *mount.parts]
        return operation("exec", own, self._run_inputs(state, mounts))

    def _command(self, state: _State, instruction: Instruction) -> tuple[tuple[str, ...], tuple[str, str] | None]:
        """Return the arguments of the process, and name and text of a script that is mounted for it."""
        if instruction.json is not None:
            return instruction.json, None
        text, script = instruction.args, None
        heredocs = instruction.heredocs
        if len(heredocs) == 1 and heredocs[0].word == text.strip():
            text = heredocs[0].body
            if text.startswith("#!"):
                script = (heredocs[0].name, text)
                text = f"/dev/pipes/{heredocs[0].name}"
        else:
            for heredoc in heredocs:
                text += f"\n{self._raw_body(heredoc)}{heredoc.name}"
        return (*state.shell, text), script

    def _raw_body(self, heredoc: Heredoc) -> str:
        """Return the body with the leading tabs that `<<-` takes away: the shell does that itself."""
        lines = self._dockerfile.source[heredoc.span.start : heredoc.span.end].splitlines(keepends=True)
        return b"".join(lines[:-1]).decode("utf-8", "surrogateescape")

    def _run_inputs(self, state: _State, mounts: Sequence[Mounted]) -> list[Input]:
        """Return the inputs: what is built on first, then the context, then stages and images by their targets."""
        from_context = [mount.source for mount in mounts if mount.origin == "context"]
        found = _on(state.key)
        if from_context:
            whole = "/" in from_context
            chosen = [Selector("/")] if whole else without_covered([Selector(path) for path in from_context])
            found.append(by_content(content(self._context, chosen)))
        others: dict[str, tuple[Key, list[str]]] = {}
        for mount in sorted(mounts, key=lambda mount: mount.target):
            if mount.origin in (None, "context"):
                continue
            origin = self._mounted_from(mount.origin or "", state.platform)
            others.setdefault(origin.key.digest, (origin, []))[1].append(mount.source)
        for digest, (origin, paths) in others.items():
            if digest == state.key.key.digest:
                # one input with what is built on, which never goes by content
                found[0] = by_definition(origin, "/", *paths)
            else:
                found.append(by_either(origin, *paths))
        return found

    def _mounted_from(self, name: str, platform: str) -> Key:
        index = named.named(self._stages, name)
        return self._image(name, platform) if index is None else self._stage(index, name)

    def _stage(self, index: int, name: str) -> Key:
        final = self._finals.get(index)
        if final is None or index == self._current:
            raise Unpredictable(f"`from={name}` does not name an earlier stage")
        return final.key

    # -- COPY and ADD ------------------------------------------------------------------------------------------------

    def _copy(self, state: _State, instruction: Instruction) -> Key:
        for flag in instruction.flags:
            if flag.name not in _COPY_FLAGS:
                raise Unpredictable(f"`--{flag.name}` of {instruction.keyword} is not modelled")
        attributes = [
            self._destination(state, instruction.words[-1]),
            self._owner_flag(state, instruction),
            self._mode_flag(state, instruction),
        ]
        unpack = instruction.keyword == "ADD" and (instruction.flag("unpack") or "true").lower() == "true"
        own: list[str | Term] = []
        selectors: list[Selector] = []
        documents: list[Input] = []
        inline = {heredoc.word: heredoc for heredoc in instruction.heredocs}
        for word in instruction.words[:-1]:
            if word in inline:
                continue
            path = self._source(state, instruction, word)
            selectors.append(Selector(path, has_wildcard(path)))
            # `dir` and `dir/` are the same; the directory that holds it is not part of the operation
            own += ["copy", posixpath.basename(path), *attributes, str(unpack)]
        for word in instruction.words[:-1]:
            if word in inline:
                heredoc = self._last_of_name(instruction, inline[word])
                text = state.environment.expand_document(heredoc.body) if inline[word].expand else known(heredoc.body)
                documents.append(by_content(term("document", heredoc.name, text.term)))
                own += ["document", heredoc.name, *attributes]
        return self._copied(state, instruction, own, selectors, documents)

    def _copied(
        self,
        state: _State,
        instruction: Instruction,
        own: Sequence[str | Term],
        selectors: Sequence[Selector],
        documents: Sequence[Input],
    ) -> Key:
        linked = self._options.merges_layers and _is_linked(instruction)
        below = source("scratch") if linked else state.key
        inputs = _on(below)
        origin = instruction.flag("from") if instruction.keyword == "COPY" else None
        if selectors and origin is None:
            inputs.append(by_content(content(self._context, without_covered(selectors))))
        elif selectors:
            index = named.copied_from(self._stages, origin or "")
            key = self._image(origin or "", state.platform) if index is None else self._stage(index, origin or "")
            if key.key == below.key:
                # one input with what is built on, which never goes by content, nor by what is selected
                own = [*own, "from what it builds on"]
            else:
                inputs.append(by_either(key, *sorted(selector.path for selector in selectors)))
        key = operation("file", own, [*inputs, *documents])
        state.key = operation("merge", [], [by_definition(state.key), by_definition(key)]) if linked else key
        return key

    @staticmethod
    def _last_of_name(instruction: Instruction, heredoc: Heredoc) -> Heredoc:
        """Return the document whose text counts: the last one of a name (`parseSourcesAndDest`)."""
        return next(other for other in reversed(instruction.heredocs) if other.name == heredoc.name)

    def _source(self, state: _State, instruction: Instruction, word: str) -> str:
        text = state.environment.expand(word, self._escape).text
        if text is None:
            raise Unpredictable(f"line {instruction.start_line}: the source `{word}` is not known before the build")
        if instruction.keyword == "ADD" and is_remote(text):
            raise Unpredictable(
                f"line {instruction.start_line}: what the server of `{text}` answers is not known before the build"
            )
        return "/" + clean_source(text)

    def _destination(self, state: _State, word: str) -> Term:
        dest = state.environment.expand(word, self._escape)
        if dest.text is None or (state.cwd.text is None and not dest.text.startswith("/")):
            return term("destination", dest.term, state.cwd.term)
        text = dest.text if dest.text not in ("", ".") else "./"
        path = normalize(_joined(state.cwd.text or "/", text))
        # fileop.go, `normalizePath`: `/w/` and `/w/.` are kept apart
        if text.endswith("/"):
            path = path.rstrip("/") + "/"
        elif text.endswith("/."):
            path = path.rstrip("/") + "/."
        return term("destination", path)

    def _owner_flag(self, state: _State, instruction: Instruction) -> Term:
        raw = instruction.flag("chown")
        value = known("") if raw is None else state.environment.expand(raw, self._escape)
        return term("owner", value.term) if value.text is None else _owner(value.text)

    def _mode_flag(self, state: _State, instruction: Instruction) -> Term:
        raw = instruction.flag("chmod")
        if raw is not None and "$" in raw and not self._options.expands_mode:
            raw = None
        value = known("") if raw is None else state.environment.expand(raw, self._escape)
        if not value.text:
            return value.term
        octal = all(char in "01234567" for char in value.text)
        return term("mode", str(int(value.text, 8))) if octal else term("symbolic mode", value.text)


def _on(key: Key) -> list[Input]:
    """Return the input of what an instruction builds on; `scratch` is none."""
    return [by_definition(key)]


def _platform(name: str) -> str:
    """Return a platform in the form in which operations hold it (containerd/platforms, `Normalize`)."""
    system, _, machine = name.lower().partition("/")
    if not machine:
        raise Unpredictable(f"the platform `{name}` is not read")
    architecture, _, variant = machine.partition("/")
    architecture = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}.get(architecture, architecture)
    if (architecture, variant) in (("amd64", "v1"), ("arm64", "v8"), ("arm64", "8")):
        variant = ""
    if architecture == "arm" and variant == "":
        variant = "v7"
    return f"{system}/{architecture}/{variant}".rstrip("/")


def _owner(text: str) -> Term:
    """Return an owner as operations hold it (fileop.go, `WithUser`): numbers and `root` are numbers, the rest names."""
    if not text:
        return term("owner")
    user, _, group = text.partition(":")
    return term("owner", _number(user), _number(group) if group else "")


def _number(name: str) -> str:
    if name == "root":
        return "0"
    digits = name[1:] if name[:1] in ("+", "-") else name
    if digits.isascii() and digits.isdigit() and -(2**31) <= int(name) < 2**31:
        return str(int(name))
    return f"name {name}"


def _joined(directory: str, path: str) -> str:
    """Return a path under a directory; an absolute one stays as it is written."""
    return path if path.startswith("/") else normalize(f"{directory}/{path}") if path else directory


def _absolute(cwd: Value, target: str) -> str:
    if cwd.text is None:
        raise Unpredictable(
            f"the mount target `{target}` is relative to a directory that is not known before the build"
        )
    return normalize(f"{cwd.text}/{target}")


def _is_linked(instruction: Instruction) -> bool:
    return not instruction.flag("chmod") and any(
        flag.name == "link" and (flag.value or "true").lower() == "true" for flag in instruction.flags
    )
