#!/bin/sh
# Make the secrets of deploy/compose.yaml, each at random; what is there already is never changed.
# Keep a copy of secret.key apart from the database's backups: without it nothing that is sealed can be read.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
make() { # name, content
    if [ -e "secrets/$1" ]; then
        echo "secrets/$1 is there already" >&2
    else
        printf '%s\n' "$2" >"secrets/$1"
    fi
}
make postgres_password "$(random)"
make rabbitmq_user.conf "default_user = ksef
default_pass = $(random)"
postgres=$(cat secrets/postgres_password)
rabbitmq=$(sed -n 's/^default_pass = //p' secrets/rabbitmq_user.conf)
make database_url "postgresql+psycopg://ksef:$postgres@postgres:5432/ksef"
make broker_url "amqp://ksef:$rabbitmq@rabbitmq:5672//"
make metrics_token "$(random)"
# 32 random bytes in URL-safe Base64 (a Fernet key)
make secret.key "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n')"
# containers run as a user of their own and read these through the engine; nobody else needs the folder
chmod 0700 secrets
chmod 0444 secrets/*
