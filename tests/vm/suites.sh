# Sourced by run and by test.sh: which tests run in the virtual machine, and as whom.

# A test belongs to the lane by [Trait("Lane", "VM")] on its class or method, to its machines with systemd by "Systemd", and to the one
# that is booted with SELinux by "Selinux".
# What is to run with a process 1, as a query has it: all that can, where ISOLATION_VM=all.
vm_trait() {
    if [ "$1" = systemd ]; then echo Lane=Systemd; elif [ "$1" = selinux ]; then echo Lane=Selinux; elif [ "${ISOLATION_VM:-}" = all ]; then echo 'Lane!=Systemd'; else echo Lane=VM; fi
}

# Lines of suite, kernel, user, process 1; the longest first, since test.sh runs two of a group at once. ISOLATION_VM=all adds what is left out for time.
vm_suites() {
    echo Live 5.10 root session
    echo Live 6.1 root session
    echo Live 6.1 unprivileged session
    echo Live 6.1 root systemd
    echo Live 6.1 unprivileged systemd
    echo Live 6.1 root selinux
    echo Live 6.1 unprivileged selinux
    if [ "${ISOLATION_VM:-}" = all ]; then
        echo Live 5.10 unprivileged session
        echo Live 5.10 unprivileged systemd
        echo Linux 6.1 root session
        echo Linux 5.10 root session
    fi
}

# Those with a process 1 of their own run a dozen classes; test.sh has them beside other suites.
vm_group() { if [ "$1" = session ]; then echo long; else echo short; fi; }

# The options of run for a kernel, a user, and process 1. Where no service manager gives the user a control group, the session does.
vm_options() {
    echo "--kernel $1"
    [ "$2" = root ] || echo "--user"
    if [ "$3" = systemd ]; then echo "--systemd"; elif [ "$3" = selinux ]; then echo "--append lsm=landlock,selinux"; [ "$2" = root ] || echo "--delegate"; elif [ "$2" != root ]; then echo "--delegate"; fi
}

# The same as the runner's options.
vm_selection() {
    case "$(vm_trait "$1")" in
        *!=*) echo "-trait- $(vm_trait "$1" | tr -d '!')" ;;
        *) echo "-trait $(vm_trait "$1")" ;;
    esac
}

suite_executable() {
    case "$1" in
        Isolation.Tests) echo "$checkout/tests/Isolation.Tests/bin/Release/net10.0/Isolation.Tests" ;;
        *) echo "$checkout/tests/$1/bin/Release/net10.0/Isolation.$1" ;;
    esac
}

# What run does without a command: all suites, or those of one kernel. Fails when one of them does.
run_lane() {
    local only="$1" suite kernel who first code worst=0
    while read -r suite kernel who first <&3; do
        [ -z "$only" ] || [ "$only" = "$kernel" ] || continue
        echo "$suite.Tests on $kernel as $who, with $first"
        # shellcheck disable=SC2046
        "$vm_room/run" --limit 1300 --times $(vm_options "$kernel" "$who" "$first") -- "$suite.Tests" \
            -noColor -noLogo -noAutoReporters -reporter quiet -longRunning 120 $(vm_selection "$first")
        code=$?
        [ $code = 0 ] || worst=$code
    done 3< <(vm_suites)
    return $worst
}
