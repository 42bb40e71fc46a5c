"""Command lines of Python's package managers: what they read of a project, and why some are not understood."""

from __future__ import annotations

import json

import pytest
from dockopt.optimizer.ecosystems.environment import named_in_project
from dockopt.optimizer.ecosystems.python.building import project_build
from dockopt.optimizer.ecosystems.python.surroundings import place_of
from dockopt.optimizer.effects import World

from tests.ecosystems.python.fakes import PYTHON, Image, app, effects, obstacle, step

LIST = {"requirements.txt": "flask==3.0.3\n"}
POETRY = '[tool.poetry]\nname = "a"\nversion = "1"\n'
PROJECT = '[project]\nname = "a"\nversion = "1"\n'
BUILD = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
UV_LOCK = 'version = 1\n[[package]]\nname = "a"\nsource = { virtual = "." }\n'
PIPFILE = {"Pipfile": '[packages]\nflask = "*"\n', "Pipfile.lock": '{"default": {}}'}


def files_of(line: str, image: Image) -> list[str]:
    return [path.removeprefix("/app/") for path in step(line, image).files]


@pytest.mark.parametrize(
    "line",
    [
        "pip install -r requirements.txt",
        "pip3 install --no-cache-dir -rrequirements.txt",
        "pip3.12 install -U --requirement=requirements.txt",
        "/opt/venv/bin/pip install -r /app/requirements.txt",
        "python -m pip install -r requirements.txt",
        "python3.12 -I -m pip -q install -r requirements.txt",
        "pip wheel -r requirements.txt -w /wheels",
        "pip download -r requirements.txt -d /wheels",
        "uv pip install --system -r requirements.txt",
        "uv pip sync requirements.txt --python /opt/venv/bin/python",
        'pip install ?"gunicorn==$VERSION" -r requirements.txt',
    ],
)
def test_installations_by_a_list(line: str) -> None:
    found = step(line, app(LIST))
    assert found.files == ("/app/requirements.txt",)
    assert found.install
    assert found.world is World.REPOSITORY
    known = effects(line, app(LIST))
    assert known.unknown is None
    assert not known.reads.covers(known.reads.minus()) or known.reads.exclude == ("/app",)


@pytest.mark.parametrize(
    "line",
    [
        "pip install --upgrade pip setuptools wheel",
        "pip install flask==3.0.3",
        "pip install /wheels/a-1.whl",
        "pip uninstall -y wheel",
        "pip config set global.index-url https://example.org/simple",
        "pip cache purge",
        "pip --version",
        "python --version",
        "python -m venv /opt/venv",
        "virtualenv /opt/venv",
        "poetry config virtualenvs.create false",
        "poetry --version",
        "uv tool install ruff",
        "uv python install 3.12",
        "uv venv /opt/venv",
        "conda install -y -n base -c conda-forge numpy",
        "micromamba install -y -n base numpy",
        "conda clean -afy",
        "python -m compileall -q lib",
    ],
)
def test_commands_that_install_nothing_of_the_project(line: str) -> None:
    found = step(line, app({"lib/a.py": ""}))
    assert not found.install
    assert effects(line, app({"lib/a.py": ""})).unknown is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pip install ?$PACKAGES", "not known before the build"),
        ("pip install ?flask==$VERSION", "write it in double quotes"),
        ("pip install -r ?$LIST", "not known before the build"),
        ("pip install --frobnicate", "not modelled"),
        ("pip install --src /x -r requirements.txt", "`--src` is not modelled"),
        ("pip install .", "builds the project in `/app` itself"),
        ("pip install -e lib", "runs `setup.py`"),
        ("pip install -r requirements.txt -t .", "among the files of the project"),
        ("pip install ?dist/*.whl", "not known before the build"),
        ("pip hash x", "no model"),
        ("pip config set global.constraint /app/c.txt", "may lead pip to other files"),
        ("python", "not known before the build"),
        ("python -c pass", "its own text"),
        ("python -m flask run", "no model of `python -m flask`"),
        ("python manage.py migrate", "load the whole project"),
        ("python setup.py develop", "builds the project in"),
        ("python -m venv .", "among the files of the project"),
        ("./pip install x", "which environment"),
        ("bin/pip install x", "among the files of the project"),
        ("uv run app", "runs a program of the project"),
        ("uv lock", "writes the lock file anew"),
        ("uv --project lib sync", "another directory"),
        ("poetry update", "writes the lock file anew"),
        ("poetry -C lib install", "another directory"),
        ("poetry install", "there is no `/app/pyproject.toml`"),
        ("pipenv install flask", "changes the Pipfile"),
        ("pdm add flask", "no model"),
        ("conda create -p /app/env", "lies in the project"),
        ("conda env create -f packages.txt", "not modelled"),
        ("conda run x", "no model"),
        ("hatch build", "builds or runs the project itself"),
        ("tox", "builds or runs the project itself"),
    ],
)
def test_what_is_not_understood(line: str, words: str) -> None:
    found = effects(line, app({**LIST, "lib/setup.py": "from setuptools import setup\nsetup()\n"}))
    assert found.unknown is not None
    assert words in found.unknown


