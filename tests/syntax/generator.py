"""Dockerfiles made at random from a grammar that loves the corners, valid and broken; the same seed gives the same files."""

from __future__ import annotations

import random

SPACES = [" ", " ", " ", " ", "  ", "\t", " \t", "\v", "\f", "\r", "\xa0", "\u2003", "\x1c", "\x85"]
WORDS = (
    """\
a b.txt ./c /app . .. x=1 A=1 A= =1 KEY=a=b "a" "a b" 'a b' 'a"b' "a\\"b" "a 'a \\ a\\ b a\\" $A ${A} ${A:-b}
${A:-"} ${A ${A:?} $ $$ # #x && || ; | ( ) { } << <<< <<E <<-E <<'E' <<"E" <<E\\F <<-"E" 3<<E <<E; <<E) <<$A
<<${A} <<${A:-E} <<E"F" <<\\E <<'E F' << <<- 1<<2 $((1<<2)) ["a"] ["a", "b"] [] [1] ["a"] [ "a" , "b" ] ["a",]
['a'] ["\\u0041\\ud800"] [null] [["a"]] {"a":1} [1e999] [{"a":[]}] ["a"]x -- --a --a=b --from=a --from=$A
--chown=1:1 --chmod=755 --link --link=true --link=TRUE --link=no --link= --platform=linux/amd64
--mount=type=cache,target=/c --mount=type=bind,from=a,"target=/b,c" --mount=type=secret --mount=from=$A
--mount=a"b --mount=, --mount --mount= --network=host --network=x --security=insecure --device=a
--device=a=b,required --device=a,b --exclude=*.md --exclude=a --parents --keep-git-dir --checksum=sha256:0
--unpack=false --interval=5s --interval=1 --interval=1.5h3m --timeout=1us --retries=3 --retries=-1 --retries=x
--start-period=0 --start-interval=1ms "--x=a b" --x='a\\ b' --é=ü --x\\ y as AS aS aſ Build build 0b b_c-d.e FROM
RUN none NONE cmd CMD é ü\xa0x \u2003 İ K 日本 \x00 80 80/tcp 53/udp \\ \\\\ ` `` `a '"""
    + "\udcff \udc85 \udca0 \udce2\udc80 \ufeff"
)
KEYWORDS = """\
FROM FROM RUN RUN RUN COPY COPY ADD ENV ENV LABEL ARG CMD ENTRYPOINT EXPOSE VOLUME USER WORKDIR SHELL STOPSIGNAL
HEALTHCHECK MAINTAINER ONBUILD from rUn Copy env WORKDİR WORKDIR FOO ru RUN\\ onbuild""".split()
TOKENS = [t for group in WORDS.split("\n") for t in group.split(" ") if t]
DIRECTIVES = [
    "# escape=`",
    "#escape=\\",
    "# syntax=docker/dockerfile:1",
    "# check=skip=all",
    "# Escape = `  ",
    "  # escape=`",
    "# foo=bar",
    "#!/x",
    "# escape=",
    "# escape=x",
    "#\xa0escape=`",
    "# syntax = a b",
    "#\vescape=`",
    "# escape\v=`",
    "\xa0# escape=`",
    "# check=a b",
    "",
    "# syntax=",
    "# escape=` ",
    "// syntax=a",
]
TAILS = ["\\", "\\", "\\ ", "\\\t", "\\\\", "\\\\\\", "`", "``", " \\", "\\\v", "\\\r", "\\ #"]


def text(rng: random.Random) -> str:
    """One random file, as text in which lone surrogates stand for bytes."""
    newline = "\r\n" if rng.random() < 0.1 else "\n"
    lines: list[str] = []
    if rng.random() < 0.03:
        lines.append("\ufeff" + rng.choice(DIRECTIVES))
    while rng.random() < 0.3:
        lines.append(rng.choice(DIRECTIVES))
    wild = rng.random() < 0.4
    if rng.random() < 0.2:
        lines.append(instruction(rng, "ARG", wild))
    if rng.random() < 0.93:
        lines.append("FROM alpine" + rng.choice(["", "", " AS base", " as B", " \\"]))
    for _ in range(rng.randrange(6)):
        lines += block(rng, wild)
    result = newline.join(lines) + rng.choice([newline, newline, "", "\\", "\n\n", " "])
    return mutated(rng, result) if rng.random() < 0.25 else result


def block(rng: random.Random, wild: bool) -> list[str]:
    kind = rng.random()
    if kind < 0.08:
        return [rng.choice(["# comment", "#", "  # indented", "# check=skip=X", "#\\", "\xa0# c", "# escape=`"])]
    if kind < 0.14:
        return [rng.choice(["", " ", "\t", "\x0c", "\\", " \\", "\xa0", "\x1c"])]
    if kind < 0.3:
        return heredoc(rng)
    return instruction(rng, rng.choice(KEYWORDS), wild).split("\n")


def heredoc(rng: random.Random) -> list[str]:
    name = rng.choice(["E", "EOF", "E F", "a;b", "E)"])
    word = rng.choice(["<<", "<<-", "<< ", "3<<", "<<\t"]) + rng.choice([name, f'"{name}"', f"'{name}'", "\\" + name])
    line = rng.choice(
        ["RUN ", "COPY ", "ADD ", "ONBUILD RUN ", "onbuild copy ", "CMD ", "RUN --network=none ", "COPY --link "]
    )
    line += rng.choice(["", "cat ", "x=1 ", "'a' ", "don't ", '["a"] '])
    line += word + rng.choice(["", " /x", " && b", f" {word} /y", " \\\n  /z", '"'])
    body = [
        rng.choice(["text", "# comment", "\ttabs", "a \\", "FROM x", "", "$A ${A}", "\xa0", "E "])
        for _ in range(rng.randrange(4))
    ]
    ends = [rng.choice([name, name, name, "\t" + name, name + " ", name + "\r"])] if rng.random() < 0.95 else []
    return [*line.split("\n"), *body, *ends, *(ends if line.count("<<") > 1 else [])]


