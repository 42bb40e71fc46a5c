"""Go packages that import "C" for Linux: what of C, where that comes from, and what becomes of a program that is built without cgo.

Read in November 2026, in the release that stands in each row: which files import "C" and under which build constraints, what
`#cgo LDFLAGS` and `pkg-config` ask for, and which exported names are left among the files that a build without cgo takes. A release
that was not read is taken to be alike. A package that loads its library by `dlopen` says so in its sources (`-ldl` and no library).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Without(Enum):
    """What becomes of a program that uses a package and is built with `CGO_ENABLED=0`."""

    NO_BUILD = "it does not build"  #: no file is left, or none with the names that are used
    FAILS = "it builds, and fails when it runs"  #: a stub returns errors
    OTHER = "it builds, and works by other means"  #: Go does what C did


class Library(Enum):
    """Where the C of a package comes from."""

    BUNDLED = "comes with it"  #: sources or static libraries: a compiler is needed, and nothing but the libraries of C and C++ at run time
    LINKED = "is linked"  #: a library of the system is needed when the program starts
    LOADED = "is loaded"  #: a library of the system is looked for when it is used (`dlopen`)


class CPackage(NamedTuple):
    """A package (and all below it, in every major version) that brings in C."""

    path: str
    what: str  #: the C that it needs
    read: str  #: the release that was read
    library: Library = Library.LINKED
    without: Without = Without.NO_BUILD
    #: packages below it without C, by their paths below `path` and a major version
    free: tuple[str, ...] = ()

    @property
    def bundled(self) -> bool:
        """Tell whether only a compiler is needed, and nothing but the libraries of C and C++ at run time."""
        return self.library is Library.BUNDLED


_BUNDLED, _LOADED = Library.BUNDLED, Library.LOADED
_FAILS, _OTHER = Without.FAILS, Without.OTHER

# fmt: off
C_PACKAGES = (
    # data bases
    CPackage("github.com/mattn/go-sqlite3", "SQLite", "v1.14.53", _BUNDLED, _FAILS),
    CPackage("github.com/mutecomm/go-sqlcipher", "SQLCipher", "v4.4.2", _BUNDLED, _FAILS),
    CPackage("gorm.io/driver/sqlite", "SQLite, by github.com/mattn/go-sqlite3", "v1.6.0", _BUNDLED, _FAILS),
    CPackage("github.com/jinzhu/gorm/dialects/sqlite", "SQLite, by github.com/mattn/go-sqlite3", "v1.9.16", _BUNDLED, _FAILS),
    CPackage(
        "github.com/golang-migrate/migrate/v4/database/sqlite3", "SQLite, by github.com/mattn/go-sqlite3", "v4.20.1", _BUNDLED, _FAILS
    ),
    CPackage("crawshaw.io/sqlite", "SQLite", "v0.3.2", _BUNDLED),
    CPackage("github.com/asg017/sqlite-vec-go-bindings/cgo", "sqlite-vec", "v0.1.6", _BUNDLED),
    CPackage("github.com/tursodatabase/go-libsql", "libSQL", "v0.0.0-20251219133454-43644db490ff", _BUNDLED),
    CPackage("github.com/marcboeker/go-duckdb", "DuckDB", "v2.4.3", _BUNDLED),
    CPackage("github.com/duckdb/duckdb-go", "DuckDB", "v2.20000.0", _BUNDLED),
    CPackage("github.com/duckdb/duckdb-go-bindings", "DuckDB", "v0.20000.0", _BUNDLED),
    CPackage("github.com/tecbot/gorocksdb", "RocksDB", "v0.0.0-20191217155057-f0fad39f321c"),
    CPackage("github.com/linxGnu/grocksdb", "RocksDB", "v1.11.1"),
    CPackage("github.com/jmhodges/levigo", "LevelDB", "v1.0.0"),
    CPackage("github.com/bmatsuo/lmdb-go/lmdb", "LMDB", "v1.8.0", _BUNDLED),
    CPackage("github.com/PowerDNS/lmdb-go/lmdb", "LMDB", "v1.9.3", _BUNDLED),
    CPackage("github.com/erigontech/mdbx-go/mdbx", "MDBX", "v0.43.0", _BUNDLED, free=("mdbxarch", "threads")),
    CPackage("github.com/cockroachdb/pebble", "zstd and a heap of its own", "v2.1.7", _BUNDLED, _OTHER, ("vfs", "bloom", "record")),
    CPackage("github.com/godror/godror", "Oracle's client, by ODPI-C", "v0.40.4", _LOADED, free=("dsn", "num", "sid", "slog")),
    CPackage("github.com/mattn/go-oci8", "Oracle's client", "v0.1.1"),
    CPackage("github.com/ibmdb/go_ibm_db", "IBM's CLI driver", "v0.5.4", free=("log2",)),
    CPackage("github.com/alexbrainman/odbc", "unixODBC", "v0.0.0-20250601004241-49e6b2bc0cf0"),
    CPackage("github.com/apple/foundationdb/bindings/go/src/fdb", "FoundationDB's client", "v0.0.0-20260629183922-51e1c42eb9a8"),
    CPackage("github.com/pganalyze/pg_query_go", "PostgreSQL's parser", "v6.2.5", _BUNDLED),
    # messages, compression, parsers
    CPackage(
        "github.com/confluentinc/confluent-kafka-go", "librdkafka", "v2.11.1", _BUNDLED, free=(
            "schemaregistry", "schemaregistry/cache", "schemaregistry/confluent", "schemaregistry/confluent/types", "schemaregistry/rest",
        ),
    ),
    CPackage("gopkg.in/confluentinc/confluent-kafka-go.v1", "librdkafka", "v1.8.2", _BUNDLED),
    CPackage("github.com/apache/pulsar-client-go/pulsar", "zstd, by github.com/DataDog/zstd", "v0.19.0", _BUNDLED, _OTHER),
    CPackage("github.com/pebbe/zmq4", "ZeroMQ", "v1.4.0"),
    CPackage("github.com/zeromq/goczmq", "ZeroMQ, CZMQ and libsodium", "v4.2.0"),
    CPackage("github.com/DataDog/zstd", "zstd", "v1.5.7", _BUNDLED),
    CPackage("github.com/valyala/gozstd", "zstd", "v1.27.0", _BUNDLED),
    CPackage("github.com/google/brotli/go/cbrotli", "Brotli", "v1.2.0"),
    CPackage("github.com/terminalstatic/go-xsd-validate", "libxml2", "v0.1.8"),
    CPackage("github.com/smacker/go-tree-sitter", "tree-sitter", "v0.0.0-20240827094217-dd81d9e9be82", _BUNDLED),
    CPackage("github.com/tree-sitter/go-tree-sitter", "tree-sitter", "v0.25.0", _BUNDLED),
    CPackage("github.com/yanyiwu/gojieba", "cppjieba", "v1.4.6", _BUNDLED),
    CPackage("github.com/apache/arrow-go/v18/arrow/cdata", "Arrow's C data interface", "v18.8.0", _BUNDLED),
    # pictures, sound, screens
    CPackage("github.com/h2non/bimg", "libvips", "v1.1.9"),
    CPackage("github.com/davidbyttow/govips", "libvips", "v2.16.0"),
    CPackage("gopkg.in/gographics/imagick.v2/imagick", "ImageMagick", "v2.7.0", free=("types",)),
    CPackage("gopkg.in/gographics/imagick.v3/imagick", "ImageMagick", "v3.7.0", free=("types",)),
    CPackage("github.com/discord/lilliput", "OpenCV and codecs of pictures", "v1.5.0", _BUNDLED),
    CPackage("github.com/chai2010/webp", "libwebp", "v1.4.0", _BUNDLED),
    CPackage("github.com/kolesa-team/go-webp", "libwebp", "v1.0.5", free=("utils",)),
    CPackage("gocv.io/x/gocv", "OpenCV", "v0.41.0"),
    CPackage("github.com/otiai10/gosseract", "Tesseract", "v2.4.1"),
    CPackage("github.com/asticode/go-astiav", "FFmpeg", "v0.42.0"),
    CPackage("gopkg.in/hraban/opus.v2", "Opus", "v2.0.0-20230925203106-0188a62cb302"),
    CPackage("layeh.com/gopus", "Opus", "v0.0.0-20210501142526-1ee02d434e32", _BUNDLED),
    CPackage("github.com/gordonklaus/portaudio", "PortAudio", "v0.0.0-20250206071425-98a94950218b"),
    CPackage("github.com/gen2brain/malgo", "ALSA, PulseAudio or JACK", "v0.11.24", _LOADED),
    CPackage("github.com/hajimehoshi/oto", "ALSA", "v2.4.3"),
    CPackage("github.com/ebitengine/oto", "ALSA", "v3.4.0"),
    CPackage("github.com/hajimehoshi/ebiten", "OpenGL and X11", "v2.8.8"),
    CPackage("github.com/veandco/go-sdl2", "SDL2", "v0.4.39", free=("raster",)),
    CPackage("github.com/go-gl/glfw", "GLFW and X11", "v0.0.0-20260823155953-d41da22a9587"),
    CPackage("github.com/go-gl/gl", "OpenGL", "v0.0.0-20231021071112-07e5d0ea2e71"),
    CPackage("github.com/gotk3/gotk3", "GTK", "v0.6.4.1"),
    CPackage("github.com/webview/webview_go", "GTK and WebKit", "0.10.0"),
    CPackage("github.com/getlantern/systray", "GTK and an application indicator", "v1.2.2"),
    CPackage("golang.design/x/clipboard", "X11", "v0.7.1", _LOADED, _FAILS),
    # the system and what is plugged in
    CPackage("github.com/google/gopacket/pcap", "libpcap", "v1.1.19"),
    CPackage("github.com/google/gopacket/pfring", "PF_RING and libpcap", "v1.1.19"),
    CPackage("github.com/google/gopacket/afpacket", "C headers of Linux", "v1.1.19", _BUNDLED),
    CPackage("github.com/gopacket/gopacket/pcap", "libpcap", "v1.7.7"),
    CPackage("github.com/gopacket/gopacket/pfring", "PF_RING and libpcap", "v1.7.7"),
    CPackage("github.com/coreos/go-systemd/v22/sdjournal", "libsystemd", "v22.7.0", _LOADED),
    CPackage("github.com/coreos/go-systemd/v22/util", "libsystemd", "v22.7.0", _LOADED, _OTHER),
    CPackage("github.com/seccomp/libseccomp-golang", "libseccomp", "v0.11.1"),
    CPackage("github.com/msteinert/pam", "PAM", "v2.1.0"),
    CPackage("libvirt.org/go/libvirt", "libvirt", "v1.12003.0"),
    CPackage("github.com/libvirt/libvirt-go", "libvirt", "v7.4.0"),
    CPackage(
        "github.com/ceph/go-ceph", "Ceph's librados, librbd and libcephfs", "v0.40.0",
        free=("", "common/commands", "common/log", "rgw", "rgw/admin"),
    ),
    CPackage("github.com/aquasecurity/libbpfgo", "libelf and zlib, beside libbpf", "v0.5.1-libbpf-1.2"),
    CPackage("github.com/containerd/btrfs", "C headers of Linux", "v2.0.0", _BUNDLED),
    CPackage("github.com/opencontainers/runc/libcontainer/nsenter", "C that runs before Go does", "v1.5.2", _BUNDLED),
    CPackage("github.com/NVIDIA/go-nvml", "NVML", "v0.13.4-1", _LOADED),
    CPackage("github.com/google/gousb", "libusb", "v1.1.3", free=("usbid",)),
    CPackage("github.com/karalabe/hid", "hidapi and libusb", "v1.0.1-0.20240306101548-573246063e52", _BUNDLED, _FAILS),
    CPackage("github.com/go-piv/piv-go/v2/piv", "PC/SC", "v2.6.0"),
    CPackage("github.com/keys-pub/go-libfido2", "libfido2", "v1.5.4-0.20230628025503-281619cff413"),
    CPackage("github.com/libgit2/git2go", "libgit2", "v34.0.0"),
    CPackage("github.com/hillu/go-yara", "YARA", "v4.3.4"),
    # cryptography
    CPackage("github.com/miekg/pkcs11", "the module of a token", "v1.1.2", _LOADED),
    CPackage("github.com/ThalesIgnite/crypto11", "the module of a token, by github.com/miekg/pkcs11", "v1.2.5", _LOADED),
    CPackage("github.com/ThalesGroup/crypto11", "the module of a token, by github.com/miekg/pkcs11", "v1.6.2", _LOADED),
    CPackage("github.com/supranational/blst/bindings/go", "blst", "v0.3.17", _BUNDLED),
    CPackage("github.com/ethereum/c-kzg-4844/v2/bindings/go", "c-kzg-4844", "v2.1.8", _BUNDLED),
    CPackage("github.com/ethereum/go-ethereum/crypto", "libsecp256k1", "v1.17.10", _BUNDLED, _OTHER),
    CPackage("github.com/spacemonkeygo/openssl", "OpenSSL", "commit c2dcc5c", free=("utils",)),
    CPackage("github.com/libp2p/go-openssl", "OpenSSL", "v0.1.0", free=("utils",)),
    CPackage("github.com/golang-fips/openssl", "OpenSSL", "v2.0.3", _LOADED),
    CPackage("github.com/proglottis/gpgme", "GPGME", "v0.1.6"),
    # other languages, models, maps
    CPackage("github.com/bytecodealliance/wasmtime-go", "Wasmtime", "v44.0.0", _BUNDLED),
    CPackage("github.com/wasmerio/wasmer-go", "Wasmer's libwasmer.so", "v1.0.4"),
    CPackage("rogchap.com/v8go", "V8", "v0.9.0", _BUNDLED),
    CPackage("github.com/dunglas/frankenphp", "PHP", "v1.9.1"),
    CPackage("github.com/yalue/onnxruntime_go", "ONNX Runtime", "v1.27.0", _LOADED),
    CPackage("github.com/tensorflow/tensorflow/tensorflow/go", "TensorFlow", "commit 18901fa"),
    CPackage("github.com/blevesearch/go-faiss", "Faiss", "v1.0.30"),
    CPackage("github.com/uber/h3-go", "H3", "v4.1.0", _BUNDLED),
    CPackage("github.com/twpayne/go-geos", "GEOS", "v0.23.0"),
    CPackage("github.com/peterstace/simplefeatures/geos", "GEOS", "v0.50.0"),
    CPackage("github.com/airbusgeo/godal", "GDAL", "v0.0.18"),
    CPackage("github.com/lukeroth/gdal", "GDAL", "commit aa5e8dc"),
    CPackage("github.com/fluent/fluent-bit-go", "C headers of Fluent Bit", "v0.0.0-20230731091245-a7a013e2473c", _BUNDLED),
    CPackage("github.com/mattn/go-pointer", "malloc", "v0.0.1", _BUNDLED),
)
# fmt: on

#: packages that find C libraries without cgo, so that a program is linked against the C library even with `CGO_ENABLED=0`
#: (`//go:cgo_import_dynamic` in files that are built without cgo), with the release that was read
DYNAMIC_WITHOUT_CGO = {
    "github.com/ebitengine/purego": "v0.11.3",
    "github.com/gen2brain/go-fitz": "v1.24.15",
    "github.com/chdb-io/chdb-go": "v1.11.0",
}
#: modules that require one of those for other systems than Linux only
NOT_ON_LINUX = {"github.com/shirou/gopsutil/v4": "v4.26.10"}


def table() -> str:
    """Return what is known of packages with C as a table in Markdown."""
    rows = ["| package | C | it | without cgo | read |", "|---|---|---|---|---|"]
    rows += [
        f"| `{p.path}` | {p.what} | {p.library.value} | {p.without.value.removeprefix('it ')} | {p.read} |"
        for p in C_PACKAGES
    ]
    return "\n".join(rows) + "\n"
