#!/usr/bin/env bash
# Sets up what the tests need, builds once, runs every suite, sums up. See --help.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
. eng/packages.sh
. eng/unprivileged-user.sh

usage() {
    cat <<'HELP'
Usage: ./test.sh [--fast] [--filter X]

  --fast       leave out the tests that carry [Trait("Category", "Slow")]
  --filter X   run only the tests whose class and method name contains X;
               an X that starts with '/' is a query in the runner's own filter language
  --help       this text

As root it installs the Debian packages that are missing and runs the live suite twice: as root and
as the user isolation-test, which it makes. As any other user it installs nothing and runs the live
suite once, as that user. Tests of the lane 'VM' run again on two other kernels (tests/vm/README.md);
--fast leaves them out, and so does ISOLATION_VM=none; ISOLATION_VM=all runs every live test there.
The last line is 'N passed, N failed, N skipped'; the exit code is 0 only when nothing failed.
HELP
}

fast=0 filter=
while [ $# -gt 0 ]; do
    case "$1" in
        --fast) fast=1 ;;
        --filter) [ $# -ge 2 ] || { echo "--filter needs a value" >&2; exit 2; }; filter="$2"; shift ;;
        --filter=*) filter="${1#--filter=}" ;;
        -h | --help) usage; exit 0 ;;
        *) echo "unknown option: $1" >&2; usage >&2; exit 2 ;;
    esac
    shift
done

