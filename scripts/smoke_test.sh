#!/usr/bin/env bash
# Proves that a running stack works: trades go through Kafka and Spark into bars, and the bars equal the exchange's.
# Every step is a cryptopipe command, so it is the same on the native stack and on Docker's.
set -euo pipefail
cryptopipe="$(dirname -- "${BASH_SOURCE[0]}")/../bin/cryptopipe"
symbol=SMOKETEST

usage() {
  cat <<'EOF'
Usage: scripts/smoke_test.sh [NAME=VALUE ...]

Needs a stack that runs (`cryptopipe stack up`) and no exchange: it brings a sandbox of its own. It plays half an
hour of trades of the symbol SMOKETEST, waits until they are counted, and holds their bars against the sandbox's. The next
call plays the next half hour. At the end the sandbox is gone, and the streaming job too where none ran before; the bars of
SMOKETEST stay. NAME=VALUE is a parameter of the streaming job, should it have to be started.

Exit codes are those of cryptopipe: 0 all is well · 4 a system did not answer · 5 the data are not as they should be.
EOF
}

parameters=()
for argument in "$@"; do
  case "$argument" in
    -h | --help) usage && exit 0 ;;
    *=*) parameters+=(--param "$argument") ;;
    *)
      printf 'error: %s is not known to this script; it takes NAME=VALUE and --help\n' "$argument" >&2
      exit 2
      ;;
  esac
done

folder="$(mktemp -d)"
sandbox='' # its process
is_ours='' # the run of the streaming job

# Whatever the way out: nothing of this goes on, and the last line is the verdict.
finish() {
  local code=$?
  trap '' INT TERM
  [[ -z $is_ours ]] || "$cryptopipe" stop streaming || true
  if [[ -n $sandbox ]]; then kill "$sandbox" 2>/dev/null && wait "$sandbox" || true; fi
  rm -rf -- "$folder"
  if ((code == 0)); then echo 'smoke test: passed'; else echo "smoke test: FAILED, exit code $code" >&2; fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What JavaScript finds in `it`, the JSON that a command printed ($1 names its file); empty where there is nothing.
# shellcheck disable=SC2016 # it is JavaScript
value() {
  node -p 'const it = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n").at(-1));
    new Function("it", `return ${process.argv[2]}`)(it) ?? ""' "$folder/$1" "$2"
}
counted() { value status "it.parts.find(({ name }) => name === 'data').facts.symbols?.find(({ symbol }) => symbol === '$symbol')$1"; }
# Runs `cryptopipe $2…` for five minutes at most, and keeps its JSON in the file $1.
run() {
  local code=0
  timeout --foreground 300 "$cryptopipe" "${@:2}" --json >"$folder/$1" || code=$?
  ((code != 124)) || code=4 # it stood still
  return "$code"
}
# The same, but exit code 5, "not well", is looked into by what was printed: it may be for other reasons than this test's.
look() {
  local code=0
  run "$@" || code=$?
  ((code == 0 || code == 5)) || {
    printf 'error: cryptopipe %s: exit code %d\n' "${*:2}" "$code" >&2
    return "$code"
  }
}
step() { printf '%-8s %s\n' "$1" "$2"; }
equal() { # what, found, expected
  [[ $2 == "$3" ]] || {
    printf 'error: %s: %s, not %s\n' "$1" "${2:-nothing}" "$3" >&2
    exit 5
  }
}

run init init
step init 'topics, tables and folders are there'

# The market is the same in every run; it goes on with the minute of the newest trade that is counted. The last minute is
# not final, for nothing follows it yet; nor is the first one in the very first run, for nothing comes before it.
run status status --exchange sandbox || true # no exchange is there yet
newest="$(counted '?.newestTradeAt')"
if [[ -n $newest ]]; then edges=1; else edges=2 newest=1704067200000; fi
begin=$((newest / 60000 * 60000))

trades=1920
tape="$folder/$symbol-aggTrades-smoke.csv"
run tape sandbox tape --symbol $symbol --seed smoke --rate 1 --trades $trades --begin "$begin" --out "$tape"
minutes="$(awk -F, '{ print int($6 / 60000) }' "$tape" | uniq | wc -l)"
final=$((minutes - edges))
"$cryptopipe" sandbox --port 0 --all-at-once --tape "$tape" --json >"$folder/sandbox" 2>"$folder/log" &
sandbox=$!
for _ in {1..120}; do
  [[ ! -s $folder/sandbox ]] || break
  kill -0 "$sandbox" 2>>"$folder/log" || {
    cat "$folder/log" >&2
    exit 4
  }
  sleep 0.5
done
exchange="$(value sandbox it.url)"
step sandbox "$trades trades of $symbol, to be sent from $exchange"

run produce produce --symbols $symbol --exchange "$exchange" --from 0 --ignore-cursor --until-caught-up --quiet
equal 'trades sent' "$(value produce it.sent)" "$trades"
step produce "$trades trades are in Kafka"

look runs runs --job streaming --live
[[ $(value runs it.runs.length) != 0 ]] || is_ours=yes
run submit submit streaming "${parameters[@]}"
step submit "run $(value submit it.runId) is $(value submit it.state)"

last_time="$(value tape it.lastTime)"
for _ in {1..60}; do
  look status status --exchange "$exchange"
  newest="$(counted '?.newestTradeAt ?? 0')"
  ((newest < last_time)) || break
  sleep 1
done
equal 'time of the newest trade that is counted' "$newest" "$last_time"
equal 'holes' "$(counted .holes)" 0
step status 'all are counted, and no id is missing'

look verify verify --symbols $symbol --exchange "$exchange" --from "$begin"
equal 'final bars' "$(value verify 'it.symbols[0].finalBars')" "$final"
equal 'final bars compared' "$(value verify 'it.symbols[0].compared')" "$final"
equal 'bars equal in nine fields' \
  "$(value verify 'it.symbols[0].verdicts.equal + it.symbols[0].verdicts["equal (quote cut)"]')" "$final"
equal 'proven' "$(value verify it.isProven)" true
step verify "$final final bars of $final equal the exchange's in nine fields"
