#!/bin/bash
# Spark's Master: writes its settings with the key of the REST server, and becomes it.
# The key stands in a file, since an argument stands in the list of processes.
set -euo pipefail
spark_home=${SPARK_HOME:-/opt/spark}
conf=${SPARK_CONF_DIR:-$spark_home/conf}
here=$(dirname -- "$(readlink -f -- "$0")")

key=$(cat "$SPARK_REST_KEY_FILE")

umask 077
{
  cat "$here/spark-master.conf"
  printf 'spark.org.apache.spark.ui.JWSFilter.param.secretKey %s\n' "$key"
} >"$conf/spark-defaults.conf"

exec "$spark_home/bin/spark-class" org.apache.spark.deploy.master.Master \
  --host spark-master --port 7077 --webui-port 8080
