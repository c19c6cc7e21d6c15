# Sourced by test.sh when it runs as root: the account that the unprivileged lane runs as.
# It needs a name in /etc/passwd and ranges in /etc/subuid and /etc/subgid, because newuidmap and
# newgidmap look the caller up by name. It is made once and kept.

isolation_user=isolation-test

# The first id after every range that the file grants to anyone.
next_free_range() {
    awk -F: 'BEGIN { next_id = 100000 } NF == 3 && $2 + $3 > next_id { next_id = $2 + $3 } END { print next_id }' "$1"
}

# Succeeds when the account is ready; otherwise prints why not.
ensure_unprivileged_user() {
    local first
    if ! command -v useradd >/dev/null || ! command -v setpriv >/dev/null; then
        echo "useradd or setpriv is missing"
        return 1
    fi
    if ! id "$isolation_user" >/dev/null 2>&1; then
        useradd --system --user-group --no-create-home --home-dir /nonexistent \
            --shell /usr/sbin/nologin "$isolation_user" 2>&1 || return 1
    fi
    touch /etc/subuid /etc/subgid || return 1
    if ! grep -q "^$isolation_user:" /etc/subuid; then
        first="$(next_free_range /etc/subuid)"
        usermod --add-subuids "$first-$((first + 65535))" "$isolation_user" 2>&1 || return 1
    fi
    if ! grep -q "^$isolation_user:" /etc/subgid; then
        first="$(next_free_range /etc/subgid)"
        usermod --add-subgids "$first-$((first + 65535))" "$isolation_user" 2>&1 || return 1
    fi
    # For everybody, as udev's rules have it where there is udev (50-udev-default.rules).
    [ ! -c /dev/fuse ] || chmod 0666 /dev/fuse 2>&1 || return 1
}

# The prefix that runs a command as that user: no supplementary group, no inheritable or ambient
# capability. The bounding set stays whole: newuidmap and newgidmap gain their rights through it.
become_unprivileged() {
    as_unprivileged_user=(setpriv --reuid "$(id -u "$isolation_user")" --regid "$(id -g "$isolation_user")"
        --clear-groups --inh-caps=-all --ambient-caps=-all --)
}
