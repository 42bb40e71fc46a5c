"""Gemfiles and gemspecs: what is understood, and what is an obstacle with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from dockopt.optimizer.ecosystems.ruby.gemfile import Gemfile, read_gemfile
from dockopt.optimizer.ecosystems.ruby.gemspec import check_gem
from dockopt.optimizer.ecosystems.view import Obstacle, View

from tests.ecosystems.folder import Folder, write

FILES = {".ruby-version": "3.3.0\n", "VERSION": "1\n", "gems/more.rb": 'gem "more"\n', "config/gems.yml": "a: 1\n"}


def read(folder: Path, text: str | bytes, files: dict[str, str] | None = None) -> tuple[Gemfile, View]:
    view = View(Folder(write(folder, {**(FILES if files is None else files), "Gemfile": text})))
    return read_gemfile(view, "/app/Gemfile", "/app"), view


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("# frozen_string_literal: true\n", []),
        ('source "https://rubygems.org"\ngem "a"\ngem \'b\', "~> 1.0", ">= 1.0.2", require: false\n', ["a", "b"]),
        ('gem("a",\n    ">= 1", # why\n    platforms: %i[mri windows])\n', ["a"]),
        ('group :test, optional: true do\n  gem "a"\n  platforms :jruby do\n    gem "b"\n  end\nend\n', ["a", "b"]),
        ('source "https://gems.example.org" do\n  gem "a"\nend\n', ["a"]),
        ('gem "a", github: "x/a", branch: "main"\ngem "b", git: "https://example.org/b.git", ref: "1f"\n', ["a", "b"]),
        ('git_source(:own) { |name| "https://example.org/#{name}.git" }\ngem "a", "1.0"\n', ["a"]),
        ('git_source(:own) do |name|\n  name = "x/#{name}" unless name.include?("/")\n  "https://h/#{name}"\nend\n', []),
        ('%w[a b].each { |name| gem name, github: "x/#{name}" }\n', ["a", "b"]),
        ('NAMES = %w[a b].freeze\nNAMES.each do |name|\n  gem name\nend\n', ["a", "b"]),
        ('version = ENV.fetch("V", "~> 7.0")\ngem "a", version\n', ["a"]),
        (
            'if RUBY_VERSION >= "3" && !ENV["OLD"]\n  gem "a"\nelsif Gem::Version.new("1") < RUBY_VERSION\n  gem "b"\n'
            'else\n  gem "c"\nend\n',
            ["a", "b", "c"],
        ),
        ('case ENV["DB"]\nwhen "pg", nil then gem "a"\nelse\n  gem "b"\nend\n', ["a", "b"]),
        ('gem "a" if RUBY_PLATFORM =~ /linux/\ngem "b" unless Gem.win_platform?\n', ["a", "b"]),
        ('install_if -> { RUBY_PLATFORM =~ /darwin/ } do\n  gem "a"\nend\n', ["a"]),
        ('ENV["X"] ||= "1"\ngem "a" if ENV["X"] == "1"\n', ["a"]),
        ('gem "a" if File.exist?("Gemfile.own")\ngem "b" if File.exist?("VERSION")\n', ["b"]),
        ('unless File.file?(File.expand_path("none", __dir__))\n  gem "a"\nelse\n  gem "b"\nend\n', ["a"]),
        ('eval_gemfile File.join(File.dirname(__FILE__), "gems/more.rb")\n', ["more"]),
        ('require "rbconfig"\ngem "a", require: /bsd/i === RbConfig::CONFIG["target_os"]\n', ["a"]),
        ('raise "no" if RUBY_VERSION < "2.0"\n', []),
        ('\ufeffgem "a"\n', ["a"]),
    ],
)  # fmt: skip
def test_words_of_a_gemfile(text: str, names: list[str], tmp_path: Path) -> None:
    assert [gem.name for gem in read(tmp_path, text)[0].gems] == names


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ('ruby file: ".ruby-version"\n', ["/app/.ruby-version"]),
        ('ruby File.read(".ruby-version").strip\n', ["/app/.ruby-version"]),
        ('ruby "~> #{File.read(File.join(__dir__, ".ruby-version")).chomp}"\n', ["/app/.ruby-version"]),
        ('ruby IO.read(File.expand_path("../.ruby-version", __FILE__))[/[0-9.]+/]\n', ["/app/.ruby-version"]),
        ('gem "a", File.read("VERSION").split(".").first\n', ["/app/VERSION"]),
        ('gem "a" if File.exist?("VERSION")\n', ["/app/VERSION"]),
        ('eval_gemfile "gems/more.rb"\n', ["/app/gems/more.rb"]),
    ],
)
def test_files_that_a_gemfile_reads(text: str, files: list[str], tmp_path: Path) -> None:
    assert read(tmp_path, text)[1].files == files


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('gem "a"\n\ngemspec\n', 3, "run the gemspec of the project"),
        ('gemspec path: "."\n', 1, "run the gemspec of the project"),
        ('plugin "x"\n', 1, "plugin of Bundler"),
        ('require "./lib/x"\n', 1, "runs Ruby code"),
        ('require_relative "lib/x"\n', 1, "runs Ruby code"),
        ('gem "a"\neval File.read("gems/more.rb")\n', 2, "runs Ruby code"),
        ("def own(name)\n  gem name\nend\n", 1, "is not understood"),
        ('gem "a", path: ENV["P"]\n', 1, "directory that is not known"),
        ('path File.join("x", ENV["P"]) do\n  gem "a"\nend\n', 1, "directory that is not known"),
        ('gem "a", git: "vendor/a"\n', 1, "repository of the project"),
        ('gem "a", `cat VERSION`\n', 1, "starts a program"),
        ('gem "a", system("x")\n', 1, "is not understood"),
        ('gem "a", YAML.load_file("config/gems.yml")["a"]\n', 1, "is not understood"),
        ("Dir.glob('gems/*.rb').each { |f| eval_gemfile f }\n", 1, "looks for files by a pattern"),
        ('eval_gemfile ENV["G"]\n', 1, "not known before the build"),
        ('eval_gemfile "none.rb"\n', 1, "is not there"),
        ('eval_gemfile "Gemfile"\n', 1, "evaluates a file again"),
        ('gem "a", File.read(ENV["F"])\n', 1, "may read any file"),
        ('gem "a", File.read("none")\n', 1, "is not there"),
        ('gem "a", ENV[name]\n', 1, "is not understood"),
        ('names = []\nnames << "a"\nnames.each { |n| gem n }\n', 3, "what it repeats is not known"),
        ('names = %w[a]\nnames += %w[b]\nnames.each { |n| gem n }\n', 3, "what it repeats is not known"),
        ('where = "a"\nwhere = "b" if ENV["B"]\ngem "x", path: where\n', 3, "directory that is not known"),
        ("gem 'a', **options\n", 1, "is not understood"),
        ("gem 'a', 'b\n", 1, "is not understood as Ruby"),
        ("group :x do\n", 1, "is not understood as Ruby"),
        ("source 'file:///app/gems'\n", 1, "has gems in the project"),
        ("gem 'a' if File.exist?('gems')\n", 1, "is a directory"),
        ("A::B.each { |x| gem x }\n", 1, "is not understood"),
        ("while true do\nend\n", 1, "is not understood"),
        (b"gem 'a' # \xff\n", 1, "is not UTF-8"),
        ("x = " + "(" * 3000 + "1" + ")" * 3000 + "\n", 1, "nested too deeply"),
    ],
)  # fmt: skip
def test_obstacles_have_their_line(text: str | bytes, line: int, reason: str, tmp_path: Path) -> None:
    with pytest.raises(Obstacle, match=reason) as found:
        read(tmp_path, text)
    assert found.value.line in (line, 0)
    assert found.value.path.startswith("/app/")


def test_variables_that_a_gemfile_asks_for(tmp_path: Path) -> None:
    found, _ = read(tmp_path, 'gem "a" if ENV["A"] || ENV.key?("B")\ngem "b", ENV.fetch("C") { "1" }\n')
    assert set(found.variables) == {"A", "B", "C"}


def test_local_gems_lie_beside_the_file_that_names_them(tmp_path: Path) -> None:
    files = {"gems/more.rb": 'gem "a", path: "../engines/a"\n'}
    found, _ = read(tmp_path, 'eval_gemfile "gems/more.rb"\npath "engines" do\n  gem "b"\nend\n', files)
    assert found.directories == {
        "/app/engines/a": ("/app/gems/more.rb", 1, True),
        "/app/engines": ("/app/Gemfile", 2, True),
    }


SPEC = 'Gem::Specification.new do |s|\n  s.name = "a"\n{}\nend\n'


@pytest.mark.parametrize(
    "line",
    [
        '  s.files = Dir["lib/**/*", "README.md"] - ["x"]',
        '  s.files = Dir.chdir(__dir__) { Dir.glob("**/*").reject { |f| f.start_with?("test/") } }',
        '  s.files = Dir.glob(File.expand_path("lib/*", __dir__))',
        '  s.version = File.read(File.expand_path("VERSION", __dir__)).strip',
        '  s.metadata["source_code_uri"] = "https://example.org"\n  s.metadata = { "a" => "#{s.homepage}/b" }',
        "  s.description = <<~TEXT\n    A gem.\n  TEXT",
        '  s.add_dependency "b", "~> 1"\n  s.add_development_dependency("c")',
        '  s.required_ruby_version = Gem::Requirement.new(">= 2.7")',
        '  if s.respond_to?(:metadata)\n    s.metadata["x"] = "y"\n  end',
    ],
)
def test_gemspecs_that_keep_to_their_directory(line: str, tmp_path: Path) -> None:
    write(tmp_path, {"g/a.gemspec": SPEC.format(line), "g/lib/a.rb": "", "g/VERSION": "1", "VERSION": "2"})
    if "respond_to?" in line:
        with pytest.raises(Obstacle, match="is not understood"):
            check_gem(View(Folder(tmp_path)), "/app/g")
        return
    view = View(Folder(tmp_path))
    check_gem(view, "/app/g")
    assert view.files == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("  s.files = `git ls-files -z`.split", "starts a program"),
        ("  s.files = IO.popen(%w[git ls-files]).readlines", "is not understood"),
        ('  s.files = Dir["../lib/**/*"]', "looks outside of"),
        ('  s.files = Dir[File.join(ENV["X"], "*")]', "may name files anywhere"),
        ('  s.extensions = ["ext/extconf.rb"]', "builds extensions"),
        ('  s.executables = ["tool"]', "set the modes"),
        ('  s.bindir = "exe"\n  s.executables = s.files.grep(/x/)', "set the modes"),
        ("  s.bindir = name", "is not understood"),
        ('  require "other"', "is not understood"),
        ("  s.do_something", "is not understood"),
    ],
)
def test_gemspecs_that_do_not(line: str, reason: str, tmp_path: Path) -> None:
    write(tmp_path, {"g/deep/er/a.gemspec": SPEC.format(line), "g/deep/er/bin/tool": "", "g/deep/er/exe/tool": ""})
    with pytest.raises(Obstacle, match=reason) as found:
        check_gem(View(Folder(tmp_path)), "/app/g")
    assert found.value.path == "/app/g/deep/er/a.gemspec"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('module A\n  VERSION = "1".freeze\n  def self.gem_version\n    Gem::Version.new(VERSION)\n  end\nend\n', None),
        ("module A\n  VERSION = File.read('/etc/version')\nend\n", "reads a file that is not there"),
        ("module A\n  def self.version = `git describe`\nend\n", "starts a program"),
        ('require "x/y"\n', "code that is not followed"),
    ],
)
def test_what_a_gemspec_loads_is_followed(text: str, reason: str | None, tmp_path: Path) -> None:
    head = '$:.push File.expand_path("lib", __dir__)\nrequire "a/version"\n'
    write(tmp_path, {"g/a.gemspec": head + SPEC.format("  s.version = A::VERSION"), "g/lib/a/version.rb": text})
    if reason is None:
        check_gem(View(Folder(tmp_path)), "/app/g")
        return
    with pytest.raises(Obstacle, match=reason):
        check_gem(View(Folder(tmp_path)), "/app/g")
