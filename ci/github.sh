#!/usr/bin/env bash
# The step of action.yml: install dockopt from this directory, report in the ways that are asked for, and exit by the policy.
#
# Every report is made by a call of its own: each sees the same files, so all say the same.
set -uo pipefail

fail() {
  echo "::error title=dockopt::$1"
  exit 2
}

lines() { # NAME TEXT: the lines of a text as an array, empty ones left out
  local -n array=$1
  local line
  array=()
  while IFS= read -r line; do
    line=${line%$'\r'}
    [ -z "$line" ] || array+=("$line")
  done <<<"$2"
}

case $DOCKOPT_FAIL_ON in
  findings | never) ;;
  *) fail "fail-on: \`$DOCKOPT_FAIL_ON\` is none of findings, never" ;;
esac
"$DOCKOPT_PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "\`$DOCKOPT_PYTHON\` is no Python 3.11 or newer; set one up with actions/setup-python, or name it with the input \`python\`"

environment=$RUNNER_TEMP/dockopt
"$DOCKOPT_PYTHON" -m venv "$environment" &&
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir "$GITHUB_ACTION_PATH" ||
  fail "dockopt could not be installed"

lines paths "$DOCKOPT_PATHS"
lines options "$DOCKOPT_ARGS"
[ -z "$DOCKOPT_DIFF_BASE" ] || options+=("--diff-base=$DOCKOPT_DIFF_BASE")
[ -z "$DOCKOPT_BASELINE" ] || options+=("--baseline=$DOCKOPT_BASELINE")

# report FORMAT [FILE [OPTION]]: what the tool says, to a file or to the log
report() {
  "$environment/bin/dockopt" suggest "${options[@]}" --format "$1" ${2:+--output "$2"} ${3:-} -- ${paths[@]+"${paths[@]}"}
}

# quoted COMMAND...: what it prints holds names and lines of the project, and none of them is a command for the runner
quoted() {
  local token code
  token=$("$DOCKOPT_PYTHON" -c 'import secrets; print(secrets.token_hex(16))')
  echo "::stop-commands::$token"
  "$@" 2>&1
  code=$?
  echo "::$token::"
  return $code
}

found=$RUNNER_TEMP/dockopt-findings.jsonl
quoted report jsonl "$found" --check
code=$?
[ "$code" -le 1 ] || fail "dockopt ended with exit code $code; its messages stand above"
findings=$(grep -cE '^\{"kind": "(finding|advice)"' "$found")
echo "findings=$findings" >>"$GITHUB_OUTPUT"

# messages on standard error were printed once
if [ "$DOCKOPT_ANNOTATIONS" = true ]; then report github 2>/dev/null; else quoted report text 2>/dev/null; fi
if [ "$DOCKOPT_SUMMARY" = true ]; then
  report markdown "$RUNNER_TEMP/dockopt-summary.md" 2>/dev/null && cat "$RUNNER_TEMP/dockopt-summary.md" >>"$GITHUB_STEP_SUMMARY"
fi
[ -z "$DOCKOPT_SARIF" ] || report sarif "$DOCKOPT_SARIF" 2>/dev/null || fail "\`$DOCKOPT_SARIF\` could not be written"
[ -z "$DOCKOPT_MARKDOWN" ] || report markdown "$DOCKOPT_MARKDOWN" 2>/dev/null || fail "\`$DOCKOPT_MARKDOWN\` could not be written"

# notes alone let it pass
if [ "$code" -eq 1 ] && [ "$DOCKOPT_FAIL_ON" = findings ]; then
  echo "dockopt: $findings findings; \`dockopt fix --write\` applies what keeps the image"
  exit 1
fi