# -- the place -------------------------------------------------------------------------------------------------------


def test_an_environment_in_the_project_is_read_and_written() -> None:
    image = app(LIST, environment={"PATH": "/app/.venv/bin:/usr/bin"}, unknown=frozenset({"/app/.venv/bin/pip"}))
    assert place_of(image, "pip").inside == ("/app/.venv",)
    found = effects("pip install -r requirements.txt", image)
    assert found.trees == ("/app/.venv",)
    assert "may /app/.venv" in [f"{write.kind.value} {write.region}" for write in found.writes]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"environment": {"PATH": "bin:/usr/bin"}}, "depends on the working directory"),
        ({"environment": {**PYTHON, "HOME": "/app"}}, "lies in the project"),
        ({"environment": {**PYTHON, "PYTHONHOME": "/x"}}, "PYTHONHOME"),
        ({"environment": {**PYTHON, "PIP_TARGET": "/x"}}, "`PIP_TARGET` names files"),
        (
            {"environment": {**PYTHON, "PIP_CONFIG_FILE": "/app/pip.conf"}},
            "`PIP_CONFIG_FILE` leads it to `/app/pip.conf`",
        ),
        ({"environment": {**PYTHON, "PIP_constraint": "/x"}}, "`PIP_constraint` names files"),
        (
            {"environment": {**PYTHON, "REQUESTS_CA_BUNDLE": "/app/ca.pem"}},
            "`REQUESTS_CA_BUNDLE` leads it to `/app/ca.pem`",
        ),
        ({"environment": {**PYTHON, "PIP_EXTRA_INDEX_URL": "https://a file:///app/w"}}, "leads it to `/app/w`"),
        ({"environment": {**PYTHON, "CFLAGS": "-O2 -I/app/include"}}, "leads it to `/app/include`"),
        ({"environment": {**PYTHON, "SSL_CERT_FILE": "requirements.txt"}}, "leads it to `/app/requirements.txt`"),
        ({"environment": {**PYTHON, "PIP_CACHE_DIR": "/app/cache"}}, "among the files of the project"),
        ({"user": "app"}, "the home directory of the user `app`"),
        ({"cwd": None}, "working directory"),
        ({"unknown": frozenset({"/app/setup.cfg"})}, "it is not certain whether `/app/setup.cfg` exists"),
    ],
)
def test_places_that_are_not_known(changes: dict[str, object], words: str) -> None:
    assert words in obstacle("pip install -r requirements.txt", app(LIST, **changes))[0]


