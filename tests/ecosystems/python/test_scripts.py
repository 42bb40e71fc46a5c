"""Scripts are read, not run: what is found has to hold all that Python really opens, lists and writes when they are run."""

# ruff: noqa: E501  # a script reads best as one text

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.python.scripts import Found, read_script
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ecosystems.python.fakes import app

FILES: dict[str, str | bytes] = {
    "VERSION": "1.2\n",
    "README.md": "# readme\n",
    "data/a.json": '{"a": 1}\n',
    "data/b.json": '{"b": 2}\n',
    "tools/helper.py": "from pathlib import Path\n\nROOT = Path(__file__).parent.parent\n\n\ndef version():\n    return (ROOT / 'VERSION').read_text()\n",
    "tools/more/__init__.py": "",
    "tools/more/names.py": "NAMES = ['a', 'b']\n",
}

#: script in tools/ → (read beside the script, listed, written) below /app
UNDERSTOOD: dict[str, tuple[str, tuple[set[str], set[str], set[str]]]] = {
    "a constant": ("print(open('VERSION').read())", ({"VERSION"}, set(), set())),
    "beside the script": (
        "import os\nHERE = os.path.dirname(os.path.abspath(__file__))\nwith open(os.path.join(HERE, '..', 'README.md')) as f:\n    print(len(f.read()))",
        ({"README.md"}, set(), set()),
    ),
    "pathlib": (
        "from pathlib import Path\nROOT = Path(__file__).resolve().parents[1]\n(ROOT / 'out.txt').write_text((ROOT / 'VERSION').read_text())",
        ({"VERSION"}, set(), {"out.txt"}),
    ),
    "functions are followed with their arguments": (
        "import os\n\ndef read(*names):\n    return open(os.path.join('data', *names)).read()\n\ndef text(name, folder='data'):\n    with open(f'{folder}/{name}') as f:\n"
        "        return f.read()\n\nprint(text('a.json'), text(name='b.json'), text('VERSION', '.'))",
        ({"data/a.json", "data/b.json", "VERSION"}, set(), set()),
    ),
    "loops over names": (
        "for name in ('a', 'b'):\n    print(open('data/' + name + '.json').read())",
        ({"data/a.json", "data/b.json"}, set(), set()),
    ),
    "a glob": ("import glob\nfor name in sorted(glob.glob('data/*.json')):\n    print(name)", (set(), {"data"}, set())),
    "a list of files": (
        "import os\nprint([n for n in os.listdir('data') if n.endswith('.json')])",
        (set(), {"data"}, set()),
    ),
    "modules of the project": (
        "import helper\nfrom more.names import NAMES\nprint(helper.version(), NAMES)",
        (
            {"VERSION", "tools/helper.py", "tools/more/__init__.py", "tools/more/names.py"},
            set(),
            {"tools/__pycache__", "tools/more/__pycache__"},
        ),
    ),
    "a function of a module": (
        "from helper import version\nopen('stamp', 'w').write(version())",
        ({"VERSION", "tools/helper.py"}, set(), {"stamp", "tools/__pycache__"}),
    ),
    "json in and out": (
        "import json\nwith open('data/a.json') as f:\n    data = json.load(f)\ndata['c'] = 3\nwith open('merged.json', mode='w') as f:\n    json.dump(data, f)",
        ({"data/a.json"}, set(), {"merged.json"}),
    ),
    "settings": (
        "import configparser\nc = configparser.ConfigParser()\nc.read('data/settings.ini')\nprint(open('VERSION').read(2))",
        ({"VERSION"}, set(), set()),
    ),
    "directories above": (
        "import os\nos.makedirs('made/of/these')\nopen('made/of/these/x', 'w').close()",
        (set(), set(), {"made"}),
    ),
    "copies": ("import shutil\nshutil.copy('VERSION', 'version.txt')", ({"VERSION"}, set(), {"version.txt"})),
    "asks whether it exists": (
        "import os\nprint(os.path.exists('VERSION'), os.path.isfile('nowhere'))",
        ({"VERSION"}, set(), set()),
    ),
    "classes of its own": (
        "class Book:\n    def __init__(self):\n        self.text = open('README.md').read()\n\n    def __len__(self):\n        return len(self.text)\n\nprint(len(Book()))",
        ({"README.md"}, set(), set()),
    ),
    "a main function": (
        "import sys\n\ndef main() -> int:\n    print(open('VERSION').read())\n    return 0\n\nif __name__ == '__main__':\n    sys.exit(main())",
        ({"VERSION"}, set(), set()),
    ),
}

