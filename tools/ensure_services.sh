#!/usr/bin/env bash
# Starts PostgreSQL, Redis and RabbitMQ on this machine for the tests of installations that scale out.
#   ensure_services.sh             installs (as root, with apt-get) and starts what does not answer
#   ensure_services.sh --start N.. starts only, the services named: postgres redis rabbitmq
# A service given by an address (KSEF_TEST_POSTGRES_URL, _REDIS_URL, _RABBITMQ_URL) is left alone.
# Never fails: without a service its tests are skipped by name, and fail in CI.
set -uo pipefail

# a cluster of PostgreSQL of our own, where the machine's wants a password
PRIVATE_PORT=54329
installs=yes
if [ "${1:-}" = --start ]; then installs=no; shift; fi
wanted=("$@")
if [ ${#wanted[@]} = 0 ]; then wanted=(postgres redis rabbitmq); fi

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# at most 30 seconds
wait_for() { for _ in $(seq 120); do if "$@"; then return 0; fi; sleep 0.25; done; return 1; }

postgres_bin() {
  command -v pg_ctl >/dev/null && { dirname "$(command -v pg_ctl)"; return; }
  for folder in /usr/lib/postgresql/*/bin; do [ -x "$folder/pg_ctl" ] && last="$folder"; done
  echo "${last:-}"
}

postgres_admits() {
  local psql
  psql="$(command -v psql || echo "$(postgres_bin)/psql")"
  [ -x "$psql" ] && PGCONNECT_TIMEOUT=3 PGPASSWORD='' "$psql" -wqtAX -h 127.0.0.1 -p "$1" -U postgres \
    -d postgres -c 'select 1' >/dev/null 2>&1
}

install_package() {
  echo "Installing $1 for the tests (once) ..."
  if [ -z "${updated:-}" ]; then apt-get update -qq || return 1; updated=yes; fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
}

# program, Debian package
have() {
  command -v "$1" >/dev/null && return 0
  [ "$1" = pg_ctl ] && [ -n "$(postgres_bin)" ] && return 0
  if [ "$installs" = yes ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    install_package "$2" || true
    command -v "$1" >/dev/null || { [ "$1" = pg_ctl ] && [ -n "$(postgres_bin)" ]; }
  else
    echo "$2 is missing, its tests will be skipped: sudo apt-get install $2" >&2
    return 1
  fi
}

private_postgres() {
  local bin data as=()
  bin="$(postgres_bin)"
  data="${TMPDIR:-/tmp}/ksef-tests-postgres-$(id -u)"
  # PostgreSQL does not run as root
  if [ "$(id -u)" = 0 ]; then as=(runuser -u postgres --); fi
  if [ ! -f "$data/PG_VERSION" ]; then
    rm -rf "$data"
    if [ "$(id -u)" = 0 ]; then install -d -o postgres -m 700 "$data"; fi
    "${as[@]}" "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 >/dev/null || return 1
  fi
  (cd / && "${as[@]}" "$bin/pg_ctl" -D "$data" -l "$data/log" -w -t 30 \
    -o "-p $PRIVATE_PORT -k $data -c listen_addresses=127.0.0.1 -c fsync=off" start >/dev/null)
}

start_postgres() {
  postgres_admits 5432 || postgres_admits "$PRIVATE_PORT" && return 0
  have pg_ctl postgresql || return 0
  if ! answers 5432 && [ "$(id -u)" = 0 ] && command -v pg_ctlcluster >/dev/null; then
    local version
    version="$(ls /etc/postgresql 2>/dev/null | sort -V | tail -n 1)"
    if [ -n "$version" ]; then
      pg_ctlcluster --skip-systemctl-redirect "$version" main start >/dev/null 2>&1
      wait_for answers 5432
    fi
  fi
  postgres_admits 5432 || private_postgres || echo "PostgreSQL could not be started." >&2
}

start_redis() {
  answers 6379 && return 0
  have redis-server redis-server || return 0
  answers 6379 && return 0
  (cd / && redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save '' --appendonly no >/dev/null)
  wait_for answers 6379 || echo "Redis could not be started." >&2
}

start_rabbitmq() {
  answers 5672 && return 0
  have rabbitmq-server rabbitmq-server || return 0
  answers 5672 && return 0
  rabbitmq-server -detached >/dev/null 2>&1
  wait_for answers 5672 || echo "RabbitMQ could not be started (as root: rabbitmq-server -detached)." >&2
}

# two test processes must not start the same service at once
exec 9>"/tmp/ksef-tests-services-$(id -u).lock"
flock -w 120 9
for one in "${wanted[@]}"; do
  url="KSEF_TEST_$(echo "$one" | tr a-z A-Z)_URL"
  # started services must not inherit the lock
  if [ -z "${!url:-}" ]; then "start_$one" 9>&-; fi
done
exit 0
