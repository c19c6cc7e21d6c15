# Sourced: checks, a root file system of busybox's, and the end of what was started.
set -u
runtime="$1"
[ -x "$runtime" ] || { echo "there is no runtime '$runtime'"; exit 2; }
# Not in TMPDIR: podman takes no path of its state above 50 characters.
work="$(mktemp -d -p /tmp isolation.XXXXXXXX)" || exit 2
daemon= failures=0
# What the engines put their control groups beneath, in each hierarchy; those that were there before are others'.
engine_groups() { find /sys/fs/cgroup -mindepth 1 -maxdepth 2 -type d \( -name docker -o -name default -o -name libpod_parent -o -name 'buildah-*' \) 2>/dev/null; }
others="$(engine_groups)"
leave() {
    [ -z "$daemon" ] || { kill "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; }
    awk -v under="$work/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | tac | while IFS= read -r mount; do umount -l "$mount"; done
    engine_groups | grep -vxF -- "${others:-none}" | while IFS= read -r group; do find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null; done
    rm -rf --one-file-system "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM

make_root() {
    mkdir -p "$work/rootfs/bin" "$work/rootfs/etc"
    cp /bin/busybox "$work/rootfs/bin/"
    for program in sh cat echo ls id ps sleep true false env hostname stat tty grep touch; do ln -s busybox "$work/rootfs/bin/$program"; done
    printf 'root:x:0:0::/:/bin/sh\n' >"$work/rootfs/etc/passwd"
}

# expect CODE PATTERN COMMAND...: the exit code, as a pattern, and in both streams together, an extended pattern.
expect() {
    local code="$1" pattern="$2" output got
    shift 2
    output="$(timeout 30 "$@" 2>&1 </dev/null)"
    got=$?
    if [[ $got =~ ^($code)$ ]] && grep -qE -- "$pattern" <<<"$output"; then
        echo "ok      $*"
    else
        failures=$((failures + 1))
        printf 'FAILED  %s\n  wanted exit code %s and /%s/, got %s and:\n%s\n' "$*" "$code" "$pattern" "$got" "$output"
    fi
}

# Whether containerd can read figures: it gives up where a hierarchy of version 1 is there that is mounted nowhere it sees.
can_measure() {
    local number controllers path
    while IFS=: read -r number controllers path; do
        [ -z "$controllers" ] || grep -qE " - cgroup [^ ]+ [^ ]*(^|[, =])${controllers##*,}(,|$)" /proc/self/mountinfo || { echo "skipped figures: the hierarchy $controllers is not mounted"; return 1; }
    done </proc/self/cgroup
}

finish() {
    echo "$failures failed"
    [ "$failures" = 0 ]
    exit
}
