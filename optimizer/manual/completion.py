"""Completion scripts for bash, zsh and fish, complete in themselves: no key press starts Python."""

from __future__ import annotations

from collections.abc import Iterator

from dockopt.optimizer.manual.tree import Argument, Command, Kind, Option, Value, program, rule_ids

SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """Return the script for one of `SHELLS`."""
    top, commands = program()
    lines = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](top, commands)
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a text as one word of any of the three shells; those have no common escape for a quote, so it becomes another one."""
    return "'" + text.replace("\\", "/").replace("'", "’") + "'"


def _words(value: Value) -> tuple[str, ...]:
    return rule_ids() if value.kind in (Kind.RULE, Kind.RULES) else value.choices


# bash ---------------------------------------------------------------------------------------------

_BASH_BEGIN = """\
# completion of dockopt for bash; in ~/.bashrc: eval "$(dockopt completion bash)"
_dockopt() {
    local cur prev command='' options='' kind='' values='' begun='' i line
    COMPREPLY=()
    cur=${COMP_WORDS[COMP_CWORD]}
    prev=${COMP_WORDS[COMP_CWORD-1]}
    # bash hands over `--option=value` as three words
    if [[ $cur == = ]]; then
        cur=''
    elif [[ $prev == = && $COMP_CWORD -gt 1 ]]; then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} != -* ]]; then
            command=${COMP_WORDS[i]}
            break
        fi
    done
    case $command in"""

_BASH_END = """\
    esac
    if [[ $cur == -* && $kind != *: ]]; then
        kind=words values=$options
    fi
    case ${kind%:} in
    words)
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -W "$values" -- "$cur")
        ;;
    list)
        [[ $cur == *,* ]] && begun=${cur%,*},
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -P "$begun" -W "$values" -- "${cur##*,}")
        ;;
    directory)
        compopt -o filenames 2>/dev/null
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "$cur")
        ;;
    file)
        compopt -o filenames 2>/dev/null
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
        ;;
    esac
}
complete -F _dockopt dockopt"""


def _bash(top: Command, commands: tuple[Command, ...]) -> Iterator[str]:
    """A case per command, and in it one per option that takes a value; a colon after the kind marks the value of an option."""
    yield _BASH_BEGIN
    yield from ("    '')", f"        kind=words values={_quoted(' '.join(c.name for c in commands))}")
    yield from (f"        options={_quoted(_all_names(top))}", "        ;;")
    for command in commands:
        yield f"    {command.name})"
        yield f"        options={_quoted(_all_names(command))}"
        yield from (f"        {line}" for line in _bash_kind(command.arguments[0].value if command.arguments else None))
        yield "        case $prev in"
        for option in command.options:
            if option.value is not None:
                yield f"        {' | '.join(option.names)})"
                yield from (f"            {line}" for line in _bash_kind(option.value, ":"))
                yield "            ;;"
        yield from ("        esac", "        ;;")
    yield _BASH_END


def _bash_kind(value: Value | None, mark: str = "") -> Iterator[str]:
    kinds = {Kind.DIRECTORY: "directory", Kind.FILE: "file", Kind.RULES: "list", Kind.OTHER: "none"}
    if value is None:
        yield "kind=none"
    elif words := _words(value):
        yield f"kind={kinds.get(value.kind, 'words')}{mark} values={_quoted(' '.join(words))}"
    else:
        yield f"kind={kinds[value.kind]}{mark}"


def _all_names(command: Command) -> str:
    return " ".join(name for option in command.options for name in option.names)


# zsh ----------------------------------------------------------------------------------------------

_ZSH_BEGIN = """\
#compdef dockopt
# completion of dockopt for zsh; in ~/.zshrc, below compinit: eval "$(dockopt completion zsh)"
_dockopt() {
    local curcontext=$curcontext state line
    typeset -A opt_args
    local -a commands=("""

_ZSH_MIDDLE = """\
    )
    _arguments -C {} '1:command:->command' '*::argument:->argument'
    case $state in
    command)
        _describe command commands
        ;;
    argument)
        case $words[1] in"""

_ZSH_END = """\
        esac
        ;;
    esac
}
if [[ $funcstack[1] == _dockopt ]]; then
    _dockopt "$@"
