# shellcheck shell=dash
# SPDX-License-Identifier: BSD-2-Clause
# The job of the matrix, in the machine: nettrace over the workload's shapes, its churn and its datagrams, first as it
# comes, then on each rung in $rungs. Leaves in /out of each what the workload knows (NAME.truth), what nettrace wrote
# (NAME.events, NAME.errors) and how both ended (NAME.workload, NAME.status). Waits are bounded by counting turns.

wait_for() # SECONDS COMMAND...
{
	turns=$(($1 * 10))
	shift
	until "$@"; do
		turns=$((turns - 1))
		[ $turns -gt 0 ] && kill -0 "$tracer" 2>/dev/null || return 1
		sleep 0.1
	done
}

is_ready()
{
	grep -qs '"event":"start"' "/out/$name.events"
}

# A line of truth for each end; that of churn has one for each connection, which has two, after one for all.
ends_wanted()
{
	wanted=$(grep -c . "/out/$name.truth")
	ends='close|fail|unlisten'
	case $name in churn* | netem) wanted=$((2 * (wanted - 1))) ends='close|fail' ;; esac
}

all_ended()
{
	[ "$(grep -cE "\"event\":\"($ends)\"" "/out/$name.events")" -ge "$wanted" ]
}

is_gone()
{
	! kill -0 "$tracer" 2>/dev/null
}

trace() # NAME OPTIONS WORKLOAD-WORDS...
{
	name=$1
	options=$2
	first=$3
	shift 3
	# shellcheck disable=SC2086 # one word an option
	nettrace -v --json $options >"/out/$name.events" 2>"/out/$name.errors" &
	tracer=$!
	if wait_for 60 is_ready; then
		workload "$first" --truth "/out/$name.truth" "$@" >/dev/null
		echo $? >"/out/$name.workload"
		ends_wanted
		wait_for 30 all_ended || echo "$name: not every end was told in time"
		kill -INT "$tracer"
		wait_for 20 is_gone || { is_gone || kill -KILL "$tracer"; }
	else
		echo "$name: nettrace did not write its start line"
		kill -KILL "$tracer" 2>/dev/null
	fi
	wait "$tracer"
	echo $? >"/out/$name.status"
}

# So small a machine would give up TIME_WAIT after 4096 connections and then reset the peer.
sysctl -q -w net.ipv4.tcp_max_tw_buckets=262144
# And drop datagrams between its two CPUs, which their receivers then wait for.
sysctl -q -w net.core.netdev_max_backlog=100000
cp /sys/kernel/debug/tracing/available_events /out/
# What fexit programs need of ftrace; the kernel's list of its functions has it or not (on arm64 since 6.4).
grep -m 1 ' register_ftrace_direct' /proc/kallsyms >>/out/available_events
nettrace --check --json >/out/check 2>/out/check.errors
echo $? >/out/check.status
trace shapes "" --repeat=3 all
is_ready || exit 0
trace churn "" churn --connections 6000 --processes 2
trace datagrams "-u" datagrams all
# 20 ms there and as many back, and each tenth packet lost: what is sent again the kernel counts too.
modprobe sch_netem
qdisc lo 20 10 || echo 'no netem: nothing is delayed or lost'
grep '^Tcp: [0-9]' /proc/net/snmp >/out/snmp.before
trace netem "" churn --connections 60 --processes 2
grep '^Tcp: [0-9]' /proc/net/snmp >/out/snmp.after
qdisc lo 0 0
: "${rungs:=}" # from tests/vm/run
for rung in $rungs; do
	[ "$rung" != 4 ] || { trace churn-4 "--rung 4" churn --connections 1000 --processes 2; continue; }
	trace "shapes-$rung" "--rung $rung" all
	trace "churn-$rung" "--rung $rung" churn --connections 2000 --processes 2
	[ "$rung" = 3 ] || trace "datagrams-$rung" "-u --rung $rung" datagrams all
done
