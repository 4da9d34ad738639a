#!/bin/sh
# Formats the storage the first time, then becomes the broker. The working directory has the folder `secrets`, which
# broker.properties reads; kafka_setup/connection/broker_login.py writes it, and the super user's salted password.
# The salted password also allows a login, so the tool reads it from the file and not from its command line.
set -eu
if [ ! -e "$BROKER_DATA_DIR/meta.properties" ]; then  # written last
    cluster_id=$(kafka-storage.sh random-uuid)
    kafka-storage.sh format --cluster-id "$cluster_id" --config "$BROKER_CONFIG" --add-scram "@$BROKER_SCRAM_FILE"
fi
KAFKA_OPTS=${BROKER_JVM_OPTIONS:-}
export KAFKA_OPTS
exec kafka-server-start.sh "$BROKER_CONFIG"