@pytest.mark.parametrize(
    ("made", "home"),
    [
        (("useradd", "-m", "app"), "/home/app"),
        (("useradd", "--system", "app"), "/home/app"),
        (("useradd", "-d", "/srv/app", "app"), "/srv/app"),
        (("useradd", "--home-dir=/srv/app", "app"), "/srv/app"),
        (("adduser", "-D", "app"), "/home/app"),
        (("adduser", "--system", "app"), None),
        (("useradd", "-b", "/x", "app"), None),
        (("useradd", "other"), None),
    ],
)
def test_the_home_of_an_account_that_the_dockerfile_makes(made: tuple[str, ...], home: str | None) -> None:
    image = app(LIST, user="app", before=(made,))
    if home is None:
        assert "home directory" in obstacle("pip install flask", image)[0]
    else:
        assert place_of(image, "pip").home == home


def test_modules_that_hide_the_library() -> None:
    image = app({**LIST, "logging.py": ""})
    assert obstacle("python -m pip install -r requirements.txt", image)[1] == "/app/logging.py"
    assert step("python -P -m pip install -r requirements.txt", image).install
    assert step("pip install -r requirements.txt", image).install


# -- Poetry, uv, PDM, Pipenv, conda ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "module", "searched"),
    [
        ("enum.py", True, True),
        ("pip/__init__.py", True, True),
        ("email/__init__.py", False, True),
        ("sitecustomize.py", True, False),
        ("sitecustomize.py", False, True),
        ("six.egg-info/PKG-INFO", True, False),
        ("six.egg-info/PKG-INFO", False, True),
        ("email/readme.md", True, False),
        ("test/__init__.py", False, False),
        ("six.py", False, False),
    ],
)
def test_what_python_finds_in_the_project(path: str, module: bool, searched: bool) -> None:
    environment = PYTHON if module else {**PYTHON, "PYTHONPATH": "/app"}
    line = "python -m pip install -r requirements.txt" if module else "pip install -r requirements.txt"
    image = app({**LIST, path: ""}, environment=environment)
    assert (effects(line, image).unknown is not None) is searched


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("/app/certs/ca.pem", True),
        ("/app", True),
        ("/srv/app/ca.pem", False),
        ("/application/ca.pem", False),
        ("https://example.org/app/simple", False),
        ("Europe/Berlin", False),
        ("", False),
    ],
)
def test_values_that_name_files_of_the_project(value: str, named: bool) -> None:
    image = app(LIST, environment={**PYTHON, "SSL_CERT_FILE": value})
    assert (effects("pip install -r requirements.txt", image).unknown is not None) is named


def test_an_index_may_be_a_build_argument_but_a_list_may_not() -> None:
    line = "pip install -r requirements.txt"
    assert effects(line, app(LIST, environment={**PYTHON, "PIP_INDEX_URL": None})).unknown is None
    assert not named_in_project(app(LIST, environment={"PIP_INDEX_URL": None}), ("PIP_*",))


def test_poetry() -> None:
    files = {"pyproject.toml": POETRY, "poetry.lock": "package = []\n"}
    assert files_of("poetry install --no-root", app(files)) == ["pyproject.toml", "poetry.lock"]
    assert files_of("poetry install --only dev", app(files)) == ["pyproject.toml", "poetry.lock"]
    local = {**files, "poetry.toml": "[virtualenvs]\nin-project = true\n"}
    assert files_of("poetry sync --no-root", app(local)) == ["pyproject.toml", "poetry.lock", "poetry.toml"]
    assert step("poetry sync --no-root", app(local)).outputs == ("/app/.venv",)
    configured = app(files, before=(("poetry", "config", "virtualenvs.in-project", "true"),))
    assert step("poetry install --no-root", configured).outputs == ("/app/.venv",)
    assert "may exist" in obstacle("poetry install --no-root", app({**files, ".venv/pyvenv.cfg": ""}))[0]


