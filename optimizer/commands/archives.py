"""Programs that pack and unpack archives: tar, unzip, gzip and its kin.

GNU tar and busybox tar strip a leading `/` from member names and refuse `..`; so does Info-ZIP's unzip and busybox's
(GNU tar manual §6.10.2, `busybox/archival/libarchive/unsafe_prefix.c`, unzip(1) on `-:`). Options that lift this, or
that start programs, are not modelled.
"""

from __future__ import annotations

import posixpath
import re

from dockopt.optimizer.commands.arguments import (
    ACCOUNTS,
    NotUnderstood,
    Place,
    Reads,
    locate,
    modelled,
    parse,
    program,
    require_no_link,
)
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.effects import Effects, Kind, World, Write
from dockopt.optimizer.regions import Region, below

_TAR_SWITCHES = (
    "-x -c -t -z -j -J -v -p -m -o -a -k --extract --get --create --list --gzip --gunzip --bzip2 --xz --zstd --lzma "
    "--verbose --preserve-permissions --same-permissions --no-same-owner --no-same-permissions --same-owner --touch "
    "--numeric-owner --auto-compress --no-overwrite-dir --overwrite --unlink-first --keep-old-files --skip-old-files "
    "--wildcards --no-wildcards --anchored --no-anchored --ignore-zeros --no-xattrs --xattrs --no-acls "
    "--delay-directory-restore"
)
_TAR_VALUED = (
    "-f -C --file --directory --strip-components --strip --exclude --owner --group --mode --warning --sort --mtime"
)
_COMPRESSORS = ("gzip", "bzip2", "xz", "zstd", "lzma")
#: tar(1) and the compressors that it starts
_TAR_VARIABLES = ("TAR_*", "TAPE", "RMT", "GZIP*", "BZIP*", "XZ_*", "ZSTD_*", "LZMA*", "LIBARCHIVE*")


def _spelled(invocation: Invocation) -> Invocation:
    """Return the command with old-style options (`tar xzf file`) spelled with dashes; letters take values in turn."""
    words = list(zip(invocation.argv, invocation.raw, strict=True))
    if len(words) < 2 or words[1][0] is None or words[1][0].startswith("-"):
        return invocation
    program_word, (letters, _), *rest = words
    result: list[tuple[str | None, str]] = [program_word]
    for letter in letters or "":
        result.append((f"-{letter}", f"-{letter}"))
        if letter in "fC":
            if not rest:
                raise NotUnderstood(f"the option `{letter}` has no value")
            result.append(rest.pop(0))
    result += rest
    return Invocation(tuple(text for text, _ in result), tuple(raw for _, raw in result), invocation.line)


def _unpacked(directory: Place, reads: Reads) -> Write:
    """Return the write of unpacking into a directory: whatever the archive holds, below it."""
    around = reads.around
    require_no_link(directory.path, around)
    for root in around.project_roots if around.kind(directory.path) != "absent" else ():
        # an archive writes through directories that are links (busybox; GNU with --keep-directory-symlink)
        if below(directory.path, root) or (below(root, directory.path) and directory.path != "/"):
            raise NotUnderstood(f"`{directory.path}` may hold links of the context, through which it would unpack")
    reads.entry(directory.path)
    return Write(Kind.MAY, Region((directory.path,)))


