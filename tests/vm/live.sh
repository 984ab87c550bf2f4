# shellcheck shell=dash
# SPDX-License-Identifier: BSD-2-Clause
# The job of the matrix, in the machine: nettrace over the workload. Leaves in /out the workload's truth, what
# nettrace wrote (events, errors) and how it ended (nettrace.status). Waits are bounded by counting turns.

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
	grep -qs '"event":"start"' /out/events
}

all_ended()
{
	[ "$(grep -cE '"event":"(close|fail|unlisten)"' /out/events)" -ge "$wanted" ]
}

is_gone()
{
	! kill -0 "$tracer" 2>/dev/null
}

cp /sys/kernel/debug/tracing/available_events /out/
nettrace -v --json >/out/events 2>/out/errors &
tracer=$!
if wait_for 60 is_ready; then
	workload --truth /out/truth --repeat 3 all
	echo $? >/out/workload.status
	wanted=$(wc -l </out/truth)
	wait_for 30 all_ended || echo 'not every end was told in time'
	kill -INT "$tracer"
	wait_for 20 is_gone || { is_gone || kill -KILL "$tracer"; }
else
	echo 'nettrace did not write its start line'
	kill -KILL "$tracer" 2>/dev/null
fi
wait "$tracer"
echo $? >/out/nettrace.status
