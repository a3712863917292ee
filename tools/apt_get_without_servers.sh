#!/bin/sh
# Run `apt-get "$@"` as root so that the servers which only tests use are there, but neither run nor start at boot.
# Debian starts and enables what it installs. A server that was there before is left as it was.
set -eu
servers="postgresql etcd haproxy patroni"
policy=/usr/sbin/policy-rc.d
no_cluster=/etc/postgresql-common/createcluster.d/tapledger-makes-none.conf
ours="made by the set-up of tapledger"

new=
for server in $servers; do
    [ -e "/lib/systemd/system/$server.service" ] || [ -e "/etc/init.d/$server" ] || new="$new $server"
done
[ -n "$new" ] || exec apt-get "$@"

tidy() {
    rm -f "$no_cluster"
    rmdir --ignore-fail-on-non-empty "$(dirname "$no_cluster")"
    if grep -qs "$ours" "$policy"; then rm -f "$policy"; fi
}
trap tidy EXIT
trap 'exit 1' HUP INT TERM
if [ ! -e "$policy" ] || grep -q "$ours" "$policy"; then
    # Its word holds only while this installation runs, also if that is killed.
    cat >"$policy" <<POLICY
#!/bin/sh
# $ours
[ -d /proc/$$ ] || exit 0
for server in $new; do
    case "\$1" in "\$server"|"\$server".*|"\$server"@*) exit 101 ;; esac
done
POLICY
    chmod 755 "$policy"
fi
mkdir -p "$(dirname "$no_cluster")"
echo "create_main_cluster = false" >"$no_cluster"

apt-get "$@"
for server in $new; do
    if command -v systemctl >/dev/null && [ -e "/lib/systemd/system/$server.service" ]; then
        systemctl --quiet disable "$server.service"
    fi
done
