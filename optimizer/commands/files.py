"""Programs that make, move, copy and remove files: mkdir, cp, mv, rm, rmdir, ln, touch, chmod, chown, install.

Facts are from POSIX.1-2017 (XCU) and the GNU coreutils 9 manual; where busybox differs, the weaker claim is made. What
a program does through a link that the build context may have brought is not followed: such a command is UNKNOWN.
"""

from __future__ import annotations

import posixpath
import re

from dockopt.optimizer.commands.arguments import (
    ACCOUNTS,
    Arguments,
    NotUnderstood,
    Place,
    Reads,
    locate,
    made_parents,
    modelled,
    parse,
    places,
    program,
    require_no_link,
    require_no_link_on_the_way,
)
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.effects import Effects, Kind, Write
from dockopt.optimizer.regions import Region, below, join, parents

#: directories that programs are found in or that the system lives in; a link at or above one of them moves too much
_SYSTEM_DIRECTORIES = (
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp",
    "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/local/bin", "/usr/local/lib", "/usr/local/sbin", "/usr/sbin",
    "/usr/share", "/var/cache", "/var/lib", "/var/log", "/var/run", "/var/tmp",
)  # fmt: skip
#: `..` after the name of a directory
_UP_AGAIN = re.compile(r"[^./][^/]*/(.*/)?\.\.(/|$)|\.[^./][^/]*/(.*/)?\.\.(/|$)")
_OCTAL = re.compile(r"0*([0-7]{3,4})")


def _mode(text: str | None) -> str:
    """Return a mode as `Write.mode` wants it: four digits, "" for 0755, symbolic ones as written."""
    if text is None:
        return ""
    octal = _OCTAL.fullmatch(text)
    mode = octal[1].rjust(4, "0") if octal else text
    return "" if mode == "0755" else mode


def _operands(arguments: Arguments, around: Surroundings, least: int = 1) -> list[Place]:
    found = places(arguments, around)
    if len(found) < least:
        raise NotUnderstood("it has too few operands")
    return found


def _leaving(arguments: Arguments, around: Surroundings, least: int = 1) -> list[Place]:
    """Return the operands of a program that removes names: none may lead through a directory that another one removes."""
    found = _operands(arguments, around, least)
    for place in found:
        if len(found) > 1 and _UP_AGAIN.search(place.raw):
            raise NotUnderstood(f"`{place.raw}` goes up from a directory that may be gone by then")
    return found


