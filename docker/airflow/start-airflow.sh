#!/bin/bash
# Airflow with all its parts: takes its secrets from their files, and becomes `airflow standalone`.
set -euo pipefail
keys=${KEYS_DIR:-/run/keys}
home=${AIRFLOW_HOME:-/opt/airflow}

key() { cat "$keys/$1"; }

# Keys of base64url go into an address and into JSON as they are; a password that was chosen does not.
AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="postgresql+psycopg2://airflow:$(key airflow-database-password)@${PGHOST}:${PGPORT}/airflow"
AIRFLOW__CORE__FERNET_KEY=$(key airflow-fernet-key)
AIRFLOW__API__SECRET_KEY=$(key airflow-api-secret-key)
AIRFLOW__API_AUTH__JWT_SECRET=$(key airflow-jwt-secret)
export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN AIRFLOW__CORE__FERNET_KEY AIRFLOW__API__SECRET_KEY AIRFLOW__API_AUTH__JWT_SECRET

# Airflow opens it for writing, so it cannot be the file of the key itself.
umask 077
python3 -c 'import json, pathlib, sys; print(json.dumps({"admin": pathlib.Path(sys.argv[1]).read_text().rstrip("\r\n")}))' \
  "$keys/airflow-admin-password" >"$home/simple_auth_manager_passwords.json.generated"
umask 022

exec airflow standalone
