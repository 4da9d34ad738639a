"""What a tool uses that is not told anything else; topology.yaml has the topics and groups, too."""

from __future__ import annotations

from toolkit.addresses import KAFKA_PORT, LOOPBACK

SERVERS = f"{LOOPBACK}:{KAFKA_PORT}"
EVENTS_TOPIC = "events_processed"
REJECTED_TOPIC = "events_rejected"
ALERTS_TOPIC = "alerts"
DETECTION_GROUP = "win-event-detection"
