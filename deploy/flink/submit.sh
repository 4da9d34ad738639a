#!/bin/sh
# Submits a job once: it does nothing if the job runs already, and continues from the newest checkpoint or savepoint
# of a job of this name, if there is one. FLINK_URL is the JobManager's REST address; all options of the job come from
# the environment. The script writes the job's name and id to a file beside the checkpoints, because Flink does not.
set -eu
# Running and scheduled jobs. If Flink does not answer, the job may run: submitted twice, it writes every event twice.
jobs=$(flink list -m "$FLINK_URL") || { echo "$FLINK_URL does not list its jobs: nothing is submitted" >&2; exit 1; }
if echo "$jobs" | grep -qF " : $WIN_EVENT_JOB_NAME ("; then
    echo "$WIN_EVENT_JOB_NAME is running already"
    exit 0
fi
job=$(python "$JOB_FILE" --describe)
start=$(python -m local_stack.cluster.checkpoints "$job" \
    "$CHECKPOINT_DIR/jobs" "$CHECKPOINT_DIR" "$CHECKPOINT_DIR/savepoints")
# shellcheck disable=SC2086 # one option per line, none with a space
answer=$(flink run -d -m "$FLINK_URL" $start -py "$JOB_FILE") || { code=$?; echo "$answer"; exit "$code"; }
echo "$answer"
id=$(echo "$answer" | sed -n 's/.*JobID \([0-9a-f]\{32\}\).*/\1/p')
echo "'$WIN_EVENT_JOB_NAME' ($id)" >> "$CHECKPOINT_DIR/jobs"
