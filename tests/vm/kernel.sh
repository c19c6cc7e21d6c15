# Sourced by run: gets one of Debian's kernel packages and unpacks it beside this file. Nothing is installed,
# and nothing is asked of the machine's own apt but where its archive is.

vm_kernels="6.1 5.10"
vm_cache="${ISOLATION_VM_CACHE:-$vm_room/.cache}"

# The Debian release whose kernel it is.
kernel_release() {
    case "$1" in
        6.1) echo bookworm ;;
        5.10) echo bullseye ;;
        *) echo "no kernel '$1': there are $vm_kernels" >&2; return 1 ;;
    esac
}

# Prints what the virtual machine lacks on this one; prints nothing when it can be had.
missing_of_vm() {
    local tool
    [ "$(uname -m)" = x86_64 ] || { echo "the guest shares this machine's files and is x86-64; this machine is $(uname -m)"; return; }
    for tool in qemu-system-x86_64:qemu-system-x86 busybox:busybox-static setpriv:util-linux; do
        command -v "${tool%:*}" >/dev/null || { echo "no ${tool%:*} (Debian package ${tool#*:})"; return; }
    done
    [ "${systemd:-0}" = 1 ] || return 0
    for tool in /lib/systemd/systemd:systemd /usr/bin/dbus-daemon:dbus /usr/lib/systemd/user/dbus.socket:dbus-user-session; do
        [ -e "${tool%:*}" ] || { echo "no ${tool%:*} (Debian package ${tool#*:})"; return; }
    done
}

# Succeeds when the kernel is unpacked; otherwise prints why it is not.
prepare_kernel() {
    local kernel="$1" release
    release="$(kernel_release "$kernel" 2>&1)" || { echo "$release"; return 1; }
    [ ! -e "$vm_cache/$kernel/vmlinuz" ] || return 0
    mkdir -p "$vm_cache" || return 1
    (
        # Two runs at once must not unpack into one place.
        flock 9 || exit 1
        [ ! -e "$vm_cache/$kernel/vmlinuz" ] || exit 0
        new="$vm_cache/$kernel.new"
        rm -rf "$new"
        mkdir -p "$new/apt/lists/partial" "$new/apt/cache/archives/partial" || exit 1
        fetch_kernel "$release" "$new" && unpack_kernel "$new" && rm -rf "$new/apt" "${vm_cache:?}/$kernel" && mv "$new" "$vm_cache/$kernel" && exit 0
        rm -rf "$new"
        exit 1
    ) 9>"$vm_cache/lock"
}

# apt keeps to a list of its own: the machine's sources stay as they are, and no root is needed. The archive is
# the one that the machine is configured for, with another release named.
write_apt_configuration() {
    local release="$1" directory="$2" own
    own="$(. /etc/os-release && echo "${VERSION_CODENAME:-}")"
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk -v own="$own" -v release="$release" -v key=/usr/share/keyrings/debian-archive-keyring.gpg '
            $3 == "main" && ($2 == own || $2 == own "-security") {
                sub(own, release, $2)
                print "deb [signed-by=" key "] " $1 " " $2 " main"
            }' | sort -u >"$directory/sources.list"
    [ -s "$directory/sources.list" ] || { echo "apt on this machine names no Debian archive"; return 1; }
    cat >"$directory/apt.conf" <<CONF
Dir::Etc::sourcelist "$directory/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$directory/lists";
Dir::Cache "$directory/cache";
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
APT::Get::List-Cleanup "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::Languages "none";
#clear Acquire::IndexTargets::deb::DEP-11;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF
}

fetch_kernel() {
    local release="$1" apt="$2/apt" package expected actual
    command -v apt-get >/dev/null || { echo "no apt-get: not a Debian system"; return 1; }
    write_apt_configuration "$release" "$apt" || return 1
    apt-get -c "$apt/apt.conf" -q update >"$apt/log" 2>&1 || { echo "apt-get update for $release failed: $(grep -m 1 '^[EW]:' "$apt/log")"; return 1; }
    package="$(apt-cache -c "$apt/apt.conf" depends linux-image-amd64 2>/dev/null | awk '$1 == "Depends:" { print $2; exit }')"
    [ -n "$package" ] || { echo "$release serves no linux-image-amd64"; return 1; }
    (cd "$apt" && apt-get -c apt.conf -q download "$package") >"$apt/log" 2>&1 ||
        { echo "apt-get download $package failed: $(grep -m 1 '^E:' "$apt/log")"; return 1; }
    # apt has compared this itself; a file that it would have let pass unsigned ends here.
    expected="$(apt-cache -c "$apt/apt.conf" show "$package" | awk '$1 == "SHA256:" { print $2; exit }')"
    actual="$(sha256sum "$apt/$package"_*.deb | cut -d ' ' -f 1)"
    [ -n "$expected" ] && [ "$expected" = "$actual" ] || { echo "$package: the signed index wants SHA-256 '$expected', got '$actual'"; return 1; }
}

unpack_kernel() {
    local new="$1" version
    dpkg-deb -x "$new"/apt/*.deb "$new/apt/root" || { echo "the package could not be unpacked"; return 1; }
    version="$(ls "$new/apt/root/lib/modules")"
    mkdir -p "$new/lib/modules"
    mv "$new/apt/root/lib/modules/$version" "$new/lib/modules/" && mv "$new/apt/root/boot/config-$version" "$new/config" || return 1
    # Two thirds of the modules drive what the machine does not have.
    (cd "$new/lib/modules/$version/kernel" && rm -rf sound drivers/{gpu,media,staging,isdn,usb,input,hid,iio,scsi,hwmon,mtd,platform,thunderbolt} drivers/net/{ethernet,wireless,usb,can})
    busybox depmod -b "$new" "$version" || { echo "depmod failed"; return 1; }
    # Last: it says that all is there.
    mv "$new/apt/root/boot/vmlinuz-$version" "$new/vmlinuz"
}

# Prints the modules in loading order, each after those it needs.
modules_in_order() {
    local modules="$1"
    shift
    awk -v wanted="$*" '
        function name(path) { sub(/.*\//, "", path); sub(/\.ko$/, "", path); gsub(/-/, "_", path); return path }
        function visit(path,    needs, count, i) {
            if (path in seen) return
            seen[path] = 1
            count = split(deps[path], needs, " ")
            for (i = 1; i <= count; i++) visit(needs[i])
            print path
        }
        { at = index($0, ":"); path = substr($0, 1, at - 1); file[name(path)] = path; deps[path] = substr($0, at + 1) }
        END {
            count = split(wanted, names, " ")
            for (i = 1; i <= count; i++) if (names[i] in file) visit(file[names[i]])
        }' "$modules/modules.dep"
}

# build_initramfs KERNEL FILE: busybox, the modules that reach the shared root, and the first program.
build_initramfs() {
    local modules content="$scratch/initramfs" path
    modules="$(echo "$vm_cache/$1/lib/modules/"*)"
    mkdir -p "$content"/{bin,modules,proc,sys,dev,host,layer,root}
    cp "$(command -v busybox)" "$content/bin/busybox"
    cp "$vm_room/init" "$content/init"
    chmod 0755 "$content/init"
    for path in $(modules_in_order "$modules" virtio_pci virtio_console 9pnet_virtio 9p overlay); do
        cp "$modules/$path" "$content/modules/"
        echo "${path##*/}"
    done >"$content/modules/order"
    (cd "$content" && find . | busybox cpio -o -H newc) >"$2" 2>/dev/null
}
