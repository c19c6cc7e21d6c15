#!/usr/bin/env bash
# Writes src/Isolation/Seccomp/system-calls.tsv: every system call by name, and its number for x86-64, i386, x32 (without its bit) and arm64.
# From the kernel's headers (linux-libc-dev, linux-libc-dev-arm64-cross), and for what is newer than those from the list below.
set -eu -o pipefail
cd "$(dirname "$0")/.."
include=/usr/include/x86_64-linux-gnu/asm

# The same number everywhere (Documentation/process/adding-syscalls.rst).
newer="cachestat 451
fchmodat2 452
futex_wake 454
futex_wait 455
futex_requeue 456
statmount 457
listmount 458
lsm_get_self_attr 459
lsm_set_self_attr 460
lsm_list_modules 461
mseal 462
setxattrat 463
getxattrat 464
listxattrat 465
removexattrat 466
open_tree_attr 467
file_getattr 468
file_setattr 469"

numbers() { # NAME: the header after the preprocessor, as "name number"
    case "$1" in
        x86_64) sed -nE 's/^#define __NR_([a-z0-9_]+) ([0-9]+)$/\1 \2/p' $include/unistd_64.h; echo 'map_shadow_stack 453'; echo 'uretprobe 335' ;;
        i386) sed -nE 's/^#define __NR_([a-z0-9_]+) ([0-9]+)$/\1 \2/p' $include/unistd_32.h; echo 'map_shadow_stack 453' ;;
        x32) sed -nE 's/^#define __NR_([a-z0-9_]+) \(__X32_SYSCALL_BIT \+ ([0-9]+)\)$/\1 \2/p' $include/unistd_x32.h ;;
        arm64)
            # Some names stand for others, which have the number.
            printf '#include <asm/unistd.h>\n' | aarch64-linux-gnu-gcc -E -dM - | awk '
                $2 ~ /^__NR/ { value[$2] = $3 }
                END {
                    for (name in value) {
                        number = value[name]
                        if (number in value) number = value[number]
                        if (sub(/^__NR_/, "", name) && number ~ /^[0-9]+$/ && name != "syscalls" && name != "arch_specific_syscall") print name, number
                    }
                }'
            echo 'map_shadow_stack 453' ;;
    esac
    echo "$newer"
}

for abi in x86_64 i386 x32 arm64; do numbers $abi | sed "s/^/$abi /"; done | awk '
    { if (!($2 in seen)) { seen[$2] = 1; names[++count] = $2 } number[$1, $2] = $3 }
    END {
        for (i = 1; i <= count; i++) {
            row = names[i]
            split("x86_64 i386 x32 arm64", abis, " ")
            for (a = 1; a <= 4; a++) row = row "\t" ((abis[a], names[i]) in number ? number[abis[a], names[i]] : "-")
            print row
        }
    }' | LC_ALL=C sort >src/Isolation/Seccomp/system-calls.tsv
wc -l src/Isolation/Seccomp/system-calls.tsv