else
    compdef _dockopt dockopt
fi"""


def _zsh(top: Command, commands: tuple[Command, ...]) -> Iterator[str]:
    yield _ZSH_BEGIN
    for command in commands:
        yield f"        {_quoted(f'{command.name}:{_zsh_text(command.short)}')}"
    yield _ZSH_MIDDLE.format(" ".join(_zsh_option(option) for option in top.options))
    for command in commands:
        yield from (f"        {command.name})", "            _arguments \\")
        specs = [_zsh_option(option) for option in command.options]
        specs += [_zsh_argument(number, argument) for number, argument in enumerate(command.arguments, 1)]
        yield " \\\n".join(f"                {spec}" for spec in specs)
        yield "            ;;"
    yield _ZSH_END


def _zsh_text(text: str) -> str:
    """Return a text without what `_arguments` and `_describe` take for their own."""
    return text.replace("[", "(").replace("]", ")").replace(":", ";")


def _zsh_option(option: Option) -> str:
    action = ""
    if option.value is not None:
        action = f":{_zsh_text(option.value.called)}:{_zsh_action(option.value)}"
    assigned = "=" if option.value is not None else ""
    star = "*" if option.repeatable else ""
    specs = (f"{star}{name}{assigned if name.startswith('--') else ''}" for name in option.names)
    return " ".join(_quoted(f"{spec}[{_zsh_text(option.help)}]{action}") for spec in specs)


def _zsh_argument(number: int, argument: Argument) -> str:
    place = "*" if argument.shown.endswith("...") else str(number)
    return _quoted(f"{place}:{_zsh_text(argument.value.called)}:{_zsh_action(argument.value)}")


def _zsh_action(value: Value) -> str:
    words = " ".join(_words(value))
    if value.kind is Kind.RULES:
        return f"_values -s , rewrite {words}"
    actions = {Kind.DIRECTORY: "_directories", Kind.FILE: "_files", Kind.OTHER: " "}
    return actions.get(value.kind) or f"({words})"


# fish ---------------------------------------------------------------------------------------------


def _fish(top: Command, commands: tuple[Command, ...]) -> Iterator[str]:
    yield "# completion of dockopt for fish; dockopt completion fish >~/.config/fish/completions/dockopt.fish"
    yield "complete -c dockopt -e"
    for option in top.options:
        yield f"complete -c dockopt -n __fish_use_subcommand {_fish_option(option)}"
    for command in commands:
        yield f"complete -c dockopt -n __fish_use_subcommand -f -a {command.name} -d {_quoted(command.short)}"
    for command in commands:
        where = f"complete -c dockopt -n '__fish_seen_subcommand_from {command.name}'"
        if not command.arguments:
            yield f"{where} -f"
        elif action := _fish_action(command.arguments[0].value):
            yield f"{where} {action}"
        for option in command.options:
            yield f"{where} {_fish_option(option)}"


def _fish_option(option: Option) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
    needs = ""
    if option.value is not None:
        needs = f" {_fish_action(option.value) or '-r -F'}".replace(" -f", " -x")
    return f"{names}{needs} -d {_quoted(option.help)}"


def _fish_action(value: Value) -> str:
    """Return what a value may be: nothing for files, which fish offers anyway."""
    words = " ".join(_words(value))
    match value.kind:
        case Kind.FILE:
            return ""
        case Kind.DIRECTORY:
            return "-f -a '(__fish_complete_directories)'"
        case Kind.RULES:
            return f"-f -a \"(__fish_complete_list , 'printf %s\\\\\\\\n {words}')\""
        case Kind.OTHER:
            return "-f"
        case _:
            return f"-f -a {_quoted(words)}"
