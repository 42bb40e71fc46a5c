#!/bin/sh
# Tries the packaged extension in a real VS Code: `sh test/real/run.sh DOCKOPT PICTURES`, where DOCKOPT is the program.
# Not part of the usual tests: it needs code-server and playwright-core from npm (in ./node_modules or NODE_PATH), and a Chromium.
set -eu
dockopt=$1 pictures=$2
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$pictures" "$work/data/User" "$work/project"
cp -R "$here/../../fixtures/examples/go-service/." "$work/project/"
printf '{"dockopt.path": "%s", "security.workspace.trust.enabled": false, "workbench.startupEditor": "none"}\n' "$dockopt" \
  >"$work/data/User/settings.json"
code_server=${CODE_SERVER:-code-server}
"$code_server" --user-data-dir "$work/data" --extensions-dir "$work/extensions" --install-extension "$here/dockopt.vsix"
"$code_server" --auth none --bind-addr 127.0.0.1:8123 --user-data-dir "$work/data" --extensions-dir "$work/extensions" \
  --disable-telemetry --disable-update-check >"$work/log" 2>&1 &
server=$!
sleep 6
node "$here/test/real/drive.mjs" http://127.0.0.1:8123 "$work/project" "$pictures"
