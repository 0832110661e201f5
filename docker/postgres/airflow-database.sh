#!/bin/bash
# Airflow's own role and database. PostgreSQL's image runs it once, when it makes its data folder.
set -euo pipefail
keys=${KEYS_DIR:-/run/keys}

# psql reads the file itself: an argument would stand in the list of processes.
psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres <<SQL
\set password \`cat '$keys/airflow-database-password'\`
CREATE ROLE airflow LOGIN PASSWORD :'password';
CREATE DATABASE airflow OWNER airflow;
SQL
