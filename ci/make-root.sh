#!/usr/bin/env bash
# Makes a Debian root with the whole toolchain and prints its path. It lives in the cache folder, outside of
# the checkout, so that a second clone finds it ready. It is built under another name and renamed at the
# end: a folder with the final name is complete.
#
#   PG_TRICKLE_CACHE   the cache folder
#   PG_TRICKLE_MIRROR  the Debian mirror, when it is not to be that of this machine's apt
source "$(dirname "$0")/lib.sh"

suite=forky # the first Debian with Emscripten 6 and PostgreSQL 18
suite17=trixie # the last one with PostgreSQL 17
recipe=2 # raise it when a change below needs a new root
packages=(emscripten binaryen zopfli lld clang rustc cargo rust-src rustfmt rust-clippy ca-certificates)
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

make_root() {
  [ ! -d "$root" ] || return 0
  [ "$(id -u)" = 0 ] || die "the toolchain's Debian root can only be made by root; or put the tools on PATH (see ci/toolchain.sh)"
  unshare --mount true || die 'this machine does not let us mount; put the tools on PATH instead (see ci/toolchain.sh)'
  say "No toolchain on PATH that is new enough: making one in $root (about 2 minutes, 2 GB, once)"
  install_debootstrap

  # We hold the lock: what is there was left by an interrupted run.
  rm -rf --one-file-system "$cache"/making-*
  local new
  new=$(mktemp -d "$cache/making-XXXXXX")
  chmod 755 "$new"
  step "Debian $suite" unshare --mount debootstrap --variant=minbase "$suite" "$new" "$(mirror)" /usr/share/debootstrap/scripts/sid
  cp -L /etc/resolv.conf "$new/etc/resolv.conf"
  grep -m 1 "^deb .* $suite main" "$new/etc/apt/sources.list" | sed "s/ $suite / $suite17 /" >"$new/etc/apt/sources.list.d/$suite17.list"

  step 'Package lists' "$repo/ci/enter-root.sh" "$new" sh -c "dpkg --add-architecture armhf && ${apt[*]} update"
  step 'Emscripten, Rust, binaryen' "$repo/ci/enter-root.sh" "$new" "${apt[@]}" install --no-install-recommends -t "$suite" "${packages[@]}"
  # PostgreSQL's headers of 32-bit ARM fit wasm32 as they are. They are unpacked, not installed.
  # shellcheck disable=SC2016 # expanded by the inner shell
  step 'PostgreSQL headers' "$repo/ci/enter-root.sh" "$new" sh -ec '
    mkdir -p /opt/pg && cd /opt/pg
    for major in '"${pg_majors[*]}"'; do
      apt-get -q download "postgresql-server-dev-$major:armhf"
      dpkg -x postgresql-server-dev-"$major"_*.deb "/opt/pg/$major"
    done
    rm ./*.deb
    apt-get clean
    rm -rf /var/lib/apt/lists/*'
  # Emscripten's system headers are generated at first use.
  step 'Emscripten, first use' "$repo/ci/enter-root.sh" "$new" sh -ec 'echo "int x;" >/tmp/x.c; emcc -c /tmp/x.c -o /tmp/x.o; rm /tmp/x.*'
  mv "$new" "$root"
}

with_lock "$cache/lock" make_root >&2
echo "$root"
