"""Functions of Python's library that a script may call and still be understood, by what they do with their arguments.

Facts are those of the library reference (docs.python.org, "The Python Standard Library"). Functions that start programs, open
connections, import by name or run texts are left out on purpose; so is what depends on the clock, on processes or on chance.
"""

from __future__ import annotations

#: modules whose import does nothing, and of which the functions below are known
MODULES = frozenset(
    "__future__ abc argparse ast base64 binascii codecs collections configparser contextlib copy csv dataclasses decimal difflib "
    "enum fnmatch fractions functools glob hashlib html io itertools json keyword logging math numbers operator os pathlib "
    "pprint re shutil stat string struct sys textwrap tokenize tomllib types typing unicodedata warnings zlib".split()
)
#: what a `setup.py` imports beside those; only `setup` and `find_packages` of them are followed
SETUP_MODULES = frozenset({"setuptools", "distutils", "packaging"})

#: builtins and library functions that touch neither files nor the world
PURE = frozenset(
    "print len str int float bool bytes bytearray list tuple dict set frozenset sorted reversed enumerate zip map filter range min max sum "
    "abs any all repr format isinstance issubclass hash id iter next ord chr hex round divmod pow type callable ValueError KeyError "
    "TypeError RuntimeError Exception SystemExit NotImplementedError AssertionError OSError IOError FileNotFoundError ImportError "
    "StopIteration object super property staticmethod classmethod slice complex ascii bin oct "
    "os.path.join os.path.dirname os.path.basename os.path.abspath os.path.realpath os.path.normpath os.path.splitext os.path.split "
    "os.path.relpath os.path.isabs os.path.expandvars os.getcwd os.fspath os.environ.get os.getenv sys.exit sys.stdout.write "
    "sys.stderr.write sys.stdout.flush sys.version.split sys.version_info pathlib.Path pathlib.PurePath "
    "pathlib.PurePosixPath pathlib.Path.cwd "
    "re.compile re.search re.match re.fullmatch re.sub re.subn re.split re.findall re.finditer re.escape json.loads json.dumps json.load "
    "json.dump tomllib.loads tomllib.load ast.literal_eval ast.parse textwrap.dedent textwrap.indent textwrap.fill itertools.chain "
    "itertools.chain.from_iterable collections.OrderedDict collections.defaultdict collections.namedtuple collections.Counter "
    "functools.partial functools.reduce functools.lru_cache fnmatch.fnmatch fnmatch.filter io.StringIO io.BytesIO csv.reader csv.writer "
    "csv.DictReader csv.DictWriter copy.copy copy.deepcopy base64.b64encode base64.b64decode hashlib.sha256 hashlib.sha1 hashlib.md5 "
    "argparse.ArgumentParser configparser.ConfigParser dataclasses.dataclass dataclasses.field string.Template logging.getLogger "
    "logging.basicConfig logging.info logging.warning logging.error warnings.warn warnings.filterwarnings typing.cast enum.auto "
    "contextlib.suppress html.escape html.unescape pprint.pprint".split()
)
#: functions that read the file of their first argument, or ask for it
READS = frozenset(
    "os.path.exists os.path.isfile os.path.isdir os.path.islink os.path.getsize os.stat os.access tokenize.open".split()
)
#: functions that open the file of their first argument, in the mode of the second
OPENS = frozenset("open io.open codecs.open".split())
#: functions that list the directory of their first argument
LISTS = frozenset("os.listdir os.walk os.scandir glob.glob glob.iglob".split())
#: functions that write or remove what their first argument names
WRITES = frozenset("os.makedirs os.mkdir os.remove os.unlink os.rmdir os.chmod shutil.rmtree".split())
#: functions that read the first argument and write the second
COPIES = frozenset("shutil.copy shutil.copy2 shutil.copyfile shutil.copytree shutil.move os.rename os.replace".split())
#: functions of setuptools that list the packages of a directory (`find_packages(where=".")`)
PACKAGES = frozenset("setuptools.find_packages setuptools.find_namespace_packages".split())
#: functions that make up the description of a project
SETUP = frozenset("setup setuptools.setup distutils.core.setup".split())
SETUP_PURE = frozenset(
    {"setuptools.Extension", "Extension", "distutils.core.Extension", "distutils.extension.Extension"}
)

#: what a script may hold of those modules without a call
HELD = frozenset(
    "os.environ os.sep os.linesep os.name os.curdir os.pardir os.path os.pathsep sys.argv sys.version sys.version_info sys.platform "
    "sys.stdout sys.stderr sys.stdin sys.executable sys.maxsize sys.prefix sys.byteorder string.ascii_letters string.ascii_lowercase "
    "string.ascii_uppercase string.digits string.punctuation string.whitespace math.pi math.inf types.SimpleNamespace".split()
)

#: methods of texts, collections, open files, matches and the like: whatever they are called on, they touch nothing else
METHODS = frozenset(
    "strip lstrip rstrip split rsplit splitlines join replace startswith endswith lower upper title capitalize encode decode format "
    "format_map find rfind index rindex count partition rpartition zfill ljust rjust center removeprefix removesuffix isdigit isalpha "
    "isalnum isspace isupper islower casefold expandtabs translate swapcase "
    "append extend insert pop remove sort reverse items keys values get setdefault update clear add discard union intersection difference "
    "copy popitem issubset issuperset most_common "
    "group groups groupdict start end span match search fullmatch sub findall finditer "
    "read readline readlines write writelines close flush seek tell getvalue writerow writerows writeheader "
    "hexdigest digest add_argument parse_args add_subparsers add_parser set_defaults add_argument_group add_mutually_exclusive_group "
    "error print_help info warning debug exception sections options has_section has_option getint getboolean getfloat read_string "
    "substitute safe_substitute as_posix relative_to is_absolute with_suffix with_name joinpath resolve absolute".split()
)
#: methods that touch files on some objects (`ConfigParser.read`, `Path.replace`, `Path.copy`), by how many arguments they have on those
#: that do not: `file.read(10)`, `text.replace(a, b)`, `mapping.copy()`
BY_ARGUMENTS = {"read": (0,), "replace": (2, 3), "copy": (0,)}
#: keywords by which functions that are pure, or list, mean other files than their first argument says
LEADING_KEYWORDS = frozenset("filename handlers root_dir dir_fd fromfile_prefix_chars opener".split())

#: methods of paths that read it, list it or write it
PATH_READS = frozenset("read_text read_bytes exists is_file is_dir is_symlink stat".split())
PATH_LISTS = frozenset("glob rglob iterdir walk".split())
PATH_WRITES = frozenset("write_text write_bytes mkdir unlink rmdir touch chmod".split())