@modelled
def mkdir(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `mkdir [-p] [-v] [-m mode] dir…`.

    `-m` sets the mode of the last directory only, and with -p only of a new one (GNU). That a parent is a file, so that
    the command fails, is a matter of the DIRECTORY write and of its parents; nothing else of them is read.
    """
    arguments = parse(invocation, switches="-p -v --parents --verbose", valued="-m --mode")
    arguments.texts()
    mode, with_parents = _mode(arguments.value("-m", "--mode")), arguments.has("-p", "--parents")
    reads, writes = Reads(around), []
    for place in _operands(arguments, around):
        require_no_link(place.path, around)
        if not with_parents:
            reads.entry(place.path)  # it fails where something is
        above = parents(place.path)
        if mode and with_parents and above:
            writes.append(Write(Kind.DIRECTORY, Region((above[-1],))))
        if mode and place.path != "/" and around.kind(place.path) not in ("absent", "directory"):
            # whether it gets the mode depends on whether it is there
            reads.entry(place.path)
        writes.append(Write(Kind.DIRECTORY, Region((place.path,)), mode))
    return program(invocation, around, reads, writes=writes)


@modelled
def rm(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `rm [-rf] [-v] path…`: exact paths are gone afterwards, of a pattern something in its directory may be.

    A link is removed, not followed. Nobody is asked (standard input is no terminal in a build).
    """
    arguments = parse(
        invocation, switches="-r -R -f -v -d --recursive --force --verbose --dir --one-file-system --preserve-root"
    )
    force = arguments.has("-f", "--force")
    if not arguments.operands and force:
        return program(invocation, around)
    reads, writes = Reads(around), []
    for place in _leaving(arguments, around):
        if place.path == "/" and not place.glob:
            raise NotUnderstood("it removes `/`")
        if place.directory and not place.glob and place.raw.endswith("."):
            raise NotUnderstood(f"rm refuses `{place.raw}`")
        require_no_link_on_the_way(place, around)
        if place.glob or not force:
            reads.entry(place.path)
        exact = not place.glob and (not place.directory or around.kind(place.path) == "directory")
        writes.append(Write(Kind.KILL if exact else Kind.MAY, Region((place.path,))))
    return program(invocation, around, reads, writes=writes)


@modelled
def rmdir(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `rmdir dir…` (no -p: it would remove parents only if they are empty)."""
    arguments = parse(invocation, switches="-v --verbose")
    arguments.texts()
    found = _leaving(arguments, around)
    for place in found:
        require_no_link(place.path, around)
    reads = Reads(around).entry(*(place.path for place in found))
    return program(invocation, around, reads, writes=[Write(Kind.KILL, Region((place.path,))) for place in found])


@modelled
def touch(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `touch file…`: makes an empty file where none is; of one that is there only the times change."""
    arguments = parse(
        invocation, switches="-a -m -c -f -h --no-create --no-dereference", valued="-t -d --date -r --reference"
    )
    arguments.texts()
    reads, writes = Reads(around), []
    for name in arguments.values("-r", "--reference"):
        reads.content(locate(name, around).path)
    for place in _operands(arguments, around):
        require_no_link(place.path, around)
        created = around.kind(place.path) == "absent" and not arguments.has(
            "-c", "--no-create", "-h", "--no-dereference"
        )
        reads.entry(place.path)
        writes.append(Write(Kind.SET if created and not place.directory else Kind.MAY, Region((place.path,))))
    return program(invocation, around, reads, writes=writes)


# -- modes and owners ------------------------------------------------------------------------------------------------

_ATTRIBUTE_SWITCHES = "-R -v -c -f --recursive --verbose --changes --quiet --silent --preserve-root --no-preserve-root"
_SYMBOLIC_MODE = re.compile(r"-[rwxXstugo]+")


def _attributes(invocation: Invocation, around: Surroundings, arguments: Arguments, reads: Reads) -> Effects:
    """Return the effects of chmod and its kin: the operands after the first get other attributes.

    A certain file is SET: its new value is made of the old one, which is read. A tree is MAY.
    """
    operands = arguments.operands
    if not arguments.has("--reference"):
        if not operands or operands[0].glob:
            raise NotUnderstood("the mode or owner is not known before the build")
        operands = operands[1:]
    for name in arguments.values("--reference"):
        reads.content(locate(name, around).path)
    writes = []
    for place in _operands(Arguments(arguments.flags, operands), around):
        if place.glob and any(below(place.path, root) or below(root, place.path) for root in around.project_roots):
            raise NotUnderstood(f"`{place.raw}` may match a link, which {invocation.name} follows")
        require_no_link(place.path, around)
        reads.entry(place.path)
        regular = not place.glob and around.kind(place.path) == "file"
        writes.append(Write(Kind.SET if regular else Kind.MAY, Region((place.path,))))
    return program(invocation, around, reads, writes=writes)


@modelled
def chmod(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `chmod [-R] mode path…`; with -R it skips links that it meets (GNU; busybox `chmod.c`)."""
    # `chmod -x file` is a mode, not an option
    argv = [f"a{text}" if text and _SYMBOLIC_MODE.fullmatch(text) else text for text in invocation.argv]
    spelled = Invocation(tuple(argv), invocation.raw, invocation.line)
    arguments = parse(spelled, switches=_ATTRIBUTE_SWITCHES, valued="--reference")
    return _attributes(invocation, around, arguments, Reads(around))


@modelled
def chown(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `chown [-R] owner path…` and `chgrp`.

    With -R the links themselves change, not what they lead to, unless -H or -L (not modelled) say so (GNU `chown.c`,
    busybox `chown.c`). A numeric owner is looked up as a name first (POSIX), so it reads the accounts too.
    """
    switches = f"{_ATTRIBUTE_SWITCHES} -h -P --no-dereference"
    arguments = parse(invocation, switches=switches, valued="--reference --from")
    return _attributes(invocation, around, arguments, Reads(around).entry(*ACCOUNTS))


# -- copying and moving ----------------------------------------------------------------------------------------------

# -u compares times, which are no part of a value; -i asks; -b and -S keep copies under other names
_CP_SWITCHES = (
    "-r -R -a -p -f -v -d -P -L -H -n -T -x --recursive --archive --force --verbose --no-dereference --dereference "
    "--no-clobber --no-target-directory --one-file-system --remove-destination"
)
_MV_SWITCHES = "-f -v -n -T --force --verbose --no-clobber --no-target-directory"


def _split_target(arguments: Arguments, around: Surroundings) -> tuple[list[Place], Place, bool]:
    """Return sources, target and whether the target has to be a directory."""
    found = _operands(arguments, around)
    given = arguments.value("-t", "--target-directory")
    if given is not None:
        return found, locate(given, around), True
    if len(found) < 2:
        raise NotUnderstood("it has too few operands")
    *sources, target = found
    if target.glob:
        raise NotUnderstood(f"what `{target.raw}` matches is not known before the build")
    return sources, target, len(sources) > 1


def _names_itself(source: Place) -> bool:
    """Tell whether the last component names the file, so that it gets that name in a target directory."""
    return source.raw.rstrip("/").rsplit("/", 1)[-1] not in ("", ".", "..")


def _destination(
    source: Place, target: Place, into: bool, arguments: Arguments, around: Surroundings
) -> tuple[str, bool]:
    """Return where one source goes and whether that is exact."""
    if source.glob:
        return target.path, False
    exact_target = arguments.has("-T", "--no-target-directory")
    kind = around.kind(target.path)
    if not exact_target and (into or kind == "directory"):
        if not _names_itself(source):
            return target.path, False
        return join(target.path, source.base), True
    if kind in ("file", "absent") and not target.directory:
        return target.path, True
    return target.path, False


def _written(where: str, exact: bool, regular: bool, conditional: bool, reads: Reads) -> Write:
    """Return the write of one copied or moved file; `regular`: it surely becomes a regular file.

    What is there is read too: `cp` keeps its mode and owner.
    """
    reads.entry(where)
    require_no_link(where, reads.around)
    sure = exact and regular and not conditional and reads.around.kind(where) in ("absent", "file")
    return Write(Kind.SET if sure else Kind.MAY, Region((where,)))


@modelled
def cp(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `cp [-r|-a|…] source… target`.

    A file is SET where source and destination are certain. A copied directory merges into what is there, and writes
    through the links that it finds there.
    """
    arguments = parse(
        invocation,
        switches=_CP_SWITCHES,
        valued="-t --target-directory --no-preserve",
        optional="--preserve --reflink --sparse",
    )
    sources, target, several = _split_target(arguments, around)
    recursive = arguments.has("-r", "-R", "-a", "--recursive", "--archive")
    keeps_links = recursive or arguments.has("-d", "-P", "--no-dereference")
    follows = arguments.has("-L", "-H", "--dereference")
    reads, writes = Reads(around), []
    for source in sources:
        kind = "unknown" if source.glob else around.kind(source.path)
        if follows and kind != "file":
            reads.everything = True
        reads.as_links(source)
        if not keeps_links or follows or source.directory:
            reads.operand(source)
            reads.operand(source)
        into = several or (target.directory and not recursive)
        where, exact = _destination(source, target, into, arguments, around)
        if recursive and kind != "file" and around.kind(where) != "absent" and _holds_context(where, around):
            raise NotUnderstood(f"`{where}` may hold links, through which it would write")
        regular = kind == "file" or (kind == "unknown" and not keeps_links and not source.glob)
        writes.append(_written(where, exact, regular, arguments.has("-n", "--no-clobber"), reads))
    return program(invocation, around, reads, writes=writes)


def _holds_context(path: str, around: Surroundings) -> bool:
    return any(below(path, root) or below(root, path) for root in around.project_roots)


@modelled
def mv(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `mv source… target`: the source is gone, the destination is SET where both are certainly files.

    rename(2) replaces what is there, also a link, and moves a link as a link.
    """
    arguments = parse(invocation, switches=_MV_SWITCHES, valued="-t --target-directory")
    _leaving(arguments, around)
    sources, target, several = _split_target(arguments, around)
    conditional = arguments.has("-n", "--no-clobber")
    reads = Reads(around)
    gone, made = [], []
    for source in sources:
        kind = "unknown" if source.glob else around.kind(source.path)
        if source.directory and kind != "directory" and not source.glob:
            raise NotUnderstood(f"`{source.raw}` may be a link to a directory")
        require_no_link_on_the_way(source, around)
        reads.as_links(source)
        gone.append(Write(Kind.MAY if source.glob or conditional else Kind.KILL, Region((source.path,))))
        into = several or (target.directory and kind == "file")
        where, exact = _destination(source, target, into, arguments, around)
        made.append(_written(where, exact, kind == "file", conditional, reads))
    return program(invocation, around, reads, writes=[*gone, *made])


@modelled
def install(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `install [-m mode] [-o owner] [-g group] [-D] source… target` and `install -d dir…` (GNU and busybox).

    A file that is there is removed first, so the result is SET. `-s` (strip) and backups are refused.
    """
    arguments = parse(
        invocation,
        switches="-d -D -v -p -c -C -T --directory --verbose --preserve-timestamps --compare --no-target-directory",
        valued="-m --mode -o --owner -g --group -t --target-directory",
    )
    reads, writes = Reads(around), []
    owned = arguments.has("-o", "--owner", "-g", "--group")
    if owned:
        reads.entry(*ACCOUNTS)
    if arguments.has("-d", "--directory"):
        arguments.texts()
        mode = _mode(arguments.value("-m", "--mode"))
        for place in _operands(arguments, around):
            require_no_link(place.path, around)
            above = parents(place.path)
            if above:
                writes.append(Write(Kind.DIRECTORY, Region((above[-1],))))
            if around.kind(place.path) == "absent" and not owned:
                writes.append(Write(Kind.DIRECTORY, Region((place.path,)), mode))
            else:
                # one that is there gets mode and owner too
                reads.entry(place.path)
                writes.append(Write(Kind.MAY, Region((place.path,))))
        return program(invocation, around, reads, writes=writes)
    sources, target, several = _split_target(arguments, around)
    for source in sources:
        reads.operand(source)
        into = several or target.directory
        where, exact = _destination(source, target, into, arguments, around)
        if arguments.has("-D"):
            writes += made_parents(f"{target.path}/." if into else where, around)
        writes.append(_written(where, exact, not source.glob, False, reads))
    return program(invocation, around, reads, writes=writes)


# -- links -----------------------------------------------------------------------------------------------------------


@modelled
def ln(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `ln -s [-f] [-n] target link`.

    The write is MAY on the link, never SET: what is there afterwards is no regular file, and a later write to it or
    below it goes elsewhere. Where that could change the meaning of other paths (the target is a directory or is filled
    from the context; link or target is at or above a directory of the project or the system) and for hard links, it is
    UNKNOWN.
    """
    arguments = parse(
        invocation,
        switches="-s -f -n -v -T -r --symbolic --force --no-dereference --verbose --no-target-directory --relative",
        valued="-t --target-directory",
    )
    if not arguments.has("-s", "--symbolic"):
        raise NotUnderstood("a hard link makes two names of one file")
    targets = arguments.texts()
    given = arguments.value("-t", "--target-directory")
    if given is None:
        given = targets.pop() if len(targets) > 1 else "."
        into = len(targets) > 1 or len(arguments.operands) == 1
    else:
        into = True
    if not targets:
        raise NotUnderstood("it has too few operands")
    link = locate(given, around)
    exact = arguments.has("-n", "-T", "--no-dereference", "--no-target-directory")
    reads, writes = Reads(around), []
    for target in targets:
        where, kind = link.path, around.kind(link.path)
        if into and kind in ("file", "absent"):
            raise NotUnderstood(f"`{link.raw}` is no directory")
        if kind == "directory" or link.directory or (into and arguments.has("-t", "--target-directory")):
            name = posixpath.basename(target)
            if name in ("", ".", ".."):
                raise NotUnderstood(f"the name of a link to `{target}` is not known")
            where = join(where, name)
        elif kind == "unknown" and (into or not exact):
            # either the link itself or an entry of a directory: the region holds both
            require_no_link(where, around)
            reads.entry(where)
        require_no_link(posixpath.dirname(where), around)
        relative = arguments.has("-r", "--relative")
        meant = locate(target, around).path if relative else join(posixpath.dirname(where), target)
        _require_harmless(where, meant, around)
        reads.entry(where, meant)  # it fails where something is, with -f where both are one file
        writes.append(Write(Kind.MAY, Region((where,))))
    return program(invocation, around, reads, writes=writes)


def _require_harmless(link: str, target: str, around: Surroundings) -> None:
    for root in around.project_roots:
        if below(root, target) or below(target, root):
            raise NotUnderstood(f"it makes a second name for `{target}`, which the Dockerfile fills from the context")
        if below(root, link):
            raise NotUnderstood(f"it makes `{link}` a link, below which the Dockerfile puts files of the context")
    for directory in _SYSTEM_DIRECTORIES:
        if below(directory, target) or below(directory, link):
            raise NotUnderstood(f"it makes `{link}` another name of a directory of the system")
    if around.kind(target) == "directory":
        raise NotUnderstood(f"it makes a second name for the directory `{target}`")
