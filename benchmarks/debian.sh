#!/usr/bin/env bash
# Makes the image that the mode "images" measures: Debian in three layers, as docker-save(1) would write it, with gzip.
# Usage: benchmarks/debian.sh DIRECTORY. Needs root, mmdebstrap, and Debian's mirror as apt reaches it.
set -eu -o pipefail
to="${1:?the directory}" name=localhost/isolation/debian:1
[ -e "$to/image.tar" ] && exit
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

base=ca-certificates,openssl
runtime="$base,perl,python3,git,curl"
tools="$runtime,gcc,libc6-dev,make,vim-tiny,openssh-client"
mkdir -p "$work/out"
: >"$work/0.list"
layer=0 diff_ids='' layers=''
for packages in "$base" "$runtime" "$tools"; do
    layer=$((layer + 1))
    mkdir "$work/$layer"
    mmdebstrap --quiet --variant=minbase --include="$packages" bookworm "$work/$layer.tar"
    tar --numeric-owner --xattrs --xattrs-include='*' -xpf "$work/$layer.tar" -C "$work/$layer" --exclude='./dev/*'
    # A layer is what is new or another than below. What mmdebstrap makes anew each time, with the same content, is left out by its time.
    (cd "$work/$layer" && find . -mindepth 1 -printf '%p\t%y %m %s %T@ %l\n') | LC_ALL=C sort >"$work/$layer.list"
    LC_ALL=C comm -13 "$work/$((layer - 1)).list" "$work/$layer.list" | cut -f1 |
        tar --numeric-owner --xattrs --xattrs-include='*' --format=posix --no-recursion -C "$work/$layer" -T - -cf "$work/out/layer-$layer.tar"
    gzip -6 -n -k "$work/out/layer-$layer.tar"
    diff_ids="$diff_ids${diff_ids:+,}\"sha256:$(sha256sum <"$work/out/layer-$layer.tar" | cut -d' ' -f1)\""
    layers="$layers${layers:+,}\"layer-$layer.tar.gz\""
done

architecture="$(dpkg --print-architecture)"
echo "{\"architecture\":\"$architecture\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/bin/true\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[$diff_ids]}}" >"$work/out/config.json"
echo "[{\"Config\":\"config.json\",\"RepoTags\":[\"$name\"],\"Layers\":[$layers]}]" >"$work/out/manifest.json"
(cd "$work/out" && tar --numeric-owner -cf image.tmp config.json manifest.json layer-*.tar.gz)
mkdir -p "$to"
mv "$work"/out/layer-* "$to/"
mv "$work/out/image.tmp" "$to/image.tar"
