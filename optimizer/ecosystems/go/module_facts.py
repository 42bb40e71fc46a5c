"""What is known of Go packages and C: which need it, which of the standard library use it, which modules surely do not.

A package that needs C is one whose files import "C" for Linux and that offers nothing, or nothing that works, without. Each entry names
the library, and the source of the fact is the repository of that name: its README or the file that imports "C".
"""

from __future__ import annotations

from typing import NamedTuple


class CPackage(NamedTuple):
    """A package (and all below it) that brings in C."""

    path: str
    what: str  #: the C that it needs
    #: it brings the C sources or static libraries along, so that only a compiler is needed, and nothing but the C library at run time
    bundled: bool = False


#: import path prefixes; source: the repository of that name
C_PACKAGES = (
    CPackage("github.com/mattn/go-sqlite3", "SQLite", True),  # static_mock.go: without cgo every call fails at run time
    CPackage("gorm.io/driver/sqlite", "SQLite, by github.com/mattn/go-sqlite3", True),  # sqlite.go
    CPackage("github.com/jinzhu/gorm/dialects/sqlite", "SQLite, by github.com/mattn/go-sqlite3", True),
    CPackage("github.com/mutecomm/go-sqlcipher", "SQLCipher", True),
    CPackage("github.com/marcboeker/go-duckdb", "DuckDB", True),
    CPackage("github.com/duckdb/duckdb-go", "DuckDB", True),
    CPackage("github.com/confluentinc/confluent-kafka-go", "librdkafka", True),  # kafka/librdkafka_vendor
    CPackage("gopkg.in/confluentinc/confluent-kafka-go.v1", "librdkafka", True),
    CPackage("github.com/DataDog/zstd", "zstd", True),
    CPackage("github.com/valyala/gozstd", "zstd", True),
    CPackage("github.com/tecbot/gorocksdb", "RocksDB"),
    CPackage("github.com/linxGnu/grocksdb", "RocksDB"),
    CPackage("github.com/h2non/bimg", "libvips"),
    CPackage("github.com/davidbyttow/govips", "libvips"),
    CPackage("gopkg.in/gographics/imagick.v2", "ImageMagick"),
    CPackage("gopkg.in/gographics/imagick.v3", "ImageMagick"),
    CPackage("github.com/chai2010/webp", "libwebp", True),
    CPackage("github.com/kolesa-team/go-webp", "libwebp"),
    CPackage("gocv.io/x/gocv", "OpenCV"),
    CPackage("github.com/otiai10/gosseract", "Tesseract"),
    CPackage("github.com/libgit2/git2go", "libgit2"),
    CPackage("github.com/google/gopacket/pcap", "libpcap"),
    CPackage("github.com/gopacket/gopacket/pcap", "libpcap"),
    CPackage("github.com/godror/godror", "ODPI-C", True),
    CPackage("github.com/mattn/go-oci8", "Oracle's OCI"),
    CPackage("github.com/ibmdb/go_ibm_db", "IBM's CLI driver"),
    CPackage("github.com/alexbrainman/odbc", "unixODBC"),
    CPackage("github.com/miekg/pkcs11", "libdl, by which it loads the module of a token", True),
    CPackage("github.com/ThalesIgnite/crypto11", "libdl, by github.com/miekg/pkcs11", True),
    CPackage("github.com/pebbe/zmq4", "ZeroMQ"),
    CPackage("github.com/zeromq/goczmq", "ZeroMQ and CZMQ"),
    CPackage("github.com/coreos/go-systemd/v22/sdjournal", "libsystemd"),
    CPackage("github.com/seccomp/libseccomp-golang", "libseccomp"),
    CPackage("github.com/msteinert/pam", "PAM"),
    CPackage("libvirt.org/go/libvirt", "libvirt"),
    CPackage("github.com/libvirt/libvirt-go", "libvirt"),
    CPackage("github.com/ceph/go-ceph", "Ceph's librados, librbd and libcephfs"),
    CPackage("github.com/apple/foundationdb/bindings/go", "FoundationDB's client"),
    CPackage("github.com/aquasecurity/libbpfgo", "libbpf"),
    CPackage("github.com/NVIDIA/go-nvml", "libdl, by which it loads NVML", True),
    CPackage("github.com/bytecodealliance/wasmtime-go", "Wasmtime", True),
    CPackage("github.com/wasmerio/wasmer-go", "Wasmer", True),
    CPackage("rogchap.com/v8go", "V8", True),
    CPackage("github.com/smacker/go-tree-sitter", "tree-sitter", True),
    CPackage("github.com/tree-sitter/go-tree-sitter", "tree-sitter", True),
    CPackage("github.com/supranational/blst", "blst", True),
    CPackage("github.com/herumi/bls-eth-go-binary", "bls", True),
    CPackage("github.com/yalue/onnxruntime_go", "libdl, by which it loads ONNX Runtime", True),
    CPackage("github.com/tensorflow/tensorflow/tensorflow/go", "TensorFlow"),
    CPackage("github.com/spacemonkeygo/openssl", "OpenSSL"),
    CPackage("github.com/libp2p/go-openssl", "OpenSSL"),
    CPackage("gopkg.in/hraban/opus.v2", "Opus"),
    CPackage("layeh.com/gopus", "Opus", True),
    CPackage("github.com/gordonklaus/portaudio", "PortAudio"),
    CPackage("github.com/veandco/go-sdl2", "SDL2"),
    CPackage("github.com/go-gl/glfw", "GLFW and X11"),
    CPackage("github.com/google/gousb", "libusb"),
)

#: packages of the standard library that call the C library if cgo is on, each with the tag that stops that (`go help buildconstraint`;
#: net/conf.go, os/user/cgo_lookup_cgo.go); `plugin` and `runtime/cgo` are for cgo only
C_STANDARD = {"net": "netgo", "os/user": "osusergo", "plugin": "", "runtime/cgo": ""}
#: packages of the standard library that import one of these (`go list -f '{{.Deps}}' std`, Go 1.26; tests compare)
_REACHING = {
    "net": "crypto/tls crypto/x509 expvar log/syslog mime/multipart net/http net/http/cgi net/http/cookiejar net/http/fcgi "
    "net/http/httptest net/http/httptrace net/http/httputil net/http/pprof net/mail net/rpc net/rpc/jsonrpc net/smtp net/textproto",
    "os/user": "archive/tar",
}


def standard_use(package: str) -> tuple[str, ...]:
    """Return which packages with C a package of the standard library reaches (itself included), () for none."""
    return tuple(name for name in C_STANDARD if package == name or package in _REACHING.get(name, "").split())


def c_package(path: str) -> CPackage | None:
    """Return what is known of the C that an imported package needs."""
    return next((p for p in C_PACKAGES if path == p.path or path.startswith(p.path + "/")), None)
