#!/bin/sh
# Formats the storage the first time, then becomes the broker. The working directory holds the folder `secrets`
# that broker.properties reads; the salted login of the super user comes from a file, see kafka_setup/connection/scram.py.
set -eu
kafka-storage.sh format --ignore-formatted --cluster-id "$BROKER_CLUSTER_ID" --config "$BROKER_CONFIG" \
    --add-scram "$(cat "$BROKER_SCRAM_FILE")"
KAFKA_OPTS=${BROKER_JVM_OPTIONS:-}
export KAFKA_OPTS
exec kafka-server-start.sh "$BROKER_CONFIG"
