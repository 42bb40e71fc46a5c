"""Programs that print, test, wait and filter text; of these only `tee` and `sed -i` write files.

What the shell does with their output (`> file`) is not told here. Facts: POSIX.1-2017 (XCU), GNU coreutils, grep and
sed manuals, busybox; builtins as in dash, bash and busybox ash.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from dockopt.optimizer.commands.arguments import (
    ACCOUNTS,
    QUOTED,
    NotUnderstood,
    Operand,
    Reads,
    locate,
    modelled,
    parse,
    places,
    program,
    require_no_link,
    require_no_link_on_the_way,
    searched_directories,
)
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.effects import Effects, Kind, World, Write
from dockopt.optimizer.regions import Region, join

_ASSIGNING = re.compile(r"\$\{[^}]*=")


def _expansions(invocation: Invocation, reads: Reads) -> None:
    """Take in words of which only the text matters: an unquoted one may be a pattern, then names of files matter."""
    for text, raw in zip(invocation.argv, invocation.raw, strict=True):
        if text is not None:
            continue
        if _ASSIGNING.search(raw):
            raise NotUnderstood(f"`{raw}` may assign a variable")
        if not QUOTED.fullmatch(raw):
            reads.everything = True


@modelled
def echo(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `echo`, `:`, `true` and `false`, which ignore or print their arguments."""
    reads = Reads(around)
    _expansions(invocation, reads)
    return program(invocation, around, reads)