selection=()
case "$filter" in
    "") [ $fast = 0 ] || selection=(-trait- Category=Slow) ;;
    /*) # The runner does not mix a query with other filters: --fast becomes part of the query.
        selection=(-filter "$filter$([ $fast = 0 ] || echo '[Category!=Slow]')") ;;
    *) selection=(-method "*$filter*")
       [ $fast = 0 ] || selection+=(-trait- Category=Slow) ;;
esac

# A suite that hangs is a failure, not a wait: seconds that one may take.
suite_limit="${ISOLATION_TEST_SUITE_LIMIT:-1300}"
passed=0 failed=0 skipped=0 child=
scratch="$(mktemp -d -t isolation-test.XXXXXXXX)" || exit 1
chmod 0755 "$scratch"

# A mount that a test left under the scratch directory would turn its removal into the removal of
# what is mounted there: such mounts are named, counted as a failure, and detached first.
remove_scratch() {
    local mounts target
    mounts="$(awk -v under="$scratch/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | tac)"
    if [ -n "$mounts" ]; then
        echo "mounts left behind by the tests:"
        while IFS= read -r target; do
            echo "  $target"
            umount -l "$(printf '%b' "$target")"
        done <<<"$mounts"
        failed=$((failed + 1))
        if grep -qF " $scratch/" /proc/self/mountinfo; then
            echo "they could not be detached: $scratch is left as it is"
            return
        fi
    fi
    rm -rf --one-file-system "$scratch"
}

finish() {
    trap - EXIT
    # What still runs where a signal ends this script: it hears none by itself. Waited for, it leaves nothing behind.
    # shellcheck disable=SC2046
    kill $(jobs -rp) 2>/dev/null && wait
    # Told again, so that who sees only the end of a long log sees what failed.
    [ ! -s "$scratch/failures" ] || cat "$scratch/failures"
    remove_scratch
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
    exit
}
trap 'failed=$((failed + 1)); finish' EXIT
trap 'exit 130' INT TERM

# run_suite LABEL RESULTS COMMAND...: runs a test executable, which writes its report to RESULTS.
run_suite() {
    local label="$1" results="$2"
    shift 2
    execute_suite "$scratch/run" "$results" "$@"
    report_suite "$label" "$scratch/run" "$results"
}

# execute_suite DIRECTORY RESULTS COMMAND...: leaves the output, the exit code and the seconds in DIRECTORY.
execute_suite() {
    local directory="$1" results="$2" code started=$SECONDS
    shift 2
    mkdir -p "$directory"
    # The braces swallow the shell's own word on a crash; the verdict says it.
    {
        timeout --kill-after=10 "$suite_limit" "$@" -noColor -noLogo -noAutoReporters -reporter quiet \
            -longRunning 120 -xml "$results" ${selection[@]+"${selection[@]}"} >"$directory/log" 2>&1 </dev/null &
        child=$!
        wait $child
        code=$?
    } 2>/dev/null
    child=
    echo "$code $((SECONDS - started))" >"$directory/end"
}

# report_suite LABEL DIRECTORY RESULTS: tells and counts what execute_suite left.
report_suite() {
    local label="$1" directory="$2" results="$3" code=1 seconds=0 line suite_passed=0 suite_failed=0 suite_skipped=0 verdict=
    read -r code seconds <"$directory/end"
    line="$(awk -f eng/xunit-summary.awk "$results" 2>/dev/null | tee "$scratch/summary" | grep '^totals ')"
    if [ "$code" = 124 ] || [ "$code" = 137 ]; then
        verdict="stopped after $seconds s"
    elif [ -z "$line" ]; then
        verdict="crashed (exit code $code) and left no report"
    else
        read -r _ suite_passed suite_failed suite_skipped <<<"$line"
        if [ $((suite_passed + suite_failed + suite_skipped)) = 0 ]; then
            [ -n "$filter" ] || verdict="ran no test"
        elif [ "$code" != 0 ] && [ "$suite_failed" = 0 ]; then
            verdict="ended with exit code $code"
        fi
    fi
    [ -z "$verdict" ] || suite_failed=$((suite_failed + 1))
    passed=$((passed + suite_passed)) failed=$((failed + suite_failed)) skipped=$((skipped + suite_skipped))
    printf '%-32s %4d passed %3d failed %3d skipped %4d s%s\n' "$label" "$suite_passed" "$suite_failed" \
        "$suite_skipped" "$seconds" "${verdict:+  $verdict}"
    if [ "$suite_failed" != 0 ]; then
        sed 's/^/    /' "$directory/log"
        { echo "failed in $label${verdict:+: $verdict}"; awk '/ \[[A-Z]+\]$/ { shown = !/\[SKIP\]$/ } shown { print "    " $0 }' "$directory/log" | head -c 4000; echo; } >>"$scratch/failures"
    fi
    # A line a reason, with the tests it holds for.
    awk -F '\t' '
        $1 == "skip" {
            sub(/^Isolation\.([A-Za-z]+\.)?Tests\./, "", $2)
            if (!($3 in tests)) order[++reasons] = $3
            tests[$3] = tests[$3] (count[$3]++ ? ", " : "") $2
        }
        END { for (i = 1; i <= reasons; i++) print "    skipped " count[order[i]] ": " order[i] " (" tests[order[i]] ")" }' "$scratch/summary"
}

# skip_suite LABEL REASON: a whole suite that cannot run here counts as one skipped test.
skip_suite() {
    skipped=$((skipped + 1))
    printf '%-32s skipped: %s\n' "$1" "$2"
}

executable() {
    case "$1" in
        Isolation) echo "tests/Isolation.Tests/bin/Release/net10.0/Isolation.Tests" ;;
        *) echo "tests/$1.Tests/bin/Release/net10.0/Isolation.$1.Tests" ;;
    esac
}

# The user may not be able to enter the checkout (a parent of mode 0700), so it gets a copy.
run_unprivileged() {
    local label="Live.Tests (unprivileged)" reason home="$scratch/unprivileged" runtime="$DOTNET_ROOT"
    reason="$(ensure_unprivileged_user)" || { skip_suite "$label" "no user to run as: $reason"; return; }
    become_unprivileged
    mkdir -p "$home/bin" "$home/tmp" "$home/run"
    cp -r --no-preserve=ownership "$(dirname "$(executable Live)")/." "$home/bin"
    if ! "${as_unprivileged_user[@]}" test -x "$runtime/host/fxr" 2>/dev/null; then
        runtime="$home/dotnet"
        mkdir "$runtime"
        cp -rL "$DOTNET_ROOT/host" "$DOTNET_ROOT/shared" "$runtime"
    fi
    chmod -R a+rX "$home"
    chown -R "$isolation_user:" "$home"
    chmod 0700 "$home/run"
    if ! "${as_unprivileged_user[@]}" test -x "$home/bin/Isolation.Live.Tests"; then
        skip_suite "$label" "$isolation_user cannot reach $scratch; set TMPDIR to a directory that it can enter"
        return
    fi
    run_suite "$label" "$home/results.xml" \
        env --chdir="$home" -u XDG_CONFIG_HOME -u XDG_CACHE_HOME -u XDG_DATA_HOME \
        HOME="$home" TMPDIR="$home/tmp" XDG_RUNTIME_DIR="$home/run" USER="$isolation_user" LOGNAME="$isolation_user" \
        DOTNET_ROOT="$runtime" ISOLATION_TEST_LANE=unprivileged \
        "${as_unprivileged_user[@]}" "$home/bin/Isolation.Live.Tests"
}

# On kernels of Debian's, in virtual machines; the emulator uses one processor. A kernel that cannot be had is a suite skipped.
# vm_run GROUP SLOTS: leaves a directory a suite of the group; so many at once.
vm_run() {
    local group="$1" slots="$2" vm_room="$PWD/tests/vm" checkout="$PWD" suite kernel who first directory count=0
    . tests/vm/suites.sh
    local all=("${selection[@]}") selection
    while read -r suite kernel who first <&3; do
        [ "$(vm_group "$first")" = "$group" ] || continue
        # shellcheck disable=SC2046,SC2207
        case "$filter" in
            /*) selection=(-filter "$filter[$(vm_trait "$first")]") ;;
            *) selection=("${all[@]}" $(vm_selection "$first")) ;;
        esac
        # A filter that no test passes is not worth a machine.
        [ -z "$filter" ] || "$(executable "$suite")" -noColor -noLogo -list classes "${selection[@]}" 2>/dev/null | grep -q '^Isolation\.' || continue
        directory="$scratch/vm.$group.$count"
        count=$((count + 1))
        mkdir "$directory"
        echo "$suite.Tests (VM $kernel, $who$([ "$first" = session ] || echo ", $first"))" >"$directory/label"
        # shellcheck disable=SC2046
        tests/vm/run $(vm_options "$kernel" "$who" "$first") --prepare >"$directory/reason" 2>&1 || continue
        rm "$directory/reason"
        while [ "$(jobs -rp | wc -l)" -ge "$slots" ]; do wait -n; done
        # Stopped from inside, it tells what hung; the suite's own limit is the second one.
        # shellcheck disable=SC2046
        (
            trap '[ -z "$child" ] || kill "$child"; wait; exit 143' TERM
            execute_suite "$directory" "$directory/results.xml" tests/vm/run --limit $((suite_limit - 30)) --results "$directory" \
                $(vm_options "$kernel" "$who" "$first") -- "$suite.Tests"
        ) &
    done 3< <(vm_suites)
    wait
}

# vm_report GROUP: tells and counts what vm_run left.
vm_report() {
    local directory label
    for directory in "$scratch/vm.$1".*; do
        [ -d "$directory" ] || continue
        label="$(cat "$directory/label")"
        if [ -e "$directory/reason" ]; then skip_suite "$label" "$(sed 's|^tests/vm/run: ||' "$directory/reason")"; else report_suite "$label" "$directory" "$directory/results.xml"; fi
    done
}

install_packages
if ! command -v dotnet >/dev/null; then
    echo "set-up: no dotnet on PATH: the .NET 10 SDK is needed"
    exit 1
fi
DOTNET_ROOT="${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}"
# No build server and no reused node: nothing that this script starts outlives it.
export DOTNET_ROOT DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 MSBUILDDISABLENODEREUSE=1
export TMPDIR="$scratch/tmp"
mkdir "$TMPDIR"

started=$SECONDS
if ! dotnet build Isolation.sln -c Release --nologo -v quiet -clp:NoSummary -nodeReuse:false -p:UseSharedCompilation=false >"$scratch/build" 2>&1 </dev/null; then
    cat "$scratch/build"
    echo "the build failed"
    exit 1
fi
echo "built in $((SECONDS - started)) s"

# The short ones beside the suites of this machine in which nothing is timed, one at once; the others when nothing else runs.
# A machine that is emulated is slow enough without having to share its processor: what runs beside it waits.
virtual=0 early= beside=()
if [ $fast = 0 ] && [ "${ISOLATION_VM:-}" != none ]; then
    virtual=1
    (
        # shellcheck disable=SC2046
        trap 'kill $(jobs -rp) 2>/dev/null; wait; exit 143' TERM
        vm_run short 1
    ) &
    early=$!
    beside=(nice -n 10)
fi
for suite in Linux Cgroups Networking UnionFs Images Isolation Architecture; do
    run_suite "$suite.Tests" "$scratch/$suite.xml" ${beside[@]+"${beside[@]}"} "$(executable "$suite")"
done
if [ $virtual = 1 ]; then
    wait "$early"
    vm_report short
fi
if [ "$(id -u)" = 0 ]; then
    run_suite "Live.Tests (root)" "$scratch/Live.xml" env ISOLATION_TEST_LANE=root "$(executable Live)"
    run_unprivileged
else
    echo "not root: the live suite runs once, as $(id -un); the root lane is left out"
    run_suite "Live.Tests (unprivileged)" "$scratch/Live.xml" env ISOLATION_TEST_LANE=unprivileged "$(executable Live)"
fi
if [ $virtual = 1 ]; then
    vm_run long "$(($(nproc) > 1 ? 2 : 1))"
    vm_report long
fi

if [ $((passed + failed)) = 0 ]; then
    echo "no test ran"
    failed=1
fi
finish