@pytest.mark.parametrize(
    ("line", "files", "words", "place"),
    [
        ("poetry install", {"pyproject.toml": POETRY, "poetry.lock": ""}, "`poetry install --no-root` above", ("pyproject.toml", 1)),
        ("poetry install --only main", {"pyproject.toml": POETRY, "poetry.lock": ""}, "installs the project itself", ("pyproject.toml", 1)),
        ("poetry install --no-root", {"pyproject.toml": POETRY}, "there is no `poetry.lock`", ("pyproject.toml", 0)),
        ("poetry install --no-root", {"pyproject.toml": POETRY, "poetry.lock": "x ="}, "it is no TOML", ("poetry.lock", 0)),
        (
            "poetry install --no-root",
            {"pyproject.toml": POETRY, "poetry.lock": '[[package]]\nname = "b"\n[package.source]\ntype = "directory"\nurl = "lib"\n'},
            "the package `b` lies at `lib`",
            ("poetry.lock", 5),
        ),
        ("poetry install --no-root", {"pyproject.toml": "tool = 1\n", "poetry.lock": ""}, "`tool` is no table", ("pyproject.toml", 1)),
        ("uv sync --frozen", {"pyproject.toml": PROJECT + BUILD, "uv.lock": UV_LOCK}, "--no-install-project", ("pyproject.toml", 4)),
        ("uv sync", {"pyproject.toml": PROJECT}, "there is no `uv.lock`", ("pyproject.toml", 0)),
        ("uv sync --frozen", {"pyproject.toml": PROJECT}, "there is no `uv.lock`", ("pyproject.toml", 0)),
        (
            "uv sync --no-install-project",
            {"pyproject.toml": '[project]\nname = "a"\ndynamic = ["version"]\n' + BUILD, "uv.lock": UV_LOCK},
            "uv asks the build system for `version`",
            ("pyproject.toml", 3),
        ),
        (
            "uv sync --frozen",
            {"pyproject.toml": PROJECT, "uv.lock": UV_LOCK + '[[package]]\nname = "b"\nsource = { editable = "libs/b" }\n'},
            "the package `b` lies at `libs/b`",
            ("uv.lock", 7),
        ),
        ("uv sync --frozen", {"pyproject.toml": PROJECT + "[tool.uv.workspace]\n", "uv.lock": UV_LOCK}, "workspace", ("pyproject.toml", 4)),
        ("pdm install", {"pyproject.toml": PROJECT + BUILD, "pdm.lock": ""}, "`pdm install --no-self` above", ("pyproject.toml", 4)),
        ("pdm sync --no-self", {"pyproject.toml": PROJECT}, "there is no `pdm.lock`", ("pyproject.toml", 0)),
        ("pipenv sync --system", {**PIPFILE, "Pipfile.lock": "[]"}, "is no object", ("Pipfile.lock", 0)),
        ("pipenv sync --system", {**PIPFILE, "Pipfile.lock": "{"}, "is no JSON", ("Pipfile.lock", 0)),
        (
            "pipenv install --system",
            {**PIPFILE, "Pipfile": '[packages]\nb = {path = "./b", editable = true}\n'},
            "the package `b` lies at `./b`",
            ("Pipfile", 2),
        ),
        (
            "pdm sync --no-self",
            {"pyproject.toml": PROJECT + '[tool.pdm.scripts]\npost_install = "make"\n', "pdm.lock": ""},
            "runs the script `post_install`",
            ("pyproject.toml", 5),
        ),
        (
            "poetry install --no-root",
            {"pyproject.toml": POETRY + '[tool.poetry.requires-plugins]\nx = "*"\n', "poetry.lock": ""},
            "installed into `.poetry`",
            ("pyproject.toml", 4),
        ),
        ("conda env create", {"environment.yml": "dependencies: [\n"}, "is no YAML", ("environment.yml", 2)),
        ("conda env create", {"environment.yml": "- a\n"}, "is no environment file", ("environment.yml", 0)),
        ("conda env create", {"environment.yml": "dependencies:\n- pip:\n  - -e .\n"}, "the project itself", ("environment.yml", 0)),
        ("conda env create", {"environment.yml": "dependencies:\n- pip: 3\n"}, "is not understood", ("environment.yml", 0)),
    ],
)  # fmt: skip
def test_why_not(line: str, files: dict[str, str | bytes], words: str, place: tuple[str, int]) -> None:
    reason, path, number = obstacle(line, app(files))
    assert words in reason
    assert (path.removeprefix("/app/"), number) == place


