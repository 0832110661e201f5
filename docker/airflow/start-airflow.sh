#!/bin/bash
# Runs Airflow's four parts. When one of them ends, the others are stopped and this script fails, so that Docker's restart policy
# starts all of them again: Airflow works with all four only. At TERM it stops them in order.
set -euo pipefail
keys=${KEYS_DIR:-/run/keys}
home=${AIRFLOW_HOME:-/opt/airflow}
stop_seconds=${STOP_SECONDS:-45} # Less than the service's stop_grace_period.
log_days=${LOG_DAYS:-15}

# Airflow opens the file of the passwords for writing, so it cannot be that of the key itself.
write_admin_password() {
  (
    umask 077
    python3 -c 'import json, pathlib, sys; print(json.dumps({"admin": pathlib.Path(sys.argv[1]).read_text().rstrip("\r\n")}))' \
      "$keys/airflow-admin-password" >"$home/simple_auth_manager_passwords.json.generated"
  )
}

# Each run of a task writes a file, which Airflow itself never removes.
clean_logs() {
  trap 'kill "$!" 2>/dev/null; exit 0' TERM
  while true; do
    find "$home/logs" -type f -mtime "+$log_days" -delete || true
    find "$home/logs" -mindepth 1 -type d -empty -mtime "+$log_days" -delete || true
    sleep 3600 &
    wait "$!"
  done
}

signal_all() {
  local pid
  for pid in $(jobs -rp); do
    kill -s "$1" "$pid" 2>/dev/null || true
  done
}

stop_all() {
  trap '' TERM
  signal_all TERM
  local deadline=$((SECONDS + stop_seconds))
  while [ -n "$(jobs -rp)" ] && [ "$SECONDS" -lt "$deadline" ]; do
    sleep 0.2
  done
  signal_all KILL
  wait
}

trap 'stop_all; exit 143' TERM

write_admin_password

# In the background, like the parts: bash would handle TERM only after a program in the foreground.
airflow db migrate &
wait "$!"

clean_logs &

declare -A parts
airflow scheduler --skip-serve-logs &
parts[$!]=scheduler
airflow dag-processor &
parts[$!]=dag-processor
airflow api-server &
parts[$!]=api-server
airflow triggerer --skip-serve-logs &
parts[$!]=triggerer

code=0
wait -n -p ended "${!parts[@]}" || code=$?
echo "error: Airflow's ${parts[$ended]} has ended with exit code $code; stopping the others" >&2
stop_all
exit 1
