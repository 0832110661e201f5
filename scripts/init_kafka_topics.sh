#!/usr/bin/env bash
# Makes the topics of the ticks and of the cursors where they are missing: a thin way to `cryptopipe init --only topics`.
set -euo pipefail
cryptopipe="$(dirname -- "${BASH_SOURCE[0]}")/../bin/cryptopipe"

usage() {
  cat <<'EOF'
Usage: scripts/init_kafka_topics.sh [--dry-run]

Makes the Kafka topics that are missing; what is there stays as it is, so it may run any number of times.
KAFKA_BOOTSTRAP_SERVERS and KAFKA_TOPIC say where, and the name. --dry-run says what is missing and makes nothing.
EOF
}

for argument in "$@"; do
  case "$argument" in
    -h | --help) usage && exit 0 ;;
    -n | --dry-run) ;;
    *)
      printf 'error: %s is not known to this script; it takes --dry-run and --help\n' "$argument" >&2
      exit 2
      ;;
  esac
done

exec "$cryptopipe" init --only topics "$@"
