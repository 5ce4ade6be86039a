#!/usr/bin/env bash
# enter-root.sh ROOT COMMAND...: runs COMMAND inside the Debian root ROOT, in a mount namespace of its own, so
# that nothing stays mounted. $MOUNT_REPO, when set, is the checkout; it appears as /pg_trickle, whatever
# its real folder, and is the working directory.
set -euo pipefail

if [ -z "${IN_MOUNT_NAMESPACE:-}" ]; then
  exec env IN_MOUNT_NAMESPACE=1 unshare --mount "$0" "$@"
fi

root=$1
shift
workdir=/
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
# Whom this machine trusts, cargo trusts in there: a proxy may have a certificate of its own.
certificates=/etc/ssl/certs/ca-certificates.crt
if [ -e "$certificates" ] && [ -e "$root$certificates" ]; then
  mount --bind "$certificates" "$root$certificates"
fi
if [ -n "${MOUNT_REPO:-}" ]; then
  mkdir -p "$root/pg_trickle"
  mount --bind "$MOUNT_REPO" "$root/pg_trickle"
  workdir=/pg_trickle
fi

keep=()
for name in http_proxy https_proxy no_proxy TERM CI SOURCE_DATE_EPOCH; do
  [ -z "${!name:-}" ] || keep+=("$name=${!name}")
done
exec chroot "$root" /usr/bin/env -i "${keep[@]}" \
  HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  DEBIAN_FRONTEND=noninteractive \
  /bin/sh -c 'cd "$1" && shift && exec "$@"' enter "$workdir" "$@"
