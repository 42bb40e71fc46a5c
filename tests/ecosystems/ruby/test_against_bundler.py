"""What Bundler reads and writes in a project, held against what the models claim; skipped where there is no Bundler.

A project is installed as it is, then with the claimed files alone, then with every other file changed and more files beside them:
what is installed has to be the same, and nothing in the project may change but what is claimed. No registry is asked: gems are
packed in the project, lie in its directories, or come with Ruby.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.ruby.calls import call_of
from dockopt.optimizer.ecosystems.ruby.project import Project, project_of
from dockopt.optimizer.ecosystems.view import Obstacle, View

from tests.ecosystems.folder import Folder, write
from tests.ecosystems.trees import tree

pytestmark = pytest.mark.skipif(shutil.which("bundle") is None, reason="needs Bundler")

SERVICE = Path(__file__).parents[3] / "fixtures" / "examples" / "ruby-service"
PACKED = (SERVICE / "vendor/cache/shop_words-1.0.0.gem").read_bytes()
OTHERS = {"app.rb": "puts 1\n", "lib/a.rb": "\n", "config.ru": "\n", "db/schema.rb": "\n", "engines/none/none.rb": "\n"}
GEMSPEC = """\
require_relative "lib/desk/version"

Gem::Specification.new do |spec|
  spec.name = "desk"
  spec.version = Desk::VERSION
  spec.summary = "A desk"
  spec.authors = ["Somebody"]
  spec.files = Dir["lib/**/*"]
  spec.bindir = "exe"
  spec.executables = spec.files.grep(%r{^exe/}) { |file| File.basename(file) }
