"""Modules in which no Go file that is built for Linux imports "C", tests apart; packages in `testdata` and nested modules do not count.

Each was looked at file by file in November 2026, in its newest release then or in the one that others of the list require, by the rules
of `sources.Target` with every architecture and without build tags. An older or newer release is taken to be alike.
"""

from __future__ import annotations

MODULES_WITHOUT_C = frozenset(
    """
    code.gitea.io/sdk/gitea filippo.io/edwards25519 github.com/42wim/httpsig github.com/99designs/gqlgen
    github.com/99designs/keyring github.com/AdaLogics/go-fuzz-headers github.com/BurntSushi/toml github.com/ClickHouse/ch-go
    github.com/ClickHouse/clickhouse-go github.com/ClickHouse/clickhouse-go/v2 github.com/DataDog/dd-trace-go/v2
    github.com/IBM/sarama github.com/KyleBanks/depth github.com/Masterminds/squirrel github.com/Microsoft/go-winio
    github.com/Microsoft/hcsshim github.com/ProtonMail/go-crypto github.com/PuerkitoBio/goquery github.com/PuerkitoBio/purell
    github.com/PuerkitoBio/urlesc github.com/agext/levenshtein github.com/agnivade/levenshtein
    github.com/anchore/go-struct-converter github.com/andybalholm/brotli github.com/andybalholm/cascadia
    github.com/antchfx/htmlquery github.com/antchfx/xmlquery github.com/antchfx/xpath github.com/apache/pulsar-client-go
    github.com/armon/circbuf github.com/aws/aws-sdk-go github.com/aws/aws-sdk-go-v2
    github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream github.com/aws/aws-sdk-go-v2/credentials
    github.com/aws/aws-sdk-go-v2/internal/configsources github.com/aws/aws-sdk-go-v2/internal/endpoints/v2
    github.com/aws/aws-sdk-go-v2/internal/v4a github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding
    github.com/aws/aws-sdk-go-v2/service/internal/checksum github.com/aws/aws-sdk-go-v2/service/internal/presigned-url
    github.com/aws/aws-sdk-go-v2/service/internal/s3shared github.com/aws/aws-sdk-go-v2/service/s3 github.com/aws/smithy-go
    github.com/beorn7/perks github.com/bits-and-blooms/bitset github.com/bmatcuk/doublestar/v4 github.com/bytedance/gopkg
    github.com/bytedance/sonic github.com/bytedance/sonic/loader github.com/caarlos0/env github.com/caarlos0/env/v11
    github.com/cespare/xxhash/v2 github.com/cilium/ebpf github.com/clipperhouse/uax29/v2 github.com/cloudflare/circl
    github.com/cloudwego/base64x github.com/codahale/rfc6979 github.com/containerd/accelerated-container-image
    github.com/containerd/cgroups/v3 github.com/containerd/containerd/api github.com/containerd/containerd/v2
    github.com/containerd/continuity github.com/containerd/errdefs github.com/containerd/errdefs/pkg github.com/containerd/fifo
    github.com/containerd/log github.com/containerd/log/otel github.com/containerd/nydus-snapshotter
    github.com/containerd/platforms github.com/containerd/plugin github.com/containerd/stargz-snapshotter
    github.com/containerd/stargz-snapshotter/estargz github.com/containerd/ttrpc github.com/containerd/typeurl/v2
    github.com/coreos/go-semver github.com/cpuguy83/go-md2man/v2 github.com/cyphar/filepath-securejoin
    github.com/davecgh/go-spew github.com/dgraph-io/badger/v2 github.com/dgraph-io/badger/v4 github.com/dgryski/go-rendezvous
    github.com/digitalocean/go-libvirt github.com/distribution/reference github.com/docker/cli github.com/docker/go-units
    github.com/dop251/goja github.com/dustin/go-humanize github.com/eapache/go-resiliency
    github.com/elastic/elastic-transport-go/v8 github.com/elastic/go-elasticsearch/v8 github.com/elastic/go-sysinfo
    github.com/erofs/go-erofs github.com/fatih/color github.com/felixge/httpsnoop github.com/fsnotify/fsnotify
    github.com/gabriel-vasile/mimetype github.com/getsentry/sentry-go github.com/gin-contrib/cors github.com/gin-contrib/sse
    github.com/gin-gonic/gin github.com/glebarez/go-sqlite github.com/glebarez/sqlite github.com/go-chi/chi
    github.com/go-chi/chi/v5 github.com/go-chi/cors github.com/go-faster/city github.com/go-faster/errors
    github.com/go-fed/httpsig github.com/go-git/go-git/v5 github.com/go-logr/logr github.com/go-logr/stdr
    github.com/go-openapi/jsonpointer github.com/go-openapi/jsonreference github.com/go-openapi/spec github.com/go-openapi/swag
    github.com/go-playground/locales github.com/go-playground/universal-translator github.com/go-playground/validator
    github.com/go-playground/validator/v10 github.com/go-redis/redis github.com/go-redis/redis/v8 github.com/go-sql-driver/mysql
    github.com/go-telegram-bot-api/telegram-bot-api github.com/go-telegram-bot-api/telegram-bot-api/v5
    github.com/go-viper/mapstructure/v2 github.com/gobwas/glob github.com/goccy/go-json github.com/goccy/go-yaml
    github.com/gocolly/colly github.com/gocolly/colly/v2 github.com/gofiber/fiber github.com/gofiber/fiber/v2
    github.com/gofrs/flock github.com/golang-jwt/jwt github.com/golang-jwt/jwt/v4 github.com/golang-jwt/jwt/v5
    github.com/golang-migrate/migrate github.com/golang-migrate/migrate/v4 github.com/golang/groupcache
    github.com/golang/protobuf github.com/google/go-cmp github.com/google/go-github/v74 github.com/google/go-querystring
    github.com/google/shlex github.com/google/uuid github.com/google/wire github.com/gorilla/handlers github.com/gorilla/mux
    github.com/gorilla/schema github.com/gorilla/securecookie github.com/gorilla/sessions github.com/gorilla/websocket
    github.com/graph-gophers/graphql-go github.com/grpc-ecosystem/grpc-gateway/v2 github.com/hashicorp/consul
    github.com/hashicorp/consul/api github.com/hashicorp/go-cleanhttp github.com/hashicorp/go-immutable-radix/v2
    github.com/hashicorp/go-retryablehttp github.com/hashicorp/go-uuid github.com/hashicorp/go-version
    github.com/hashicorp/golang-lru/v2 github.com/haya14busa/go-actions-toolkit github.com/haya14busa/go-sarif
    github.com/ilyakaznacheev/cleanenv github.com/in-toto/attestation github.com/in-toto/in-toto-golang
    github.com/inconshreveable/mousetrap github.com/jackc/chunkreader/v2 github.com/jackc/pgconn github.com/jackc/pgio
    github.com/jackc/pgpassfile github.com/jackc/pgproto3/v2 github.com/jackc/pgservicefile github.com/jackc/pgtype
    github.com/jackc/pgx github.com/jackc/pgx/v4 github.com/jackc/pgx/v5 github.com/jackc/puddle github.com/jackc/puddle/v2
    github.com/jcmturner/aescts/v2 github.com/jcmturner/dnsutils/v2 github.com/jcmturner/gofork github.com/jcmturner/gokrb5/v8
    github.com/jcmturner/rpc/v2 github.com/jinzhu/gorm github.com/jinzhu/inflection github.com/jinzhu/now
    github.com/jmespath/go-jmespath github.com/jmoiron/sqlx github.com/joho/godotenv github.com/josharian/intern
    github.com/json-iterator/go github.com/julienschmidt/httprouter github.com/kelseyhightower/envconfig
    github.com/kennygrant/sanitize github.com/klauspost/compress github.com/klauspost/cpuid/v2 github.com/klauspost/crc32
    github.com/kr/fs github.com/labstack/echo github.com/labstack/echo/v4 github.com/labstack/gommon github.com/lann/builder
    github.com/lann/ps github.com/leodido/go-urn github.com/lib/pq github.com/mailru/easyjson github.com/mattn/go-colorable
    github.com/mattn/go-isatty github.com/mattn/go-runewidth github.com/mattn/go-shellwords github.com/mfridman/interpolate
    github.com/microsoft/go-mssqldb github.com/miekg/dns github.com/minio/crc64nvme github.com/minio/md5-simd
    github.com/minio/minio-go github.com/minio/minio-go/v7 github.com/moby/buildkit github.com/moby/docker-image-spec
    github.com/moby/go-archive github.com/moby/locker github.com/moby/patternmatcher github.com/moby/policy-helpers
    github.com/moby/sys/mount github.com/moby/sys/mountinfo github.com/moby/sys/reexec github.com/moby/sys/sequential
    github.com/moby/sys/signal github.com/moby/sys/user github.com/moby/sys/userns github.com/modern-go/concurrent
    github.com/modern-go/reflect2 github.com/munnerz/goautoneg github.com/nats-io/nats.go github.com/nats-io/nkeys
    github.com/nats-io/nuid github.com/ncruces/go-sqlite3 github.com/ncruces/go-sqlite3-wasm/v6 github.com/ncruces/go-strftime
    github.com/ncruces/julianday github.com/nlnwa/whatwg-url github.com/opencontainers/go-digest
    github.com/opencontainers/image-spec github.com/opencontainers/runtime-spec github.com/package-url/packageurl-go
    github.com/paulmach/orb github.com/pelletier/go-toml github.com/pelletier/go-toml/v2 github.com/philhofer/fwd
    github.com/pierrec/lz4/v4 github.com/pkg/errors github.com/pkg/sftp github.com/planetscale/vtprotobuf
    github.com/pressly/goose github.com/pressly/goose/v3 github.com/prometheus/client_golang github.com/prometheus/client_model
    github.com/prometheus/common github.com/prometheus/otlptranslator github.com/prometheus/procfs github.com/quic-go/qpack
    github.com/quic-go/quic-go github.com/rabbitmq/amqp091-go github.com/rcrowley/go-metrics github.com/redis/go-redis
    github.com/redis/go-redis/v9 github.com/remyoudompheng/bigfft github.com/reva2/bitbucket-insights-api
    github.com/reviewdog/errorformat github.com/reviewdog/go-bitbucket github.com/reviewdog/reviewdog
    github.com/rhysd/actionlint github.com/rivo/uniseg github.com/robfig/cron github.com/robfig/cron/v3 github.com/rs/cors
    github.com/rs/xid github.com/rs/zerolog github.com/russross/blackfriday/v2 github.com/sagikazarmark/locafero
    github.com/saintfish/chardet github.com/samber/lo github.com/secure-systems-lab/go-securesystemslib github.com/segmentio/asm
    github.com/segmentio/kafka-go github.com/sethvargo/go-retry github.com/shibumi/go-pathspec github.com/shirou/gopsutil
    github.com/shirou/gopsutil/v3 github.com/shirou/gopsutil/v4 github.com/shopspring/decimal github.com/sigstore/cosign/v2
    github.com/sigstore/sigstore github.com/sigstore/sigstore-go github.com/sijms/go-ora/v2 github.com/sirupsen/logrus
    github.com/sosodev/duration github.com/sourcegraph/conc github.com/spdx/tools-golang github.com/spf13/afero
    github.com/spf13/cast github.com/spf13/cobra github.com/spf13/pflag github.com/spf13/viper github.com/stretchr/testify
    github.com/subosito/gotenv github.com/swaggo/files github.com/swaggo/gin-swagger github.com/swaggo/http-swagger
    github.com/swaggo/swag github.com/tarm/serial github.com/temoto/robotstxt github.com/tetratelabs/wazero
    github.com/tinylib/msgp github.com/tonistiigi/dchapes-mode github.com/tonistiigi/fsutil github.com/tonistiigi/go-archvariant
    github.com/tonistiigi/go-csvvalue github.com/tonistiigi/units github.com/twitchyliquid64/golang-asm github.com/twmb/franz-go
    github.com/ugorji/go/codec github.com/uptrace/bun/driver/sqliteshim github.com/urfave/cli github.com/urfave/cli/v2
    github.com/urfave/cli/v3 github.com/valyala/bytebufferpool github.com/valyala/fasthttp github.com/valyala/fasttemplate
    github.com/valyala/tcplisten github.com/vbatts/tar-split github.com/vektah/gqlparser/v2 github.com/wasilibs/go-re2
    github.com/xrash/smetrics github.com/youmark/pkcs8 github.com/zalando/go-keyring github.com/zeebo/xxh3
    gitlab.com/gitlab-org/api/client-go go.bug.st/serial go.etcd.io/bbolt go.etcd.io/etcd go.etcd.io/etcd/api/v3
    go.etcd.io/etcd/client/pkg/v3 go.etcd.io/etcd/client/v3 go.mongodb.org/mongo-driver go.mongodb.org/mongo-driver/v2
    go.opentelemetry.io/auto/sdk go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc
    go.opentelemetry.io/contrib/instrumentation/net/http/httptrace/otelhttptrace
    go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp go.opentelemetry.io/otel
    go.opentelemetry.io/otel/exporters/otlp/otlptrace go.opentelemetry.io/otel/exporters/prometheus go.opentelemetry.io/otel/log
    go.opentelemetry.io/otel/metric go.opentelemetry.io/otel/sdk go.opentelemetry.io/otel/sdk/metric
    go.opentelemetry.io/otel/trace go.opentelemetry.io/proto/otlp go.uber.org/atomic go.uber.org/goleak go.uber.org/multierr
    go.uber.org/zap go.yaml.in/yaml/v3 go.yaml.in/yaml/v4 golang.org/x/arch golang.org/x/build golang.org/x/crypto
    golang.org/x/exp golang.org/x/mod golang.org/x/net golang.org/x/oauth2 golang.org/x/sync golang.org/x/sys golang.org/x/term
    golang.org/x/text golang.org/x/time golang.org/x/tools gonum.org/v1/gonum google.golang.org/api google.golang.org/appengine
    google.golang.org/genproto google.golang.org/genproto/googleapis/api google.golang.org/genproto/googleapis/rpc
    google.golang.org/grpc google.golang.org/protobuf gopkg.in/DataDog/dd-trace-go.v1 gopkg.in/ini.v1 gopkg.in/yaml.v2
    gopkg.in/yaml.v3 gorm.io/driver/mysql gorm.io/driver/postgres gorm.io/driver/sqlite gorm.io/gorm gotest.tools
    gotest.tools/v3 kernel.org/pub/linux/libs/security/libcap/cap modernc.org/libc modernc.org/mathutil modernc.org/memory
    modernc.org/sqlite olympos.io/encoding/edn tags.cncf.io/container-device-interface
    tags.cncf.io/container-device-interface/specs-go zombiezen.com/go/sqlite
    """.split()
)
