#!/usr/bin/env bash
# Starts the streaming job, or another job by its name: a thin way to `cryptopipe submit`.
set -euo pipefail
cryptopipe="$(dirname -- "${BASH_SOURCE[0]}")/../bin/cryptopipe"

usage() {
  cat <<'EOF'
Usage: scripts/run_spark_jobs.sh [--wait] [JOB [NAME=VALUE ...]]

Without JOB it starts `streaming`, the job that counts. A run of it that lives is left as it is, so it may run any number
of times. With JOB it starts that one, with parameters; `cryptopipe jobs` lists them. --wait follows the run to its end,
and the exit code is 0 only where it FINISHED.

Examples: scripts/run_spark_jobs.sh
          scripts/run_spark_jobs.sh --wait quality day=2024-08-08
EOF
}

options=()
words=()
for argument in "$@"; do
  case "$argument" in
    -h | --help) usage && exit 0 ;;
    --wait) options+=(--wait) ;;
    *=*) options+=(--param "$argument") ;;
    -*)
      printf 'error: %s is not known to this script; it takes --wait and --help\n' "$argument" >&2
      exit 2
      ;;
    *) words+=("$argument") ;;
  esac
done
if ((${#words[@]} > 1)); then
  printf 'error: one job at a time, not %s; its parameters are written NAME=VALUE\n' "${words[*]}" >&2
  exit 2
fi

exec "$cryptopipe" submit "${words[0]:-streaming}" "${options[@]}"