def test_uv() -> None:
    files = {"pyproject.toml": PROJECT, "uv.lock": UV_LOCK, ".python-version": "3.12\n"}
    found = step("uv sync --locked", app(files))
    assert [path.removeprefix("/app/") for path in found.files] == ["pyproject.toml", "uv.lock", ".python-version"]
    assert found.outputs == ("/app/.venv",)
    outside = app(files, environment={**PYTHON, "UV_PROJECT_ENVIRONMENT": "/opt/venv"})
    assert step("uv sync --locked", outside).outputs == ()
    nested = app({f"sub/{name}": text for name, text in files.items()}, cwd="/app/sub")
    assert "/app/pyproject.toml" in step("uv sync --frozen", nested).absent


def test_pdm_and_pipenv_and_conda() -> None:
    assert files_of("pdm sync --no-self", app({"pyproject.toml": PROJECT, "pdm.lock": ""})) == [
        "pyproject.toml",
        "pdm.lock",
    ]
    assert files_of("pipenv install --deploy --system", app(PIPFILE)) == ["Pipfile", "Pipfile.lock"]
    assert files_of("pipenv sync --system", app({**PIPFILE, ".env": "A=1\n"}))[-1] == ".env"
    assert step("pipenv sync", app(PIPFILE, environment={**PYTHON, "PIPENV_VENV_IN_PROJECT": "1"})).outputs == (
        "/app/.venv",
    )
    environment = {"environment.yml": "dependencies:\n- numpy\n- pip:\n  - -r more.txt\n", "more.txt": "idna\n"}
    assert files_of("micromamba install -y -f environment.yml", app(environment)) == ["environment.yml", "more.txt"]


def test_groups() -> None:
    groups = '[dependency-groups]\nbase = ["a"]\nall = [{include-group = "Base"}, "./lib"]\nloop = [{include-group = "loop"}]\nodd = [1]\n'
    assert files_of("pip install --group base", app({"pyproject.toml": groups})) == ["pyproject.toml"]
    for name, words in {
        "none": "there is no dependency group",
        "loop": "includes itself",
        "odd": "not understood",
    }.items():
        assert words in obstacle(f"pip install --group {name}", app({"pyproject.toml": groups}))[0]


@pytest.mark.parametrize("lock", ["poetry.lock", "uv.lock", "pdm.lock"])
def test_lock_files_of_wrong_shapes(lock: str) -> None:
    """They end in an obstacle or in a known command, never in an exception."""
    line = {"poetry.lock": "poetry install --no-root", "uv.lock": "uv sync --frozen", "pdm.lock": "pdm sync --no-self"}[
        lock
    ]
    for text in (
        "package = 1\n",
        "package = [1]\n",
        "[[package]]\nname = 3\nsource = 4\n",
        "[package]\n",
        "package = [[]]\n",
    ):
        assert effects(line, app({"pyproject.toml": PROJECT, lock: text})) is not None
    for data in ({"default": []}, {"default": {"a": 1}}, {"default": {"a": {"path": 3}}}, {"_meta": 1}):
        assert effects("pipenv sync --system", app({**PIPFILE, "Pipfile.lock": json.dumps(data)})) is not None


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"pyproject.toml": PROJECT + BUILD}, "with `hatchling`, which reads all of its sources;"),
        ({"pyproject.toml": PROJECT + 'readme = "README.md"\n' + BUILD}, "and `README.md`"),
        ({"pyproject.toml": PROJECT}, "with `setuptools`"),
        (
            {"pyproject.toml": PROJECT + '[build-system]\nrequires = ["setuptools_scm[toml]>=8"]\n'},
            "the git history (`setuptools-scm`)",
        ),
        ({"setup.py": "from setuptools import setup\nsetup()\n"}, "packs all modules"),
        ({"setup.py": "import versioneer\n"}, "imports `versioneer`"),
        ({}, "builds the project in `/app` itself"),
    ],
)
def test_why_a_project_is_read_as_a_whole(files: dict[str, str | bytes], words: str) -> None:
    assert words in project_build(app(files), "/app", "pip install .").reason