@modelled
def tar(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `tar` with one -x, -c or -t.

    A new archive records times of files, which come from the clock of the build: World.FREE.
    """
    spelled = _spelled(invocation)
    arguments = parse(spelled, switches=_TAR_SWITCHES, valued=_TAR_VALUED)
    modes = {
        mode
        for mode, names in {"x": ("-x", "--extract", "--get"), "c": ("-c", "--create"), "t": ("-t", "--list")}.items()
        if arguments.has(*names)
    }
    for variable in ("TAR_OPTIONS", "TAPE"):
        if around.variable(variable)[1]:
            raise NotUnderstood(f"`{variable}` adds options")
    _require_directory_first(spelled)
    directories = arguments.values("-C", "--directory")
    if len(modes) != 1 or len(directories) > 1:
        raise NotUnderstood("it does not name one operation and at most one directory")
    directory = locate(directories[0] if directories else ".", around)
    archive = arguments.value("-f", "--file")
    if archive is not None and ":" in archive:
        raise NotUnderstood(f"the archive `{archive}` may lie on another machine")
    reads = Reads(around).entry(*ACCOUNTS)
    mode = modes.pop()
    stream = archive in (None, "-")
    if mode != "c":
        if not stream:
            # -f is looked up before tar changes its directory (GNU manual §6.10; busybox `tar.c`)
            reads.content(locate(archive or "", around).path)
        if any(operand.glob for operand in arguments.operands):
            reads.everything = True
        writes = [] if mode == "t" else [_unpacked(directory, reads)]
        return program(invocation, around, reads, writes=writes, variables=_TAR_VARIABLES, starts=_COMPRESSORS)
    for operand in arguments.operands:
        if operand.glob:
            # the shell expands it in its own directory, tar reads it in that of -C
            reads.everything = True
            continue
        inside = operand.text if operand.text.startswith("/") else f"{directory.path}/{operand.text}"
        reads.tree(locate(inside, around, operand.raw).path)
    writes = []
    if not stream:
        out = locate(archive or "", around)
        require_no_link(out.path, around)
        reads.entry(out.path)
        sure = around.kind(out.path) in ("file", "absent")
        writes.append(Write(Kind.SET if sure else Kind.MAY, Region((out.path,))))
    world, starts = World.FREE, _COMPRESSORS
    return program(invocation, around, reads, writes=writes, variables=_TAR_VARIABLES, world=world, starts=starts)


def _require_directory_first(invocation: Invocation) -> None:
    """Raise `NotUnderstood` if -C may stand after an operand: it counts for the operands that follow it only."""
    words = invocation.argv[1:]
    moves = [i for i, word in enumerate(words) if word and re.match(r"-[A-Za-z]*C|--directory(=|$)", word)]
    valued = {*_TAR_VALUED.split()}
    for i in range(moves[0] if moves else 0):
        word, before = words[i], words[i - 1] if i else None
        of_option = before is not None and (before in valued or re.fullmatch(r"-[A-Za-z]*f", before))
        if not of_option and (word is None or not word.startswith("-")):
            raise NotUnderstood("`-C` does not count for the operands before it")


@modelled
def unzip(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `unzip [-o|-n] file [member…] [-d dir]`; `file.zip` and `file.ZIP` are tried too."""
    arguments = parse(invocation, switches="-o -n -q -j -l -p -t -u -x -L -a -C -X -K", valued="-d")
    for variable in ("UNZIP", "UNZIPOPT"):
        if around.variable(variable)[1]:
            raise NotUnderstood(f"`{variable}` adds options")
    if arguments.has("-u", "-x"):
        raise NotUnderstood("the options `-u` and `-x` are not modelled")
    if not arguments.operands or arguments.operands[0].glob:
        raise NotUnderstood("which archives it unpacks is not known before the build")
    archive = locate(arguments.operands[0].text, around)
    if any(character in archive.path for character in "*?["):
        raise NotUnderstood("which archives it unpacks is not known before the build")
    reads = Reads(around).content(archive.path)
    if around.kind(archive.path) != "file":
        reads.entry(f"{archive.path}.zip", f"{archive.path}.ZIP")
    if any(operand.glob for operand in arguments.operands):
        reads.everything = True
    writes = []
    if not arguments.has("-l", "-p", "-t"):
        writes.append(_unpacked(locate(arguments.value("-d") or ".", around), reads))
    return program(invocation, around, reads, writes=writes, variables=("UNZIP*", "ZIPINFO*"))


#: program → ending of its files, whether it unpacks, whether it prints
_GZIPS = {
    name: (ending, unpacks, prints)
    for ending, packer, unpacker, printer in (
        (".gz", "gzip", "gunzip", "zcat"),
        (".bz2", "bzip2", "bunzip2", "bzcat"),
        (".xz", "xz", "unxz", "xzcat"),
    )
    for name, unpacks, prints in ((packer, False, False), (unpacker, True, False), (printer, True, True))
}


#: endings with which one of the programs does not pack a file (gzip 1.12 `get_suffix`, xz 5.4 `suffix.c`, bzip2 1.0.8)
_PACKED = re.compile(r"([-._][gz]?z|\.(t[gaxlz]z|taz|tbz2?|bz2?|xz|lzma|tlz|zst|lz))$", re.IGNORECASE)


@modelled
def gzip(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `gzip [-dkcf] file…`, `gunzip`, `zcat` and the same of bzip2 and xz: a file takes another's place.

    Files to unpack have to be named with their ending, since the programs guess it otherwise. gzip records the time of
    the file unless told otherwise (-n), which is no part of a value: World.FREE.
    """
    ending, unpacks, prints = _GZIPS[invocation.name]
    arguments = parse(
        invocation,
        switches="-d -c -k -f -q -v -n -t -1 -2 -3 -4 -5 -6 -7 -8 -9 --decompress --uncompress --stdout --to-stdout "
        "--keep --force --quiet --verbose --no-name --test --fast --best",
    )
    for variable in ("GZIP", "BZIP", "BZIP2", "XZ_OPT", "XZ_DEFAULTS"):
        if around.variable(variable)[1]:
            raise NotUnderstood(f"`{variable}` adds options")
    unpacks = unpacks or arguments.has("-d", "--decompress", "--uncompress", "-t", "--test")
    prints = prints or arguments.has("-c", "--stdout", "--to-stdout", "-t", "--test")
    reads, gone, made = Reads(around), [], []
    for text in arguments.texts():
        if text == "-":
            continue
        path, _, _, names_directory = locate(text, around)
        if names_directory:
            raise NotUnderstood(f"`{text}` is a directory")
        if unpacks and not path.endswith(ending):
            raise NotUnderstood(f"`{text}` does not end in `{ending}`, so which file it means is not known")
        if not unpacks and not prints and _PACKED.search(path):
            raise NotUnderstood(f"`{text}` looks packed already, then it may be left alone")
        reads.content(path)
        if prints:
            continue
        require_no_link(path, around)
        other = path.removesuffix(ending) if unpacks else path + ending
        if posixpath.dirname(other) != posixpath.dirname(path):
            raise NotUnderstood(f"`{text}` has no name before its ending")
        require_no_link(other, around)
        reads.entry(other)
        certain = around.kind(path) == "file"
        if not arguments.has("-k", "--keep"):
            gone.append(Write(Kind.KILL if certain else Kind.MAY, Region((path,))))
        sure = certain and around.kind(other) in ("absent", "file")
        made.append(Write(Kind.SET if sure else Kind.MAY, Region((other,))))
    timed = invocation.name == "gzip" and not unpacks and not arguments.has("-n", "--no-name")
    world = World.FREE if timed and arguments.operands else World.NONE
    variables = ("GZIP*", "BZIP*", "XZ_*")
    return program(invocation, around, reads, writes=[*gone, *made], variables=variables, world=world)
