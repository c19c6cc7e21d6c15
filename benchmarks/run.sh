#!/usr/bin/env bash
# Builds Release, runs every mode, and keeps the report in benchmarks/results. See --help.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

usage() {
    cat <<'HELP'
Usage: benchmarks/run.sh [options of the harness]

Writes benchmarks/results/<date>.md. Options such as --rounds 50 go to the harness and hold for every
mode; without any, each mode takes its own number of rounds. Installs nothing: a peer that is missing
is named here and in the report. The exit code says whether the harness ran, not whether it was fast.

ISOLATION_BUILD_OPTIONS: further options for `dotnet build`.
HELP
}

case "${1:-}" in -h | --help) usage; exit 0 ;; esac

command -v dotnet >/dev/null || { echo "no dotnet on PATH: the .NET 10 SDK is needed" >&2; exit 1; }
PATH="$PATH:/usr/sbin:/sbin"
command -v busybox >/dev/null || { echo "no busybox on PATH: the program that is launched comes from busybox-static" >&2; exit 1; }
for tool in unshare bwrap crun runc; do
    command -v "$tool" >/dev/null || echo "not installed: $tool; the report will say so"
done
[ "$(id -u)" = 0 ] || echo "not root: launches without a user namespace, and some peers, will fail; the report will say so"
read -r load _ </proc/loadavg
awk -v load="$load" 'BEGIN { exit !(load > 0.5) }' && echo "the load average is $load: results on a busy machine are only good for a look"

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 MSBUILDDISABLENODEREUSE=1
# shellcheck disable=SC2086
dotnet build Launch -c Release --nologo -v quiet -clp:NoSummary -nodeReuse:false -p:UseSharedCompilation=false \
    ${ISOLATION_BUILD_OPTIONS:-} </dev/null || { echo "the build failed" >&2; exit 1; }

mkdir -p results
report="results/$(date -u +%Y-%m-%d).md"
# A second run on one day does not take the place of the first.
for ((count = 2; ; count++)); do
    [ -e "$report" ] || break
    report="results/$(date -u +%Y-%m-%d)-$count.md"
done
Launch/bin/Release/net10.0/Isolation.Benchmarks all --out "$report" "$@" || exit
echo "written to benchmarks/$report"
