#!/bin/sh
# Grafana's image takes only settings of its own from files; the data source names this one.
set -eu
POSTGRES_READER_PASSWORD=$(cat "${KEYS_DIR:-/run/keys}/postgres-reader-password")
export POSTGRES_READER_PASSWORD
exec "${GRAFANA_RUN:-/run.sh}" "$@"