@modelled
def printf(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `printf format…`; bash prints the time for `%(…)T` and assigns a variable for -v."""
    reads = Reads(around)
    _expansions(invocation, reads)
    words = invocation.argv[1:]
    if not words:
        raise NotUnderstood("it has no format")
    first = words[1] if words[0] == "--" and len(words) > 1 else words[0]
    if words[0] is not None and words[0].startswith("-v"):
        raise NotUnderstood("it assigns a variable")
    clock = first is None or "%(" in first
    return program(invocation, around, reads, world=World.FREE if clock else World.NONE)


#: tests of one file (POSIX test, and what bash adds)
_FILE_TESTS = frozenset(f"-{letter}" for letter in "bcdefghkLOGprsSuwxa")


@modelled
def test(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `test` and `[`: strings, numbers and single files; comparing times of files is not modelled."""
    reads = Reads(around).entry(*ACCOUNTS)
    _expansions(invocation, reads)
    words = invocation.argv
    if any(word in ("-nt", "-ot", "-ef", "-N") for word in words):
        raise NotUnderstood("it compares times of files")
    if "-v" in words or "-o" in words or "-R" in words:
        raise NotUnderstood("it may ask for a variable or a setting of the shell")
    for operator, operand, raw in zip(words, words[1:], invocation.raw[1:], strict=False):
        if operator is None:
            # an expansion may be the operator
            reads.everything = True
        elif operator in _FILE_TESTS:
            if operand is None:
                reads.everything = True
            elif operand:
                # the operand of a binary `-a` is no file; reading it too does no harm
                reads.content(locate(operand, around, raw).path)
    return program(invocation, around, reads)


@modelled
def clock(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `date`, which asks the world each time."""
    parse(
        invocation,
        switches="-u --utc --universal -R --rfc-email",
        valued="-d --date --rfc-3339",
        optional="-I --iso-8601",
    )
    return program(invocation, around, world=World.FREE)


@modelled
def uname(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `uname` and `arch`: the machine is that of the platform, but the kernel is that of the builder."""
    arguments = parse(
        invocation, switches="-a -m -s -r -v -n -p -i -o --all --machine --kernel-name --kernel-release --nodename"
    )
    local = not arguments.flags or set(arguments.flags) <= {"-m", "-s", "-o", "--machine", "--kernel-name"}
    return program(invocation, around, world=World.NONE if local else World.FREE)


@modelled
def processors(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `nproc`: how many jobs there are changes no result that a build may rely on (coreutils manual)."""
    parse(invocation, switches="--all", valued="--ignore")
    return program(invocation, around, variables=("OMP_NUM_THREADS", "OMP_THREAD_LIMIT"))


@modelled
def plain(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `sleep`, `basename`, `dirname` and `seq`, which look at their operands only."""
    parse(invocation, switches="-a -z", valued="-s -d").texts()
    return program(invocation, around)


@modelled
def accounts(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `id`, `whoami` and `groups`, which look users up."""
    parse(invocation, switches="-u -g -G -n -r").texts()
    return program(invocation, around, Reads(around).entry(*ACCOUNTS))


@modelled
def pwd(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `pwd`: PWD if it names the working directory, else its physical path."""
    parse(invocation, switches="-L -P")
    reads = Reads(around)
    if around.cwd is None or around.kind(around.cwd) != "directory":
        reads.everything = True
    return program(invocation, around, reads, variables=("PWD",))


# -- filters ---------------------------------------------------------------------------------------------------------


class _Filter(NamedTuple):
    switches: str
    valued: str = ""


_CHECKSUM = _Filter("-b -t -c -w -z --check --status --quiet --strict --warn --ignore-missing --binary -s")
_FILTERS = {
    "cat": _Filter("-n -b -s -e -t -u -A -E -T -v"),
    "head": _Filter("-q -v -z", "-n -c --lines --bytes"),
    "tail": _Filter("-q -v -z", "-n -c --lines --bytes"),
    "wc": _Filter("-l -w -c -m -L --lines --words --bytes"),
    "cut": _Filter("-s -n -z --complement", "-d -f -c -b --delimiter --fields --output-delimiter"),
    "sort": _Filter("-b -d -f -g -h -n -r -s -u -V -z -i -M -m -c", "-k -t --key"),
    "grep": _Filter(
        "-E -F -G -P -i -v -c -l -L -n -o -q -s -w -x -h -H -a -z -R -r --quiet --silent --ignore-case",
        "-e -m -A -B -C --max-count",
    ),
    "rev": _Filter(""),
    "tac": _Filter(""),
    "base64": _Filter("-d -i --decode", "-w --wrap"),
    **dict.fromkeys(("md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum"), _CHECKSUM),
}


@modelled
def reader(invocation: Invocation, around: Surroundings) -> Effects:
    """Model a filter that reads its operands (or standard input) and writes to standard output only."""
    known = _FILTERS[{"egrep": "grep", "fgrep": "grep"}.get(invocation.name, invocation.name)]
    if invocation.name in ("head", "tail"):
        # `head -5`, from before options had letters
        argv = tuple(f"-n{text[1:]}" if text and re.fullmatch(r"-\d+", text) else text for text in invocation.argv)
        invocation = Invocation(argv, invocation.raw, invocation.line)
    arguments = parse(invocation, switches=known.switches, valued=known.valued)
    reads = Reads(around)
    files = list(arguments.operands)
    recursive = known is _FILTERS["grep"] and arguments.has("-r", "-R")
    if known is _FILTERS["grep"]:
        if not arguments.has("-e"):
            if not files or files[0].glob:
                raise NotUnderstood("its pattern is not known before the build")
            files = files[1:]
        if recursive:
            files = files or [Operand(".", ".")]
            reads.everything = bool(around.project_roots) or arguments.has("-R")
    if known is _CHECKSUM and arguments.has("-c", "--check"):
        # which files it reads stands in the list
        reads.everything = True
    for operand in files:
        if operand.text != "-":
            place = locate(operand.text, around, operand.raw, glob=operand.glob)
            reads.operand(place)
            if recursive:
                reads.tree(place.path)
    return program(invocation, around, reads)


@modelled
def translate(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `tr`, whose operands are no files."""
    parse(invocation, switches="-d -s -c -C -t").texts()
    return program(invocation, around)


@modelled
def listing(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `ls`: names and attributes below its operands; forms that show times depend on the clock."""
    timed = "-l -t -c -u -g -o -s"
    arguments = parse(invocation, switches=f"-a -A -1 -R -d -F -p -r -S -X -C -x -m -q -Q -h -i -L -n {timed}")
    found = places(arguments, around) or [locate(".", around)]
    reads = Reads(around).entry(*ACCOUNTS)
    for place in found:
        reads.operand(place)
        if arguments.has("-R"):
            reads.tree(place.path)
    if arguments.has("-L", "-H", "-F"):
        reads.everything = True  # it looks at what links lead to
    shows_times = arguments.has(*timed.split(), "-n", "-i")
    return program(invocation, around, reads, world=World.FREE if shows_times else World.NONE)


@modelled
def search_path(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `which`: it looks for names in the directories of PATH.

    Debian's is a script that takes KSH_VERSION as a sign of the shell that runs it (debianutils 5.7 `which`).
    """
    names = parse(invocation, switches="-a").texts()
    reads = Reads(around)
    if not around.variable("PATH")[0] or any("/" in name for name in names):
        reads.everything = True
    else:
        for entry in searched_directories(around):
            for name in names:
                reads.content(join(entry, name))
    return program(invocation, around, reads, variables=("KSH_VERSION",))


@modelled
def tee(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `tee [-a] file…`: like a redirection, it keeps mode and owner of a file that is there."""
    arguments = parse(invocation, switches="-a -i -p --append --ignore-interrupts")
    if "-" in arguments.texts():
        raise NotUnderstood("what `-` means to tee depends on its version")
    reads, writes = Reads(around), []
    for place in places(arguments, around):
        if place.path in ("/dev/stderr", "/dev/stdout", "/dev/null", "/dev/tty"):
            continue
        require_no_link(place.path, around)
        reads.entry(place.path)
        certain = around.kind(place.path) in ("absent", "file")
        writes.append(Write(Kind.SET if certain else Kind.MAY, Region((place.path,))))
    return program(invocation, around, reads, writes=writes)


# -- sed -------------------------------------------------------------------------------------------------------------

#: a bracket expression without `/`, backslash and collating symbols, on whose end all seds agree
_BRACKET = r"\[\^?\]?(?:\[:[a-z]+:\]|[^]\[/\\\n])*\]"
_ADDRESS = re.compile(rf"\s*(?:\d+(?:~\d+)?|\$|/(?:[^/\\\[\n]|\\.|{_BRACKET})*/[IM]*)")
_FLAGS = re.compile(r"[gpiImM0-9]*")
_END = re.compile(r"\s*(?:[;\n]\s*|$|(?=\}))")


def plain_script(script: str) -> bool:
    """Tell whether a sed script surely neither writes nor reads another file, nor starts a program (`w`, `r`, `e`)."""
    at, depth = 0, 0
    while at < len(script):
        if script[at] in " \t\n;":
            at += 1
            continue
        for _ in range(2):
            found = _ADDRESS.match(script, at)
            if found is None:
                break
            at = found.end()
            if script[at : at + 1] != ",":
                break
            at += 1
            step = re.compile(r"[+~]\d+").match(script, at)
            if step:
                at = step.end()
                break
        while script[at : at + 1] in ("!", " "):
            at += 1
        command, at = script[at : at + 1], at + 1
        if command == "{":
            depth += 1
            continue
        if command == "}":
            depth -= 1
        elif command in ("s", "y"):
            end = _delimited(script, at)
            if end is None:
                return False
            flags = _FLAGS.match(script, end)
            at = flags.end() if flags and command == "s" else end
        elif command in ("a", "i", "c"):
            # the text goes to the end of the line, and on after a backslash
            while at < len(script) and script[at] != "\n":
                at += 2 if script[at] == "\\" else 1
            continue
        elif command not in ("d", "D", "p", "P", "=", "q", "n", "N", "h", "H", "g", "G", "x"):
            return False
        end_of_command = _END.match(script, at)
        if end_of_command is None:
            return False
        at = end_of_command.end()
    return depth == 0


def _delimited(script: str, at: int) -> int | None:
    """Return the end of `/…/…/` at `at`; a delimiter between brackets has no meaning that all seds agree on."""
    delimiter = script[at : at + 1]
    if not delimiter or delimiter in "\\\n[":
        return None
    position, parts = at + 1, 0
    while position < len(script):
        character = script[position]
        if character == "\\":
            position += 2
        elif character == delimiter:
            parts, position = parts + 1, position + 1
            if parts == 2:
                return position
        elif character == "[" and parts == 0:
            bracket = re.compile(_BRACKET.replace("/", "")).match(script, position)
            if bracket is None or delimiter in bracket[0]:
                return None
            position = bracket.end()
        else:
            position += 1
    return None


@modelled
def sed(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `sed [-i[suffix]] script file…`; a file edited in place is replaced (also a link), with its mode.

    The script must be known and plain: its commands may write other files.
    """
    arguments = parse(
        invocation,
        switches="-n -r -E -z -u -s --quiet --silent --regexp-extended --null-data --debug --posix",
        valued="-e --expression",
        optional="-i --in-place",
    )
    files = list(arguments.operands)
    scripts: Sequence[str] = arguments.values("-e", "--expression")
    if not scripts:
        if not files or files[0].glob:
            raise NotUnderstood("its script is not known before the build")
        scripts, files = [files[0].text], files[1:]
    for script in scripts:
        if not plain_script(script):
            raise NotUnderstood(f"its script `{script}` is not plain (it may write or read other files)")
    reads, writes = Reads(around), []
    suffix = arguments.value("-i", "--in-place")
    for operand in files:
        if operand.text == "-" and suffix is None:
            continue
        place = locate(operand.text, around, operand.raw, glob=operand.glob)
        reads.operand(place)
        if suffix is None:
            continue
        if "/" in suffix or "*" in suffix or (suffix and place.glob):
            raise NotUnderstood(f"the suffix `{suffix}` may name another directory")
        require_no_link_on_the_way(place, around)
        certain = not place.glob and around.kind(place.path) == "file"
        writes.append(Write(Kind.SET if certain else Kind.MAY, Region((place.path,))))
        if suffix:
            writes.append(Write(Kind.SET if certain else Kind.MAY, Region((place.path + suffix,))))
    return program(invocation, around, reads, writes=writes)
