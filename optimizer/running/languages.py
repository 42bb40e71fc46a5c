"""How sources of each language write files, listen, and ask for what only root has: one table a language.

The tables err to one side: a name that may be such a call counts as one, in a comment at the end of a line too. At worst an
author is asked a question too many. Of packages that a project uses only those are known that keep files or need root, by name;
what other packages do is not looked at, and whoever relies on this has to say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """One language, by the files that it lives in."""

    name: str
    sources: re.Pattern[str]
    #: paths that are no part of what runs: tests, examples of tests
    not_run: re.Pattern[str]
    #: calls that write; a group `argument` begins where the path stands, and a group `directory` says that it is one
    writes: re.Pattern[str]
    #: calls that write into the directory for temporary files
    temporary: re.Pattern[str]
    #: what needs root or a capability
    root: re.Pattern[str]
    #: calls that start other programs, of which nothing is known
    starts: re.Pattern[str]
    #: a port that is named in a source, in the group `port`
    ports: re.Pattern[str]
    #: how an environment variable is read: groups `name` and maybe `default`
    variable: re.Pattern[str]
    #: calls that put paths together
    join: re.Pattern[str]
    manifests: re.Pattern[str]
    #: packages that keep files, in a manifest
    keepers: re.Pattern[str]


#: every language: the socket of Docker, devices, and places that only root may write to
_ROOT_PATHS = r"docker\.sock|containerd\.sock|/dev/(?!null|stdin|stdout|stderr|u?random|shm|tty|fd|tcp)\w+|/proc/sys/"
#: a text in a source that names a place where programs keep files, whoever is given it
KEEPING = re.compile(
    r"[\"'`](?P<place>(?:\./)?(?:logs|data|uploads?|storage|backups?)/[^\"'`\n]*|/(?:data|var/(?:lib|log|cache|data))(?:/[^\"'`\n]*)?|"
    r"[^\"'`\s:]*[\w}]\.(?:log|db|sqlite3?|bolt))[\"'`]"
)
#: files that tell a program where its things are
CONFIGURATIONS = re.compile(
    r"(?:^|/)(?:\.env[\w.-]*|[\w.-]*(?:conf|config|settings|application|default|production)[\w.-]*\.(?:ya?ml|toml|ini|json5?|conf|properties))$"
)
#: what names such a place there
CONFIGURED = re.compile(
    r"(?m)[=:]\s*[\"']?(?P<place>(?:\./)?(?:logs?|data|uploads?|storage|backups?)/\S*|/(?:data|var/(?:lib|log|cache|data))\S*|[^\s\"']+\.(?:log|db|sqlite3?)\b|"
    r"(?:file:|jdbc:h2:(?!mem)|jdbc:sqlite|sqlite)[^\s\"']*)"
)
_TESTS = r"(?:^|/)(?:tests?|testdata|__tests__|e2e|spec|examples?|docs?|vendor|node_modules|\.git|\.github)/"

_GO = Language(
    "Go",
    re.compile(r"\.go$"),
    re.compile(rf"{_TESTS}|_test\.go$"),
    re.compile(
        r"\b(?:os|ioutil)\.(?:Create|OpenFile|WriteFile|Rename|Remove|RemoveAll|Truncate|Symlink|Link|Chmod|Chtimes|NewFile|OpenRoot|CopyFS|"
        r"(?P<directory>Mkdir|MkdirAll))\s*\((?P<argument>)"
        r"|\b(?:SaveUploadedFile|SaveFile|SaveFileToStorage|WriteConfig|WriteConfigAs|SafeWriteConfig)\s*\("
        r"|\bsql\.Open\s*\(\s*\"(?:sqlite3?|duckdb|ql)\"|\b(?:bolt|bbolt|badger|leveldb|pebble)\.Open\w*\s*\("
        r"|\bautocert\.DirCache\s*\((?P<autocert>)|\b(?:syscall|unix)\.(?:Open|Creat|Mkdir|Unlink|Rename|Mkfifo|Mknod)\b"
        r"|\"file:|\bsqlite:|\bos\.(?:UserHomeDir|UserCacheDir|UserConfigDir|Chdir)\b|\bOutputPaths:\s*\[\]string\{\s*\"(?!std)|\bListen\(\s*\"unix"
    ),
    re.compile(
        r"\b(?:os|ioutil)\.(?:CreateTemp|MkdirTemp|TempFile|TempDir)\s*\(|\bParseMultipartForm\b|\bFormFile\s*\("
    ),
    re.compile(
        rf"{_ROOT_PATHS}|\bos\.(?:Chown|Lchown)\b|\b(?:syscall|unix)\.(?:Set\w*[ug]id|Setgroups|Mount|Unmount|Chroot|Chown|Sethostname|"
        r"Setns|Unshare|Reboot|PivotRoot|Mlock\w*|SOCK_RAW|AF_PACKET|IPPROTO_RAW)\b|\bnet\.(?:ListenIP|DialIP)\b|\bListenPacket\(\s*\"ip"
        r"|\bicmp\.ListenPacket\b|\bSetPrivileged\(\s*true|/run/secrets/kubernetes\.io"
    ),
    re.compile(
        r"\bexec\.Command(?:Context)?\s*\(|\b(?:syscall|unix)\.(?:Exec|ForkExec)\b|\bos\.StartProcess\b|\bplugin\.Open\b"
    ),
    re.compile(r"[\"`](?:[\w.]*|\[::\]):(?P<port>\d{1,5})[\"`]"),
    re.compile(r"\bos\.(?:Getenv|LookupEnv)\(\s*\"(?P<name>\w+)\"\s*\)(?P<default>)"),
    re.compile(r"\b(?:filepath|path)\.Join\("),
    re.compile(r"(?:^|/)go\.mod$"),
    re.compile(
        r"mattn/go-sqlite3|modernc\.org/sqlite|glebarez/(?:go-)?sqlite|gorm\.io/driver/sqlite|ncruces/go-sqlite3|etcd\.io/bbolt|"
        r"boltdb/bolt|dgraph-io/badger|dgraph-io/ristretto/.*disk|cockroachdb/pebble|syndtr/goleveldb|blevesearch/bleve|nutsdb|tidwall/buntdb|"
        r"lumberjack|file-rotatelogs|peterbourgon/diskv|go-duckdb|pocketbase|go-git/go-git|hashicorp/raft|nats-server|docker/docker|"
        r"vishvananda/netlink|google/gopacket|gopacket/gopacket|cilium/ebpf|songgao/water|hanwen/go-fuse|bazil\.org/fuse|"
        r"coreos/go-iptables|google/nftables|wireguard|caddyserver/certmagic|chromedp|go-rod/rod|playwright-go|containerd/containerd|"
        r"opencontainers/runc|mholt/archiver|hpcloud/tail|jacobsa/fuse|godbus|robfig/.*root|akrylysov/pogreb|rosedblabs|lotusdb|prologic/bitcask"
    ),
)

_NODE = Language(
    "Node",
    re.compile(r"\.(?:[cm]?[jt]sx?|vue|svelte)$"),
    re.compile(rf"{_TESTS}|\.(?:test|spec|config|d)\.[cm]?[jt]sx?$|(?:^|/)(?:public|static|assets)/"),
    re.compile(
        r"\b(?:writeFile|writeFileSync|appendFile|appendFileSync|outputFile\w*|outputJson\w*|writeJson\w*|createWriteStream|truncate|"
        r"truncateSync|renameSync|unlink|unlinkSync|rmSync|rmdir\w*|copyFile|copyFileSync|symlink|symlinkSync|"
        r"(?P<directory>mkdir|mkdirSync|ensureDir|ensureDirSync|emptyDir|mkdirp))\b\s*\(?(?P<argument>)"
        r"|\b(?:fs|fsp|fse|promises|fsPromises)\.(?:rename|rm|cp|cpSync|open|openSync|chmod\w*|utimes\w*)\s*\(|\bDatabaseSync\b|\bsqlite\b"
        r"|\bhomedir\s*\(|\bprocess\.chdir\b|\bDeno\.\w|\bBun\.(?:write|file)\b|\btransports\.(?:File|DailyRotateFile)\b|\blisten\(\s*(?:[\"'`][^\"'`\d]|\{[^}]*\bpath\b)|\bpino\.(?:destination|transport)\b|\bmulter\b"
    ),
    re.compile(r"\bmkdtemp\w*\s*\(|\btmpdir\s*\("),
    re.compile(rf"{_ROOT_PATHS}|\bprocess\.(?:set[eg]?[ug]id|setgroups|initgroups)\b|\bchown(?:Sync)?\s*\("),
    re.compile(r"\bchild_process\b|\bexeca\b|\bshelljs\b|\bcross-spawn\b|\bcluster\.setup"),
    re.compile(r"\blisten\(\s*(?P<port>\d{1,5})\b|\b(?:PORT|port)\s*(?:=|:|\|\||\?\?)\s*[\"']?(?P<more>\d{1,5})\b"),
    re.compile(
        r"\bprocess\.env(?:\.(?P<name>\w+)|\[[\"'](?P<quoted>\w+)[\"']\])(?:\s*(?:\|\||\?\?)\s*(?P<default>[\"'][^\"']*[\"']))?"
    ),
    re.compile(r"\b(?:path\.)?(?:join|resolve)\("),
    re.compile(r"(?:^|/)package\.json$|\.prisma$"),
    re.compile(
        r"\"(?:better-sqlite3|sqlite3?|@seald-io/nedb|nedb\w*|lowdb|level\w*|multer|formidable|express-fileupload|@fastify/multipart|"
        r"winston-daily-rotate-file|log4js|rotating-file-stream|file-stream-rotator|node-persist|conf|configstore|electron-store|"
        r"puppeteer\w*|playwright\w*|next|nuxt|astro|gatsby|strapi|@strapi/.*|ghost|directus|pm2|nodemon|ts-node|tsx|dockerode|"
        r"whatsapp-web\.js|keyv-file|keyv-sqlite|@keyv/sqlite|file-system-cache|flat-cache|cacache|raw-socket|pcap|node-pty|@libsql/client|"
        r"session-file-store|connect-(?:sqlite3|loki)|lokijs|node-localstorage|node-json-db|@whiskeysockets/baileys|sequelize-sqlite|simple-git|isomorphic-git|serve-favicon-cache|json-server|nestjs-form-data|"
        r"@prisma/client|prisma|aedes-persistence-\w+|keystone|@keystone-.*|payload|meilisearch-local|fs-jetpack|write-file-atomic|"
        r"winston-\w*file\w*|parse-server|node-red|hubot|n8n)\"\s*:|provider\s*=\s*\"sqlite\""
    ),
)

_PYTHON = Language(
    "Python",
    re.compile(r"\.py$"),
    re.compile(rf"{_TESTS}|(?:^|/)(?:test_\w+|\w+_test|conftest|setup|noxfile|tasks|fabfile)\.py$"),
    re.compile(
        r"(?<![\w.])open\s*\((?=[^\n]*[\"'][rbtU]*[wax+][rbtwaxU+]*[\"'])(?P<argument>)|\bopen\s*\([^\n\"']*mode\s*=|\.open\(\s*[\"'][wax]"
        r"|(?<![\w.])open\s*\((?![^()\n]*\))|\bopen\s*\([^()\n]*\([^()\n]*\)\s*,\s*\w*mode|\baiofiles\b|\bos\.open\b|\bcodecs\.open\b|\bio\.open\b"
        r"|\.write_(?:text|bytes)\s*\(|\.touch\s*\(|\.mkdir\s*\(|\.unlink\s*\(|\.rmdir\s*\(|\.symlink_to\s*\("
        r"|\bos\.(?:rename|renames|replace|remove|unlink|rmdir|removedirs|symlink|link|truncate|chmod|mkfifo|utime|"
        r"(?P<directory>mkdir|makedirs))\s*\((?P<directory_argument>)"
        r"|\bshutil\.\w+|\b(?:\w*FileHandler|FileStorage|FileSystemStorage|FileSystemCache|FileCache|StaticStorage)\b"
        r"|\bbasicConfig\([^)]*filename|[\"']filename[\"']\s*:|\bsqlite|\bshelve\b|\bdbm\b|\bsavefig\b|\.to_(?:csv|excel|pickle|parquet|hdf|feather)\s*\("
        r"|\.save\(\s*\w|\bextractall\b|\burlretrieve\b|\bjoblib\.dump\b|\blogger\.add\(\s*(?!sys)|\bpersist_directory\b|\bUPLOAD_FOLDER\b|\bMEDIA_ROOT\b"
        r"|\b(?:pidfile|accesslog|errorlog|logfile|worker_tmp_dir)\s*=\s*[\"'](?!-[\"']|/dev/)"
        r"|\bexpanduser\b|\bPath\.home\b|\bos\.chdir\b|\bfileConfig\b"
    ),
    re.compile(r"\btempfile\b|\bUploadFile\b|\brequest\.files\b"),
    re.compile(
        rf"{_ROOT_PATHS}|\bos\.(?:set\w*[ug]id|setgroups|chown|chroot|lchown|nice|mknod)\b|\bSOCK_RAW\b|\bAF_PACKET\b|\bscapy\b|\bshutil\.chown\b"
    ),
    re.compile(
        r"\bsubprocess\b|\bos\.(?:system|popen|exec\w+|spawn\w+|posix_spawn\w*)\b|\bpexpect\b|\bcreate_subprocess_\w+"
    ),
    re.compile(
        r"\b(?:port\s*=\s*|bind\s*=\s*\[?[\"'][^\"'\n]*:)(?P<port>\d{1,5})\b|[\"'](?:0\.0\.0\.0|127\.0\.0\.1|localhost|::|)[\"'],\s*(?P<more>\d{1,5})\b"
    ),
    re.compile(
        r"\bos\.(?:getenv\(|environ\.get\(|environ\[)\s*[\"'](?P<name>\w+)[\"'](?:\s*,\s*(?P<default>[\"'][^\"']*[\"']))?\s*[\])]"
    ),
    re.compile(r"\bos\.path\.join\("),
    re.compile(r"(?:^|/)(?:requirements[\w./-]*\.txt|pyproject\.toml|Pipfile|setup\.cfg|setup\.py)$"),
    re.compile(
        r"(?im)^[\s\"']*(?:django\w*|wagtail|aiosqlite|chromadb|transformers|huggingface[-_]hub|sentence[-_]transformers|torch\w*|tensorflow\w*|"
        r"keras|nltk|spacy|playwright|selenium|celery|tinydb|diskcache|streamlit|jupyter\w*|notebook|gradio|scrapy|whoosh|duckdb|lancedb|"
        r"numba|gitpython|pygit2|yt[-_]dlp|flask[-_](?:uploads|session|caching)|langchain\w*|openai[-_]whisper|faiss\w*|docker|kaleido|librosa|"
        r"peewee|pony|dataset|odoo\w*|airflow|apache[-_]airflow|prefect|mlflow|dvc|weasyprint|matplotlib|paddle\w*|ultralytics|onnx\w*|"
        r"easyocr|pyrogram|telethon|zodb|flask[-_]sqlalchemy|flask[-_]migrate|reflex|nicegui|home[-_]?assistant|supervisor|robotframework\w*|pytest-\w+-server|"
        r"ansible\w*|pyppeteer|undetected[-_]chromedriver|webdriver[-_]manager|rembg|stanza|fasttext|tldextract|fake[-_]useragent|cachecontrol|requests[-_]cache)\b"
    ),
)

_JAVA = Language(
    "Java",
    re.compile(
        r"\.(?:java|kt|scala|groovy)$|(?:^|/)(?:application|bootstrap|logback|log4j2?)[\w.-]*\.(?:properties|ya?ml|xml)$"
    ),
    re.compile(rf"{_TESTS}|src/test/"),
    re.compile(
        r"\b(?:FileWriter|FileOutputStream|RandomAccessFile|FileUtils|FileCopyUtils|FileSystemUtils|AsynchronousFileChannel|FileChannel)\b"
        r"|\bFiles\.(?:write\w*|create\w*|copy|move|delete\w*|newBufferedWriter|newOutputStream|newByteChannel|set\w+)\b|\.mkdirs?\s*\(|"
        r"\bcreateNewFile\b|\btransferTo\s*\(|\b(?:Rolling\w*|)FileAppender\b|\bFileHandler\b|\.writeText\s*\(|\.appendText\s*\(|"
        r"\bjdbc:(?:h2:(?!mem)|sqlite:|hsqldb:(?!mem)|derby:)|\blogging\.file\b|(?m:^\s*file\s*:\s*$)|\bPrintWriter\(\s*\"|\bImageIO\.write\b|"
        r"\buser\.home\b|\bFSDirectory\b|\bRocksDB\b|\bMapDB\b|\bDBMaker\b"
    ),
    re.compile(r"\bcreateTemp(?:File|Directory)\b|\bMultipartFile\b|\bspring-boot\b|\bjava\.io\.tmpdir\b"),
    re.compile(rf"{_ROOT_PATHS}|\bPosixFileAttributes\b|\bsetOwner\b"),
    re.compile(r"\bProcessBuilder\b|\bRuntime\.getRuntime\(\)\.exec\b"),
    re.compile(r"\bserver\.port\s*[=:]\s*(?P<port>\d{1,5})\b|(?m:^\s*port:\s*(?P<more>\d{1,5})\b)"),
    re.compile(r"\bSystem\.getenv\(\s*\"(?P<name>\w+)\"\s*\)(?P<default>)"),
    re.compile(r"\bPaths?\.(?:get|of)\("),
    re.compile(r"(?:^|/)(?:pom\.xml|build\.gradle(?:\.kts)?|libs\.versions\.toml)$"),
    re.compile(
        r"sqlite-jdbc|\bh2\b|hsqldb|\bderby\b|rocksdb|lucene|kafka-streams|hibernate-search|mapdb|xodus|ehcache|docker-java|selenium|playwright|"
        r"jgit|quarkus|micronaut|vaadin|jib|camel-file|activemq-broker|artemis-server|neo4j-embedded|pi4j|jna\b|commons-fileupload|spring-cloud-config-server"
    ),
)

LANGUAGES = {language.name: language for language in (_GO, _NODE, _PYTHON, _JAVA)}
