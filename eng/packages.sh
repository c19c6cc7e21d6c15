# Sourced by test.sh: the Debian packages that the tests call as peers, as oracles or as tools.
# Without one of them the suites still run; the tests that need it skip and say so.

isolation_packages() {
    echo busybox-static strace uidmap bubblewrap crun runc runsc qemu-user-static
    # A union driver in user space, and file systems with quotas to try limits on.
    echo fuse-overlayfs fuse3 e2fsprogs xfsprogs
    echo util-linux procps iproute2 passwd bzip2 zstd
    # Images, by those who write and read them too.
    echo skopeo umoci buildah podman docker.io docker-registry openssl
    # Another kernel, in a virtual machine (tests/vm).
    case "$(dpkg --print-architecture)" in amd64) echo qemu-system-x86 systemd dbus dbus-user-session ;; esac
    # What the parsers are fuzzed with.
    echo afl++
    # Loads profiles into the virtual machine's kernel, and sets file capabilities.
    echo apparmor checkpolicy libcap2-bin
    # A C compiler proves struct layouts, and links the ahead-of-time compiled sample (with zlib).
    echo binutils gcc libc6-dev zlib1g-dev
    # The other architecture's headers and assembler.
    case "$(dpkg --print-architecture)" in
        arm64) echo binutils-x86-64-linux-gnu gcc-x86-64-linux-gnu libc6-dev-amd64-cross ;;
        *) echo binutils-aarch64-linux-gnu gcc-aarch64-linux-gnu libc6-dev-arm64-cross ;;
    esac
}

missing_packages() {
    local package
    for package in $(isolation_packages); do
        case "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" in
            installed) ;;
            *) echo "$package" ;;
        esac
    done
}

# Prints nothing when all is there. Never fails: what is not to be had is named and left to the tests.
install_packages() {
    if ! command -v dpkg-query >/dev/null; then
        echo "set-up: not a Debian system; tests that need a missing tool skip"
        return 0
    fi
    local missing package log
    missing="$(missing_packages | xargs)"
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "set-up: not root, so not installed: $missing; tests that need them skip"
        return 0
    fi
    echo "set-up: installing $missing"
    log="$(mktemp)"
    # Some of the packages hold services, which no test wants running.
    local policy=/usr/sbin/policy-rc.d own_policy=
    if [ ! -e "$policy" ]; then
        own_policy="$policy"
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 0755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q >"$log" 2>&1 || echo "set-up: apt-get update failed: $(tail -n 1 "$log")"
    # shellcheck disable=SC2086
    if ! apt-get install -y -q --no-install-recommends $missing >"$log" 2>&1; then
        # One package that is not served must not take the others with it.
        for package in $missing; do
            apt-get install -y -q --no-install-recommends "$package" >"$log" 2>&1 ||
                echo "set-up: could not install $package: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log")"
        done
    fi
    rm -f "$log" ${own_policy:+"$own_policy"}
}