end
"""
ENGINE = {
    "engines/desk/desk.gemspec": GEMSPEC,
    "engines/desk/lib/desk/version.rb": 'module Desk\n  VERSION = "0.1.0"\nend\n',
    "engines/desk/lib/desk.rb": "\n",
}
SOURCE = 'source "https://rubygems.org"\n'
#: files, and the settings of the environment
CASES: dict[str, tuple[dict[str, str | bytes], dict[str, str]]] = {
    "packed": (
        {
            "Gemfile": SOURCE + 'gem "shop_words"\n',
            "Gemfile.lock": "GEM\n  remote: https://rubygems.org/\n  specs:\n    shop_words (1.0.0)\n\nPLATFORMS\n  ruby\n\n"
            "DEPENDENCIES\n  shop_words\n\nBUNDLED WITH\n   2.3.15\n",
            "vendor/cache/shop_words-1.0.0.gem": PACKED,
        },
        {"BUNDLE_FROZEN": "1"},
    ),
    "local-gem": ({"Gemfile": SOURCE + 'gem "desk", path: "engines/desk"\n', **ENGINE}, {}),
    "several-gemfiles": (
        {
            "Gemfile": SOURCE
            + 'ruby ">= #{File.read(".ruby-version").strip}"\neval_gemfile "gems/more.rb"\n'
            + 'eval_gemfile "Gemfile.local" if File.exist?("Gemfile.local")\n',
            "gems/more.rb": 'path "../engines" do\n  gem "desk"\nend\n',
            ".ruby-version": "2.0\n",
            **ENGINE,
        },
        {},
    ),
}


class Place:
    """A project and a home directory, always at the same paths: gems hold absolute ones."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.app, self.home, self.settings = folder / "app", folder / "home", settings

    def run(self, files: Mapping[str, str | bytes], line: str = "bundle install") -> str:
        """Lay files anew and run a command among them; return what it prints."""
        for path in (self.app, self.home):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
        write(self.app, files)
        return self.again(line)

    def again(self, line: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "BUNDLE_PATH": str(self.home / "gems")}
        done = subprocess.run(
            line.split(), cwd=self.app, env=environment | dict(self.settings), capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def installed(self) -> dict[str, str]:
        """Return what was installed; a compiled list of gems and logs of builds differ with the time."""
        return {name: value for name, value in tree(self.home).items() if "/.bundle/cache/" not in f"/{name}"}


def claimed(folder: Path, settings: Mapping[str, str], line: str = "bundle install") -> Project:
    around = Folder(folder, environment={"GEM_HOME": "/usr/local/bundle", **settings})
    return project_of(call_of(tuple(line.split())), View(around))


@pytest.mark.parametrize("case", CASES)
def test_an_installation_reads_and_writes_what_its_model_says(case: str, tmp_path: Path) -> None:
    files, settings = CASES[case]
    place = Place(tmp_path, settings)
    if "Gemfile.lock" not in files:
        place.run(files)
        files = {**files, "Gemfile.lock": (place.app / "Gemfile.lock").read_bytes()}
    whole = {**files, **OTHERS}
    found = claimed(write(tmp_path / "source", whole), settings)
    assert found.rewritten is None
    assert found.made == ()

    place.run(whole)
    made = place.installed()
    assert tree(place.app) == tree(tmp_path / "source")
    assert made or case != "packed"

    trees = tuple(f"{path.removeprefix('/app/')}/" for path in found.trees)
    names = {path.removeprefix("/app/") for path in found.files}
    few = {name: content for name, content in whole.items() if name in names or name.startswith(trees)}
    assert len(few) < len(whole)
    place.run(few)
    assert place.installed() == made
    assert tree(place.app) == {name: value for name, value in tree(tmp_path / "source").items() if name in few}

    changed = {name: content if name in few else "changed\n" for name, content in whole.items()}
    place.run({**changed, ".rspec": "\n", "other.gemspec": "raise\n", "Rakefile": "raise\n", "lib/gems.rb": "raise\n"})
    assert place.installed() == made


def test_a_claimed_file_matters(tmp_path: Path) -> None:
    """The comparison above can fail: a file of a local gem's directory decides what the lock file says."""
    files, settings = CASES["local-gem"]
    place = Place(tmp_path, settings)
    place.run(files)
    made = tree(place.app)["Gemfile.lock"]
    place.run({**files, "engines/desk/lib/desk/version.rb": 'module Desk\n  VERSION = "0.2.0"\nend\n'})
    assert tree(place.app)["Gemfile.lock"] != made


def test_without_a_lock_file_one_is_made_whatever_else_there_is(tmp_path: Path) -> None:
    files, settings = CASES["local-gem"]
    place = Place(tmp_path, settings)
    found = claimed(write(tmp_path / "source", {**files, **OTHERS}), settings)
    assert found.made == ("/app/Gemfile.lock",)
    locks = []
    for laid in (files, {**files, **OTHERS}):
        place.run(laid)
        locks.append(tree(place.app)["Gemfile.lock"])
    assert locks[0] == locks[1]


def test_a_lock_file_for_another_platform_is_written_anew(tmp_path: Path) -> None:
    files = {
        "Gemfile": SOURCE,
        "Gemfile.lock": "GEM\n  specs:\n\nPLATFORMS\n  arm64-darwin-22\n\nDEPENDENCIES\n\nBUNDLED WITH\n   2.3.15\n",
    }
    assert claimed(write(tmp_path / "source", files), {}).rewritten is not None
    place = Place(tmp_path, {})
    place.run(files)
    assert tree(place.app)["Gemfile.lock"] != tree(tmp_path / "source")["Gemfile.lock"]


def test_packed_gems_are_brought_up_to_date_unless_the_bundle_is_frozen(tmp_path: Path) -> None:
    files, frozen = CASES["packed"]
    place = Place(tmp_path, {})
    said = place.run({**files, "vendor/cache/old-1.0.0.gem": PACKED}, "bundle install --local")
    assert "Updating files in vendor/cache" in said
    with pytest.raises(Obstacle, match="brings `/app/vendor/cache` up to date"):
        claimed(write(tmp_path / "source", files), {})
    assert claimed(tmp_path / "source", frozen).trees == ("/app/vendor/cache",)


def test_programs_of_a_gem_of_the_project_are_made_executable(tmp_path: Path) -> None:
    files, _ = CASES["local-gem"]
    more = {**files, "engines/desk/exe/desk": "#!/usr/bin/env ruby\n"}
    more["engines/desk/desk.gemspec"] = GEMSPEC.replace('Dir["lib/**/*"]', 'Dir["{exe,lib}/**/*"]')
    place = Place(tmp_path, {})
    place.run(more)
    assert (place.app / "engines/desk/exe/desk").stat().st_mode & 0o111
    with pytest.raises(Obstacle, match="set the modes of files"):
        claimed(write(tmp_path / "source", more), {})


def test_settings_of_the_application_lie_beside_the_gemfile(tmp_path: Path) -> None:
    place = Place(tmp_path, {})
    place.run({"Gemfile": SOURCE}, "bundle config set --local without test")
    assert set(tree(place.app)) == {"Gemfile", ".bundle/config"}
    elsewhere = Place(tmp_path / "b", {"BUNDLE_APP_CONFIG": str(tmp_path / "settings")})
    (tmp_path / "b").mkdir()
    elsewhere.run({"Gemfile": SOURCE}, "bundle config set --local without test")
    assert set(tree(elsewhere.app)) == {"Gemfile"}
    assert (tmp_path / "settings/config").is_file()
