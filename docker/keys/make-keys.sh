#!/bin/sh
# Hands each service of docker-compose.yml a folder of the secrets that it needs, readable by its user alone.
# A secret is what its file holds (`…_FILE` in .env), else its value, else what was made here at the first start.
# Safe to run again: what was made stays, and a secret that was changed in .env is handed out anew; who runs already keeps the
# old one until it is started again.
set -eu
umask 077
keys=${KEYS_DIR:-/keys}
given=${SECRETS_DIR:-/run/secrets}

# 32 random bytes in base64url, without its padding.
random_key() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }

# made NAME: the key of that name, made where there is none. It has its name only when it is whole.
made() {
  file=$keys/made/$1
  if [ ! -s "$file" ]; then
    random_key >"$file.new"
    mv "$file.new" "$file"
  fi
  cat "$file"
}

# secret NAME VALUE
secret() {
  if [ -s "$given/$1" ]; then
    cat "$given/$1"
  elif [ -n "$2" ]; then
    printf '%s' "$2"
  else
    made "$1"
  fi
}

# hand SERVICE OWNER NAME VALUE
hand() {
  file=$keys/$1/$3
  printf '%s' "$4" >"$file.new"
  chmod 0400 "$file.new"
  chown "$2" "$file.new"
  mv "$file.new" "$file"
}

# close SERVICE OWNER: the folder itself.
close() {
  chmod 0500 "$keys/$1"
  chown "$2" "$keys/$1"
}

# The users of the images, by their numbers.
postgres=999:999
spark=185:185
cryptopipe=1000:1000
airflow=50000:0
grafana=472:0

password=$(secret postgres-password "${POSTGRES_PASSWORD:-crypto}")
reader=$(secret postgres-reader-password "${POSTGRES_READER_PASSWORD:-}")
rest_key=$(secret spark-rest-key "${SPARK_REST_KEY:-}")
airflow_admin=$(secret airflow-admin-password "${AIRFLOW_ADMIN_PASSWORD:-}")
grafana_admin=$(secret grafana-admin-password "${GRAFANA_ADMIN_PASSWORD:-}")
airflow_database=$(made airflow-database-password)

hand postgres "$postgres" postgres-password "$password"
hand postgres "$postgres" airflow-database-password "$airflow_database"
close postgres "$postgres"

# The master alone checks what is signed with it. A worker's jobs could sign whatever they like.
hand spark-master "$spark" spark-rest-key "$rest_key"
close spark-master "$spark"
hand spark-worker "$spark" postgres-password "$password"
close spark-worker "$spark"

# hand_to_program SERVICE OWNER: what the command line reads.
hand_to_program() {
  hand "$1" "$2" postgres-password "$password"
  hand "$1" "$2" postgres-reader-password "$reader"
  hand "$1" "$2" spark-rest-key "$rest_key"
  close "$1" "$2"
}
hand_to_program cryptopipe "$cryptopipe"
hand_to_program airflow "$airflow"
hand airflow "$airflow" airflow-admin-password "$airflow_admin"
# Keys of base64url go into an address as they are.
hand airflow "$airflow" airflow-database-url "postgresql+psycopg2://airflow:$airflow_database@postgres:5432/airflow"
hand airflow "$airflow" airflow-api-secret-key "$(made airflow-api-secret-key)"
hand airflow "$airflow" airflow-jwt-secret "$(made airflow-jwt-secret)"
# A Fernet key wants its padding.
hand airflow "$airflow" airflow-fernet-key "$(made airflow-fernet-key)="

hand grafana "$grafana" postgres-reader-password "$reader"
hand grafana "$grafana" grafana-admin-password "$grafana_admin"
close grafana "$grafana"
