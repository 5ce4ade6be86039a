#!/usr/bin/env bash
# Makes a Debian root, has install-toolchain.sh fill it, and prints its path. It lives in the cache folder, outside of
# the checkout, so that a second clone finds it ready. It is built under another name and renamed at the end: a folder
# with the final name is complete.
#
#   PG_TRICKLE_CACHE   the cache folder
#   PG_TRICKLE_MIRROR  the Debian mirror, when it is not to be that of this machine's apt
source "$(dirname "$0")/lib.sh"

suite=forky # the first Debian with Emscripten 6 and PostgreSQL 18
recipe=3 # raise it when every machine needs a new root
root=$cache/$suite-$recipe

# The archive's Release file may be past its date on a mirror that is a snapshot.
apt=(apt-get -q -y -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3)

mirror() {
  if [ -n "${PG_TRICKLE_MIRROR:-}" ]; then
    echo "$PG_TRICKLE_MIRROR"
  else
    # Empty, and so debootstrap's own default, where apt knows no Debian.
    apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m 1 '/debian/*$' || true
  fi
}

install_debootstrap() {
  command -v debootstrap >/dev/null && [ -e /usr/share/debootstrap/scripts/sid ] && return
  command -v apt-get >/dev/null || die 'debootstrap is missing and there is no apt-get to install it with'
  step 'Package lists' "${apt[@]}" update
  step 'Installing debootstrap' "${apt[@]}" install --no-install-recommends debootstrap debian-archive-keyring
}

# What to do instead, for whoever cannot have the root.
no_root() {
  die "no toolchain: $1.
${TOOLS_WANTED:-}
Put the tools on PATH, use the Dockerfile, or set PG_TRICKLE_BUNDLES if you change TypeScript alone: docs/BUILDING.md"
}

make_root() {
  [ ! -d "$root" ] || return 0
  [ "$(id -u)" = 0 ] || no_root 'only root can make the Debian root that holds a toolchain'
  unshare --mount true || no_root 'this machine does not let us mount, which the Debian root of a toolchain needs'
  say "The toolchain on PATH is not complete: making one in $root (some minutes, 2 GB, once)"
  install_debootstrap

  # We hold the lock: what is there was left by an interrupted run.
  rm -rf --one-file-system "$cache"/making-*
  local new
  new=$(mktemp -d "$cache/making-XXXXXX")
  chmod 755 "$new"
  step "Debian $suite" unshare --mount debootstrap --variant=minbase "$suite" "$new" "$(mirror)" /usr/share/debootstrap/scripts/sid
  cp -L /etc/resolv.conf "$new/etc/resolv.conf"
  MOUNT_REPO=$repo "$repo/ci/enter-root.sh" "$new" ci/install-toolchain.sh
  mv "$new" "$root"
}

with_lock "$cache/lock" make_root >&2
echo "$root"
