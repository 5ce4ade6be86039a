#!/usr/bin/env bash
# Installs the toolchain into the Debian forky that it runs in, as root: a fresh one of make-root.sh, or a container.
# The PostgreSQL headers go to /opt/pg. Packages have the versions of ci/toolchain.versions; where the archive no longer
# holds one of them, it says so and takes what there is.
source "$(dirname "$0")/lib.sh"

suite17=trixie # the last Debian with PostgreSQL 17
export DEBIAN_FRONTEND=noninteractive
# The archive's Release file may be past its date on a mirror that is a snapshot.
apt=(apt-get -q -y -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3)

# pick NAME VERSION: the package as apt-get takes it, with its version if the archive holds that one.
pick() {
  local name=$1 version=$2 candidate
  # `apt-cache show` has status 0 for a version that is not there.
  if apt-get -qq download --print-uris "$name=$version" >/dev/null 2>&1; then
    echo "$name=$version"
  else
    candidate=$(apt-cache policy "$name" | sed -n 's/^ *Candidate: //p')
    say "NOTE: the archive has no $name $version, which ci/toolchain.versions records: taking ${candidate:-what there is}"
    echo "$name"
  fi
}

# The archive that this Debian has its packages from, in either format of apt's list.
mirror() {
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } |
    sed -n -E 's/^deb (\[.*\] )?([^ ]+) .*/\2/p; s/^URIs: *([^ ]+).*/\1/p' | head -n 1
}

mirror=$(mirror)
[ -n "$mirror" ] || die 'apt of this Debian has no archive in its list'
echo "deb $mirror $suite17 main" >"/etc/apt/sources.list.d/$suite17.list"
dpkg --add-architecture armhf
step 'Package lists' "${apt[@]}" update

packages=(ca-certificates)
headers=()
while read -r kind name version; do
  [ "$kind" = package ] || continue
  case $name in
    postgresql-server-dev-*) headers+=("$(pick "$name" "$version")") ;;
    *) packages+=("$(pick "$name" "$version")") ;;
  esac
done <"$repo/ci/toolchain.versions"
step 'Emscripten, Rust, binaryen' "${apt[@]}" install --no-install-recommends "${packages[@]}"

# PostgreSQL's headers of 32-bit ARM fit wasm32 as they are. They are unpacked, not installed.
mkdir -p /opt/pg
cd /opt/pg
step 'PostgreSQL headers' "${apt[@]}" download "${headers[@]}"
for major in "${pg_majors[@]}"; do
  dpkg -x postgresql-server-dev-"$major"_*.deb "/opt/pg/$major"
done
rm ./*.deb
apt-get clean
rm -rf /var/lib/apt/lists/*

# Emscripten's system headers are generated at first use.
echo 'int x;' >/tmp/x.c
step 'Emscripten, first use' emcc -c /tmp/x.c -o /tmp/x.o
rm /tmp/x.c /tmp/x.o
