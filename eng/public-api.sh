#!/usr/bin/env bash
# Writes what is public and not yet declared into PublicAPI.Unshipped.txt of a project, and takes out what is gone.
# Review the difference: the public surface is a promise.
#
#     eng/public-api.sh src/Isolation
set -euo pipefail
project=$1
list() { # the symbols that the analyzer names with a rule
    dotnet build "$project" --no-incremental --nologo -v q -p:TreatWarningsAsErrors=false -p:WarningsAsErrors= 2>&1 |
        grep -oP "$1: Symbol '\K[^']+(?=' is)" | sort -u || true
}
file=$project/PublicAPI.Unshipped.txt
gone=$(list RS0017)
{ grep -v '^#' "$file" | grep -vxF -e "${gone:-*nothing*}" || true; list RS0016; } | LC_ALL=C sort -u | sed '/^$/d' > "$file.new"
{ echo '#nullable enable'; cat "$file.new"; } > "$file"
rm "$file.new"
echo "$(grep -vc '^#' "$file") declarations in $file"
