# Sourced: checks, a root file system of busybox's, and the end of what was started.
set -u
runtime="$1"
[ -x "$runtime" ] || { echo "there is no runtime '$runtime'"; exit 2; }
work="$(mktemp -d -t isolation-clients.XXXXXXXX)" || exit 2
daemon= failures=0
leave() {
    [ -z "$daemon" ] || { kill "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; }
    awk -v under="$work/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | tac | while IFS= read -r mount; do umount -l "$mount"; done
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

finish() {
    echo "$failures failed"
    [ "$failures" = 0 ]
    exit
}
