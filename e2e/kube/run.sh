#!/usr/bin/env bash
# Runs registry-janitor against a real Kubernetes API server and the emulator of
# the registry, and removes everything afterwards. It needs etcd (Debian: etcd-server)
# and, the first time, about a quarter of an hour of one CPU: it builds
# kube-apiserver from its module. Not part of CI.
#
#   e2e/kube/run.sh
#
# KUBE_APISERVER  the kube-apiserver to start, instead of building one
# KUBE_E2E_CACHE  the folder of the one that it builds
# ETCD            the etcd to start
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

etcd=${ETCD:-$(command -v etcd || true)}
if [ -z "$etcd" ]; then
  echo "kube-e2e: etcd is missing: install it (apt-get install etcd-server), or set ETCD" >&2
  exit 1
fi

apiserver=${KUBE_APISERVER:-}
if [ -z "$apiserver" ]; then
  version=$(go -C "$here" list -m -f '{{.Version}}' k8s.io/kubernetes)
  cache=${KUBE_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/registry-janitor/kube-e2e}
  apiserver=$cache/kube-apiserver-$version
  if [ ! -x "$apiserver" ]; then
    echo "kube-e2e: building kube-apiserver $version into $cache" >&2
    mkdir -p "$cache"
    GOFLAGS="${GOFLAGS:-} -p=1" CGO_ENABLED=0 nice go -C "$here" build -trimpath \
      -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version" -o "$apiserver" k8s.io/kubernetes/cmd/kube-apiserver
  fi
fi

go -C "$root" build -o "$work/registry-janitor" ./cmd/registry-janitor
go -C "$here" build -o "$work/kube-e2e" .
"$work/kube-e2e" -etcd "$etcd" -apiserver "$apiserver" -program "$work/registry-janitor" -examples "$root/examples" -work "$work/run"