def instruction(rng: random.Random, keyword: str, wild: bool) -> str:
    parts = [keyword]
    if keyword.upper() == "ONBUILD" and rng.random() < 0.9:
        parts.append(rng.choice(KEYWORDS))
    for _ in range(rng.randrange(5)):
        parts.append(rng.choice(TOKENS) if wild else rng.choice(TOKENS[:24] + plausible(keyword)))
    out = rng.choice(["", "", "", " ", "\t", "\xa0"])
    for part in parts:
        out += part + (rng.choice(SPACES) if wild else " ")
        if rng.random() < 0.1:
            out += rng.choice(TAILS if wild else TAILS[:3]) + "\n"
            if rng.random() < 0.3:
                out += rng.choice(["# c\n", "\n", "  # c \\\n", "\t\n", "\xa0\n", "\xa0#\n"])
    return out if rng.random() < 0.5 else out.rstrip(" ")


def plausible(keyword: str) -> list[str]:
    by_keyword = {
        "FROM": ["--platform=linux/amd64", "as", "x", "alpine:3"],
        "RUN": ["--mount=type=cache,target=/c", "--network=none", "make", '["a"]'],
        "COPY": ["--from=base", "--chown=1", "--link", "/d/", '["a", "b"]'],
        "ADD": ["--checksum=sha256:0", "--chmod=755", "http://x/y", "/d/"],
        "HEALTHCHECK": ["--interval=5s", "CMD", "NONE", '["a"]'],
        "SHELL": ['["sh", "-c"]'],
    }
    return by_keyword.get(keyword.upper(), ["A=1", "B='x y'", "c"]) * 5


def mutated(rng: random.Random, value: str) -> str:
    """Insert, delete, double or swap a few characters."""
    chars = list(value)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(chars) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            chars.insert(at, rng.choice("\n\n\\`\"'<-# =$[]{}\r\t\x00\udcc3\udc80\xa0\ufeff"))
        elif kind == 1 and at < len(chars):
            del chars[at]
        elif kind == 2:
            end = min(len(chars), at + rng.randrange(9))
            chars[at:at] = chars[at:end]
        elif at < len(chars):
            other = rng.randrange(len(chars))
            chars[at], chars[other] = chars[other], chars[at]
    return "".join(chars)


def source(seed: int) -> bytes:
    """The file of a seed."""
    return text(random.Random(seed)).encode("utf-8", "surrogateescape")


WORD_PARTS = """\
a b \\ ` " ' $ $A $B ${A} ${B:-x} ${A:+y} ${A-z} ${U?m} ${U:?} ${A#a*} ${A##*a} ${A%?} ${A%%a*} ${A/a/b}
${A//a/$0} ${ } { : / < << * ? \\* \\} \\/ ${A:x} ${A!} ${} ${:} $1 $10 $@ é ü $é ${U} ${A#"*"} ${A//"\\"/x}
${A/\\//_} ${C//*/[$0]} ${C#*\\\\} ${A//\\q/x} ${A#'\\'} \\" \\$A [ ] . + ^ | ( ) ${D##*/} ${D%/*} ${D//\\//-}""".split()
WORD_PARTS += [" ", "\t", "\n", "\xa0", "\ufeff", "\udcff"]
VALUES = ["", "a", "aba", "a b", "a\nb", "x\\y", "$0", "é*?", "a/b/c", "[.]", "aaaa"]


def word(rng: random.Random) -> str:
    """One random word for expansion."""
    return "".join(rng.choice(WORD_PARTS) for _ in range(rng.randrange(1, 8)))


def environment(rng: random.Random) -> dict[str, str]:
    """Values for some of the variables that words use."""
    return {name: rng.choice(VALUES) for name in ("A", "B", "C", "D", "é", "1", "@") if rng.random() < 0.7}


MOUNT_KEYS = """type type type type from source src target dst destination readonly ro readwrite rw id sharing required size mode
uid gid env TYPE Target tpye unknown""".split()
MOUNT_VALUES = """bind cache tmpfs secret ssh Cache /c a/b true false 1 T yes private locked SHARED none 0755 9 4294967296 -1 1g 1.5KiB x
$A ${A} é a=b""".split()


def mount(rng: random.Random) -> str:
    """One random value of a --mount flag."""
    fields = []
    for _ in range(rng.randrange(6)):
        key = rng.choice(MOUNT_KEYS)
        plausible = {
            "type": ["bind", "cache", "tmpfs", "secret", "ssh"],
            "sharing": ["private", "shared", "locked"],
            "required": ["true", "0"],
            "readonly": ["true", "FALSE"],
            "mode": ["0755"],
            "size": ["64m", "1.5GiB"],
        }
        field = f"{key}={rng.choice(plausible.get(key, MOUNT_VALUES) if rng.random() < 0.7 else MOUNT_VALUES)}"
        field = rng.choice([field] * 12 + [key, f'"{field}"', f'"{field},x"', f'{field}"', f'"{field}""y"', ""])
        fields.append(field)
    return ",".join(fields)
