#!/bin/bash
# Airflow with all its parts: writes the password of its admin where Airflow wants it, and becomes `airflow standalone`.
set -euo pipefail
keys=${KEYS_DIR:-/run/keys}
home=${AIRFLOW_HOME:-/opt/airflow}

# Airflow opens it for writing, so it cannot be the file of the key itself.
umask 077
python3 -c 'import json, pathlib, sys; print(json.dumps({"admin": pathlib.Path(sys.argv[1]).read_text().rstrip("\r\n")}))' \
  "$keys/airflow-admin-password" >"$home/simple_auth_manager_passwords.json.generated"
umask 022

exec airflow standalone
