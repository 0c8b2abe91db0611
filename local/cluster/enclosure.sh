#!/bin/sh
# Makes the inside of a local cluster's enclosure what kubelet, containerd and the CNI plugins expect of a machine of their
# own, then waits as the first process of its process namespace. Everything here ends with that process.
# usage: enclosure.sh DIRECTORY ADDRESS PAUSE
set -eu
directory=$1 address=$2 pause=$3

# Volumes of pods are mounted in one place and seen in others.
mount --make-rshared /
# Paths that those programs know by heart are the cluster's own.
mkdir -p "$directory/var-lib" "$directory/var-log"
mount --bind "$directory/var-lib" /var/lib
mount --bind "$directory/var-log" /var/log
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/lock

# The kubelet sets these for the whole machine, unless it finds what it wants.
mkdir /run/sysctl
for setting in vm/overcommit_memory=1 kernel/panic=10 kernel/panic_on_oops=1 \
	kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
	file=/proc/sys/${setting%=*}
	copy=/run/sysctl/$(echo "${setting%=*}" | tr / .)
	echo "${setting#*=}" >"$copy"
	[ ! -e "$file" ] || mount --bind "$copy" "$file"
done

# No link leads out of this network. Addresses that nobody has, such as those of Services, go to a bridge without ports,
# after the rules of kube-proxy had their say.
ip link set lo up
ip addr add "$address/32" dev lo
ip link add services type bridge
ip link set services up
ip route replace default dev services src "$address"
echo 1 >/proc/sys/net/ipv4/ip_forward

: >"$directory/enclosed"
exec "$pause" -P
