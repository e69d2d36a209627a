#!/usr/bin/env bash
# Builds the image with a real Docker daemon, runs it as a stranger would who trusts nobody (another
# uid, read-only root, no capabilities), and talks to it. `make test-docker`.
#
# Uses the daemon that is running, else starts one of its own with a base system made from Debian's
# packages, so that neither a registry nor a running service is needed. That takes root and
#   apt-get install docker.io mmdebstrap iptables
# Where it cannot be done it says SKIPPED and why, and ends with exit code 0.
# TARGET=tensorflow make test-docker does the same with the image that has TensorFlow in it.
set -euo pipefail
cd "$(dirname "$0")/.."

BASE=python:3.11-slim
TARGET=${TARGET:-server}
IMAGE=grokkeras-test-$TARGET
PORT=${TEST_PORT:-8597}
MODEL=quickstart
work=$(mktemp -d)
daemon=""

skip() { echo "SKIPPED: the image was not built and run: $1"; exit 0; }
step() { echo "[$SECONDS s] $1"; }

cleanup() {
  status=$?
  docker rm -f grokkeras-test >/dev/null 2>&1 || true
  docker image rm grokkeras-test-base >/dev/null 2>&1 || true
  if [ -n "$daemon" ]; then
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
    # What the daemon mounted under its folder would keep it from being removed.
    awk -v root="$work" 'index($2, root) == 1 {print $2}' /proc/mounts | sort -r |
      while read -r mounted; do umount "$mounted" 2>/dev/null || true; done
  fi
  rm -rf "$work"
  exit "$status"
}
trap cleanup EXIT

start_daemon() {
  [ "$(id -u)" -eq 0 ] || skip "no Docker daemon is running, and only root can start one"
  for tool in dockerd mmdebstrap iptables; do
    command -v "$tool" >/dev/null ||
      skip "no Docker daemon is running and $tool is missing (apt-get install docker.io mmdebstrap iptables)"
  done
  export DOCKER_HOST="unix://$work/docker.sock"
  dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" \
    --pidfile "$work/docker.pid" --bridge none --iptables=false --ip6tables=false \
    >"$work/dockerd.log" 2>&1 &
  daemon=$!
  for _ in $(seq 100); do
    docker version >/dev/null 2>&1 && return
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.2
  done
  tail -5 "$work/dockerd.log"
  skip "a Docker daemon does not start here"
}

# A base with Debian's own Python in place of the one that the Dockerfile names. The certificates of this
# machine go into it, so that pip in the build trusts what pip here trusts.
make_base() {
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,python3,python3-pip,python3-venv \
    --customize-hook='copy-in /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs' \
    bookworm "$work/base.tar" || skip "Debian's packages cannot be reached"
  BASE=grokkeras-test-base # not the name that other builds of this machine use
  docker import --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' "$work/base.tar" "$BASE" >/dev/null
  rm "$work/base.tar"
}

expect() { # NAME PATTERN COMMAND...
  name=$1 pattern=$2
  shift 2
  answer=$("$@" 2>&1) || true
  if ! grep -Eq -- "$pattern" <<<"$answer"; then
    echo "FAILED: $name: expected $pattern, received: $answer"
    docker logs grokkeras-test 2>&1 | tail -20 || true
    exit 1
  fi
  echo "  ok: $name"
}

command -v docker >/dev/null || skip "docker is not installed"
docker version >/dev/null 2>&1 || start_daemon
step "the daemon answers"
if ! docker image inspect "$BASE" >/dev/null 2>&1 && ! docker pull -q "$BASE" >/dev/null 2>&1; then
  make_base
  step "the base is made from Debian's packages"
fi

DOCKER_BUILDKIT=0 docker build --network host --build-arg BASE_IMAGE="$BASE" --target "$TARGET" --tag "$IMAGE" . >"$work/build.log" 2>&1 ||
  { tail -40 "$work/build.log"; exit 1; }
size=$(docker image inspect --format '{{.Size}}' "$IMAGE")
step "the image is built: $((size / 1000000)) MB"
if [ "$TARGET" = server ]; then
  heavy='^\[\]$' memory=512m
  [ "$size" -lt 460000000 ] || { echo "FAILED: expected less than 460 MB"; exit 1; }
else
  heavy="^\['keras', 'tensorflow'\]$" memory=2g  # TensorFlow's package asks for Keras
fi

# The network of the host: a daemon of our own has no bridge, so as to leave iptables alone.
docker run --detach --name grokkeras-test --network host --env PORT="$PORT" \
  --read-only --cap-drop ALL --security-opt no-new-privileges --memory "$memory" --pids-limit 64 \
  "$IMAGE" >/dev/null
for _ in $(seq 300); do
  curl -fs "localhost:$PORT/v2/health/ready" >/dev/null && break
  sleep 0.1
done
step "the container runs"
url="localhost:$PORT"
expect "it answers 12 + 95" '"answer":10,' curl -s -d '{"a": 12, "b": 95}' "$url/v1/models/$MODEL:solve"
expect "TensorFlow Serving's protocol" '"predictions":\[10\]' \
  curl -s -d '{"signature_name": "class", "instances": [[12, 95, 97]]}' "$url/v1/models/$MODEL:predict"
expect "the Open Inference Protocol" '"data":\[10\]' curl -s \
  -d '{"inputs": [{"name": "tokens", "shape": [1, 3], "datatype": "INT32", "data": [12, 95, 97]}], "outputs": [{"name": "class"}]}' \
  "$url/v2/models/$MODEL/infer"
expect "a token out of range is a 400" '^400$' \
  curl -s -o /dev/null -w '%{http_code}' -d '{"instances": [[12, 97, 97]]}' "$url/v1/models/$MODEL:predict"
expect "an unknown model is a 404" '^404$' curl -s -o /dev/null -w '%{http_code}' "$url/v1/models/nobody"
expect "the page" '<title>grokkeras' curl -s "$url/"
expect "Prometheus' metrics" 'grokkeras_requests_total' curl -s "$url/metrics"
expect "it runs as another user" '^Uid:\s+10001' docker exec grokkeras-test grep Uid /proc/1/status
expect "it has no capabilities" '^CapEff:\s+0000000000000000' docker exec grokkeras-test grep CapEff /proc/1/status
expect "its root is read-only" 'Read-only file system' docker exec grokkeras-test touch /opt/venv/x
expect "of Keras and the backends only what it serves with" "$heavy" docker exec grokkeras-test python3 -c \
  'import importlib.util as u; print([m for m in ("keras", "tensorflow", "jax", "torch") if u.find_spec(m)])'
expect "it is labelled" '^grokkeras$' docker image inspect --format \
  '{{index .Config.Labels "org.opencontainers.image.title"}}' "$IMAGE"
for _ in $(seq 40); do
  health=$(docker inspect --format '{{.State.Health.Status}}' grokkeras-test)
  [ "$health" = healthy ] && break
  sleep 0.5
done
expect "Docker finds it healthy" '^healthy$' echo "$health"

before=$(date +%s%N)
docker stop --time 10 grokkeras-test >/dev/null
took=$((($(date +%s%N) - before) / 1000000))
expect "SIGTERM ends it with exit code 0" '^0$' docker inspect --format '{{.State.ExitCode}}' grokkeras-test
[ "$took" -lt 5000 ] || { echo "FAILED: it took $took ms to end, expected less than 5000"; exit 1; }
step "it ended $took ms after SIGTERM"
echo "The image was built, run and asked: all as expected."
