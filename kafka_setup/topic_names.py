"""The topics that every tool uses unless it is told otherwise; they are in topology.yaml."""

from __future__ import annotations

EVENTS_TOPIC = "events_processed"
REJECTED_TOPIC = "events_rejected"
ALERTS_TOPIC = "alerts"
