"""The values of --preset: the fields for key, time and headers of each log shipper. Pure."""

from __future__ import annotations

from typing import NamedTuple

from producer.event_fields import TIMESTAMP_FIELDS


class Preset(NamedTuple):
    """The value of each option of the same name."""

    key_field: str
    timestamp_field: str
    headers: str


PRESETS = {
    # The computer of the event comes first: where events are forwarded, host.name is the collector.
    "winlogbeat": Preset(
        "winlog.computer_name,host.name", "@timestamp", "winlog.channel,event.code,log.level"
    ),
    "nxlog": Preset("Hostname", "EventTime", "Channel,EventID,Severity"),
    "winevtlog": Preset("Computer,ComputerName", "TimeCreated,TimeGenerated", "Channel,EventID,Level"),
    "evtx-dump": Preset(
        "Event.System.Computer",
        ",".join(field for field in TIMESTAMP_FIELDS if field.startswith("Event.")),
        "Event.System.Channel,Event.System.EventID,Event.System.Level",
    ),
    "hayabusa": Preset("Computer", "Timestamp", "Channel,EventID,Level,RuleTitle"),
    "splunk-hec": Preset("host", "time", "source,sourcetype,index"),
}
