"""What the sources of a project are taken to say: places that are spelled out are known, all others are questions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dockopt.optimizer.model import FrozenContext
from dockopt.optimizer.running.languages import LANGUAGES
from dockopt.optimizer.running.sources import SourceFacts, read_sources


class Sources:
    """A context of files in memory."""

    def __init__(self, **files: str) -> None:
        self.files = {name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()}

    def walk(self, rel: str, *, limit: int) -> Iterator[str]:
        assert not rel
        return iter(self.files)

    def read(self, rel: str) -> bytes:
        return self.files[rel].encode()


VARIABLES = {"DATA_DIR": "/data"}


def facts(language: str, **files: str) -> SourceFacts:
    return read_sources(FrozenContext(Sources(**files)), LANGUAGES[language], VARIABLES.get)  # type: ignore[arg-type]


def written(language: str, text: str) -> list[tuple[str, bool] | None]:
    name = {"Go": "main_dot_go", "Node": "a_dot_js", "Python": "a_dot_py", "Java": "A_dot_java"}[language]
    return [
        found.place if found.place is None else tuple(found.place) for found in facts(language, **{name: text}).writes
    ]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("Go", 'os.WriteFile("data/x", b, 0o644)', [("data/x", False)]),
        ("Go", 'os.MkdirAll("/srv/app", 0o755)', [("/srv/app", True)]),
        ("Go", 'os.Create(os.Getenv("DATA_DIR"))', [("/data", False)]),
        ("Go", 'dir := os.Getenv("DATA_DIR")\nos.Create(filepath.Join(dir, name))', [("/data", True)]),
        ("Go", 'os.Create(os.Getenv("OTHER"))', [None]),
        ("Go", "os.Create(path)", [None]),
        ("Go", 'dir := "/a"\ndir = "/b"\nos.Create(dir)', [None]),
        ("Go", 'os.Create("/data/" + name)', [None]),
        ("Go", 'os.OpenFile(fmt.Sprintf("/x/%s", n), f, 0)', [None]),
        ("Go", "db.Create(&user)", []),
        ("Go", "// os.Create(path)", []),
        ("Go", "dir, _ := os.UserCacheDir()", [None]),
        ("Go", 'net.Listen("unix", path)', [None]),
        ("Node", 'fs.writeFileSync("log.txt", text)', [("log.txt", False)]),
        ("Node", 'const dir = process.env.DIR || "/srv/x";\nfs.mkdirSync(dir)', [("/srv/x", True)]),
        ("Node", "const dir = process.env.DATA_DIR;\nfs.createWriteStream(path.join(dir, name))", [("/data", True)]),
        ("Node", "const { writeFile: save } = fs", [None]),
        ("Node", 'fs.mkdirSync(path.join(__dirname, "x"))', [None]),
        ("Node", "fs.readFileSync(name)", []),
        ("Python", 'open("out.txt", "w")', [("out.txt", False)]),
        ("Python", 'os.makedirs(os.environ.get("OUT", "/srv/out"))', [("/srv/out", True)]),
        ("Python", 'open(name, "a")', [None]),
        ("Python", "open(name, mode=m)", [None]),
        ("Python", 'open("settings.json")', []),
        ("Python", 'open("settings.json", "rb")', []),
        ("Python", "Path(name).write_text(text)", [None]),
        ("Python", "shutil.copy(a, b)", [None]),
        ("Python", 'text.replace("a", "b")', []),
        ("Java", "new FileWriter(name)", [None]),
        ("Java", 'Files.readString(Path.of("x"))', []),
    ],
)
def test_places(language: str, text: str, expected: list[tuple[str, bool] | None]) -> None:
    assert written(language, text + "\n") == expected


@pytest.mark.parametrize(
    ("language", "name", "text", "port"),
    [
        ("Go", "main_dot_go", 'http.ListenAndServe(":80", nil)', 80),
        ("Go", "main_dot_go", 'http.ListenAndServe("127.0.0.1:443", nil)', 443),
        ("Go", "main_dot_go", 'http.ListenAndServe(":8080", nil)', None),
        ("Node", "a_dot_js", "server.listen(80)", 80),
        ("Node", "a_dot_js", "server.listen(process.env.PORT || 80)", 80),
        ("Node", "a_dot_js", "const PORT = process.env.PORT || 80;", 80),
        ("Python", "a_dot_py", 'app.run(host="0.0.0.0", port=80)', 80),
    ],
)
def test_ports(language: str, name: str, text: str, port: int | None) -> None:
    assert [number for number, _ in facts(language, **{name: text}).ports] == ([] if port is None else [port])


def test_tests_and_packages_are_not_what_runs() -> None:
    text = "os.Create(path)\n"
    assert not facts("Go", main_test_dot_go=text, vendor__x_dot_go=text, internal__testdata__x_dot_go=text).writes
    assert facts("Go", cmd__main_dot_go=text).writes


def test_what_needs_root_and_what_keeps_files() -> None:
    found = facts(
        "Go",
        go_dot_mod="require go.etcd.io/bbolt v1.3.0\n",
        main_dot_go='x("/var/run/docker.sock")\nexec.Command("ls")\n',
    )
    assert [(f.text, f.file, f.line) for f in found.root] == [("docker.sock", "main.go", 1)]
    assert [(f.text, f.line) for f in found.starts] == [("exec.Command", 2)]
    assert [(f.text, f.file) for f in found.keepers] == [("etcd.io/bbolt", "go.mod")]


def test_a_context_that_cannot_be_listed_says_so() -> None:
    assert read_sources(FrozenContext(None), LANGUAGES["Go"], VARIABLES.get).unread is not None
