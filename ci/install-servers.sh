#!/usr/bin/env bash
# install-servers.sh FOLDER: unpacks PostgreSQL 17 and 18 into FOLDER: servers, server headers and pg_ivm, with the libraries that
# this Debian does not have, and the run-time library of clang's sanitizers. Runs inside the toolchain root. Nothing is installed, so the root stays what it was, and
# servers run with LD_LIBRARY_PATH. Packages have the versions that ci/toolchain.versions names for the headers.
source "$(dirname "$0")/lib.sh"

folder=$1
export DEBIAN_FRONTEND=noninteractive
# The archive's Release file may be past its date on a mirror that is a snapshot.
apt=(apt-get -q -y -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3 -o APT::Sandbox::User=root)

# What installing these would install, but for what a server that is started by hand does not use.
wanted() {
  apt-get install --simulate --no-install-recommends "$@" | sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p' |
    grep -v -E '^(adduser|libjson-perl|libperl|libsystemd|libtext-|locales|libc-l10n|perl|postgresql-(client-)?common|procps|libproc|sensible-utils|ssl-cert|systemd|ucf)'
}

step 'Package lists' "${apt[@]}" update
servers=()
headers=()
for major in "${pg_majors[@]}"; do
  servers+=("postgresql-$major")
  headers+=("postgresql-server-dev-$major")
done
sanitizers=libclang-rt-$(version_of clang --version | cut -d . -f 1)-dev
packages=$(wanted "${servers[@]}" postgresql-18-pg-ivm)
new=$folder.new
rm -rf "$new"
mkdir -p "$new"
cd "$new"
# shellcheck disable=SC2086 # one word for each package
step 'PostgreSQL servers' "${apt[@]}" download $packages "${headers[@]}" "$sanitizers"
for package in ./*.deb; do dpkg -x "$package" .; done
rm ./*.deb
rm -rf usr/share/doc usr/share/man usr/share/locale /var/lib/apt/lists/*
mv "$new" "$folder"