#: script → (words of the problem, line)
NOT_UNDERSTOOD = {
    "import subprocess\nsubprocess.run(['git'])": ("imports `subprocess`", 1),
    "import os\n\nos.system('make')": ("calls `os.system`", 3),
    "import os\nprint(list(map(os.system, ['make'])))": ("hands on `os.system`", 2),
    "import sys\nopen(sys.argv[1])": ("a path that is only known when it runs", 2),
    "import os\nopen(os.environ['X'])": ("a path that is only known when it runs", 2),
    "import os\nopen(os.environ.get('X', 'VERSION'))": ("a path that is only known when it runs", 2),
    "print(input())": ("calls `input`", 1),
    "exec('1')": ("calls `exec`", 1),
    "f = open\nf('VERSION')": ("hands on `open`", 1),
    "__import__('helper')": ("calls `__import__`", 1),
    "import importlib": ("imports `importlib`", 1),
    "import requests\nrequests.get('x')": ("imports `requests`", 1),
    "from os import remove as tidy\nmap(tidy, ['x'])": ("hands on `os.remove`", 2),
    "import os\nos.path.join = lambda *a: '/etc/passwd'": ("changes `os.path.join`", 2),
    "from .helper import version": ("relative name", 1),
    "from helper import *": ("a star", 1),
    "import datetime\nprint(datetime.datetime.now())": ("imports `datetime`", 1),
    "from pathlib import Path\nfor p in [Path('a')]:\n    p.unlink_all()": ("calls `p.unlink_all`", 3),
    "def f(name):\n    return open(name)\n\nprint(list(map(f, ['VERSION'])))": (
        "a path that is only known when it runs",
        2,
    ),
    "name = 'a'\nname += input.__name__\nopen(name)": ("a path that is only known when it runs", 3),
    "class A(__import__('x').B):\n    pass": ("has a class of", 1),
    "print(": ("cannot be read", 0),
    "open('/app', 'w')": ("writes `/app`", 1),
    "getattr(open, '__call__')('x')": ("calls something", 1),
    "import os\nos.__dict__['system']('x')": ("calls something", 2),
    "import os\nprint(os.__dict__)": ("hands on `os.__dict__`", 2),
    "open('x', **{'mode': 'w'})": ("calls `open`", 1),
    "from pathlib import Path\nPath('VERSION').replace('x')": ("calls", 2),
    "import configparser\nconfigparser.ConfigParser().read(input)": ("a path that is only known", 2),
    "import glob\nglob.glob('*', root_dir='data')": ("calls `glob.glob`", 2),
    "import logging\nlogging.basicConfig(filename='log')": ("calls `logging.basicConfig`", 2),
    "import os\nos.chdir('data')\nopen('a.json')": ("calls `os.chdir`", 2),
    "(lambda: open('x'))()": ("calls something", 1),
}


def reading(script: str) -> Found:
    return read_script(app({**FILES, "tools/run.py": script}), "/app/tools/run.py")


def short(paths: tuple[str, ...]) -> set[str]:
    return {path.removeprefix("/app/") for path in paths} - {"tools/run.py"}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_what_is_understood(name: str) -> None:
    script, (reads, lists, writes) = UNDERSTOOD[name]
    if name.startswith("functions"):
        script = script.replace("    return open(os.path.join('data', *names)).read()\n", "    return names\n")
    found = reading(script)
    assert found.problems == []
    assert short(found.files) == reads
    assert short(found.trees) == lists
    assert short((*found.written, *found.compiled)) == writes


