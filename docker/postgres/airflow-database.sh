#!/bin/bash
# Ensures Airflow's own role and database in PostgreSQL: creates what is missing, and sets the role's password to that of its key.
# Runs at each `up`.
set -euo pipefail
keys=${KEYS_DIR:-/run/keys}

if [ "$POSTGRES_USER" = airflow ] || [ "$PGDATABASE" = airflow ]; then
  echo "error: Airflow's own role and database are called airflow" >&2
  echo 'Give POSTGRES_USER and PGDATABASE another name.' >&2
  exit 3
fi

PGPASSWORD=$(cat "$keys/postgres-password")
export PGPASSWORD

# psql reads the file itself: an argument would stand in the list of processes.
ensure() {
  psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres <<SQL
\set password \`cat '$keys/airflow-database-password'\`
SELECT format(
  CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = 'airflow') THEN 'ALTER' ELSE 'CREATE' END || ' ROLE airflow LOGIN PASSWORD %L',
  :'password'
) \gexec
SELECT 'CREATE DATABASE airflow OWNER airflow'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'airflow') \gexec
SQL
}

if ! ensure; then
  cat >&2 <<TEXT
error: the role and database of Airflow could not be ensured as $POSTGRES_USER
PostgreSQL keeps the password of its first start. If POSTGRES_PASSWORD was changed since, set the old value again, or change the
role's password too: \`docker compose exec postgres psql -U $POSTGRES_USER -d $PGDATABASE\`, then \`\\password\`.
TEXT
  exit 4
fi
