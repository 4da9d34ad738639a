#!/bin/sh
# Submits the bridge once: nothing when it runs already, and from the newest kept checkpoint when there is one.
# FLINK_URL is the JobManager's REST address; all options of the job come from the environment.
set -eu
if flink list -r -m "$FLINK_URL" | grep -qF " : $WIN_EVENT_JOB_NAME ("; then
    echo "$WIN_EVENT_JOB_NAME is running already"
    exit 0
fi
newest=$(find "$CHECKPOINT_DIR" -path '*/chk-*/_metadata' -printf '%T@ %h\n' 2>/dev/null | sort -n | tail -n 1 | cut -d ' ' -f 2-)
set -- "$@"
if [ -n "$newest" ]; then
    echo "continuing from $newest"
    set -- -s "file://$newest"
fi
exec flink run -d -m "$FLINK_URL" "$@" -py "$BRIDGE_JOB"