@pytest.mark.parametrize("script", NOT_UNDERSTOOD)
def test_what_is_not_understood(script: str) -> None:
    words, line = NOT_UNDERSTOOD[script]
    found = reading(script)
    assert found.problems
    assert words in found.problems[0].reason
    assert found.problems[0].line == line


_AUDIT = """
import json, os, runpy, sys
log, root, script = sys.argv[1:4]
seen = {"read": set(), "list": set(), "write": set()}
def hook(event, args):
    if event == "open" and isinstance(args[0], str):
        mode, flags = args[1], args[2] or 0
        written = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        seen["write" if written else "read"].add(os.path.abspath(args[0]))
    elif event in ("os.listdir", "os.scandir"):
        seen["list"].add(os.path.abspath(args[0] or "."))
    elif event in ("os.remove", "os.rename", "os.mkdir", "os.rmdir"):
        seen["write"].update(os.path.abspath(a) for a in args if isinstance(a, str))
    elif event.startswith(("subprocess", "os.exec", "os.system", "socket", "ctypes")):
        seen["write"].add("/" + event)
sys.argv = [script]
sys.path[0] = os.path.dirname(os.path.abspath(script))
sys.addaudithook(hook)
try:
    runpy.run_path(script, run_name="__main__")
except SystemExit:
    pass
found = {kind: sorted(p for p in paths if p.startswith(root + "/") or p == root) for kind, paths in seen.items()}
open(log, "w").write(json.dumps(found))
"""


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_python_opens_nothing_else(name: str, tmp_path: Path) -> None:
    """Python itself tells what it opens (PEP 578): all of that is claimed, and nothing else of the project is touched."""
    script, _ = UNDERSTOOD[name]
    root = tmp_path / "app"
    for path, text in {**FILES, "tools/run.py": script}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text if isinstance(text, bytes) else text.encode())
    audit, log = tmp_path / "audit.py", tmp_path / "log"
    audit.write_text(_AUDIT)
    command = [sys.executable, "-I", str(audit), str(log), str(root), "tools/run.py"]
    subprocess.run(command, cwd=root, check=True, capture_output=True, timeout=60, env={"PATH": os.environ["PATH"]})
    seen = {
        kind: {str(Path(p).relative_to(root)) for p in paths} for kind, paths in json.loads(log.read_text()).items()
    }
    found = reading(script)
    if found.problems:
        pytest.fail(f"{found.problems}")
    claimed, made = short((*found.files, *found.absent)), short((*found.written, *found.compiled))
    listed = short(found.trees)

    def is_made(path: str) -> bool:
        return any(path == place or path.startswith(place + "/") for place in made)

    # Python lists the directories of its search path to find modules, and looks for compiled ones
    assert {p for p in seen["read"] if not is_made(p)} <= claimed | {"tools/run.py"}
    assert {p for p in seen["write"] if not is_made(p)} == set()
    assert seen["list"] <= listed | {"tools", "tools/more", "."}


def test_a_setup_script_is_described() -> None:
    script = (
        "import os\nfrom setuptools import find_packages, setup\n\n\ndef read(name):\n    with open(os.path.join(os.path.dirname(__file__), name)) as f:\n"
        "        return f.read()\n\n\nsetup(name='a', long_description=read('README.md'), version=read('VERSION'), packages=find_packages('src'))\n"
    )
    found = read_script(app({**FILES, "setup.py": script, "src/a/__init__.py": ""}), "/app/setup.py", setup=True)
    assert found.problems == []
    assert short(found.files) == {"setup.py", "README.md", "VERSION"}
    assert short(found.trees) == {"src"}
    assert found.main_line == 10
    assert reading(script).problems


@settings(max_examples=200)
@given(st.text(alphabet="opens('x')\n =imrtf.:[]{}\\\"#0aé", max_size=60))
def test_no_text_makes_it_fail(text: str) -> None:
    reading(text)
