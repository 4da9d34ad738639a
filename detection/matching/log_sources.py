"""The channels and event ids of log sources in rules, and their names of fields. Pure data.

Channels of services: pySigma's own table. Categories: the event ids of Sysmon; process_creation is also event
4688 of the Security channel, with other names of fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sigma.pipelines.common import windows_logsource_mapping
from sigma.rule import SigmaLogSource

SYSMON = "Microsoft-Windows-Sysmon/Operational"


class LogSourceError(ValueError):
    """The log source has no Windows events, or is unknown; the text says which."""


@dataclass(frozen=True)
class Source:
    """The events of a log source.

    `channel` None: any. `event_ids` None: any. `renamed`: field of the rule -> field of the event.
    """

    channel: str | None = None
    event_ids: frozenset[int] | None = None
    renamed: dict[str, str] = field(default_factory=dict, hash=False)

    def may_be(self, channel: str, event_id: int) -> bool:
        """Whether an event of this channel (lower case) and id can be from this source."""
        ours = self.channel is None or self.channel.lower() == channel
        return ours and (self.event_ids is None or event_id in self.event_ids)


_AUDITED_PROCESS = {
    "Image": "NewProcessName", "ParentImage": "ParentProcessName", "ProcessId": "NewProcessId",
    "ParentProcessId": "ProcessId", "User": "SubjectUserName", "LogonId": "SubjectLogonId",
    "IntegrityLevel": "MandatoryLabel",
}  # fmt: skip
_SYSMON_IDS = {
    "process_creation": (1,), "file_change": (2,), "network_connection": (3,), "sysmon_status": (4, 16),
    "process_termination": (5,), "driver_load": (6,), "image_load": (7,), "create_remote_thread": (8,),
    "raw_access_thread": (9,), "process_access": (10,), "file_event": (11,), "registry_add": (12,),
    "registry_delete": (12,), "registry_set": (13,), "registry_rename": (14,),
    "registry_event": (12, 13, 14), "create_stream_hash": (15,), "pipe_created": (17, 18),
    "wmi_event": (19, 20, 21), "dns_query": (22,), "file_delete": (23, 26), "clipboard_capture": (24,),
    "process_tampering": (25,), "file_block_executable": (27,), "file_block_shredding": (28,),
    "file_executable_detected": (29,), "sysmon_error": (255,),
}  # fmt: skip
_POWERSHELL = ("Microsoft-Windows-PowerShell/Operational", "PowerShellCore/Operational")
_OTHERS = {
    "ps_module": tuple(Source(each, frozenset({4103})) for each in _POWERSHELL),
    "ps_script": tuple(Source(each, frozenset({4104})) for each in _POWERSHELL),
    "ps_classic_start": (Source("Windows PowerShell", frozenset({400})),),
    "ps_classic_provider_start": (Source("Windows PowerShell", frozenset({600})),),
    "ps_classic_script": (Source("Windows PowerShell", frozenset({800})),),
    # They need an agent that watches; no channel of Windows has them.
    "file_access": (Source("Microsoft-Windows-Kernel-File/Analytic"),),
    "file_rename": (Source("Microsoft-Windows-Kernel-File/Analytic"),),
}


def sources_of(log_source: SigmaLogSource) -> tuple[Source, ...]:
    """The sources of events for a rule's log source. Raises LogSourceError."""
    product, service, category = log_source.product, log_source.service, log_source.category
    if product not in (None, "windows"):
        raise LogSourceError(f"product '{product}': only rules for Windows events are supported")
    if category:
        return _of_category(category)
    if service is None:
        return (Source(),)
    channels = windows_logsource_mapping.get(service)
    if channels is None:
        raise LogSourceError(f"service {service}: no channel of Windows is known by this name")
    return tuple(Source(each) for each in ([channels] if isinstance(channels, str) else channels))


def _of_category(category: str) -> tuple[Source, ...]:
    if category in _OTHERS:
        return _OTHERS[category]
    if category not in _SYSMON_IDS:
        raise LogSourceError(f"category {category}: no event of Windows is known for it")
    sysmon = Source(SYSMON, frozenset(_SYSMON_IDS[category]))
    if category == "process_creation":
        return Source("Security", frozenset({4688}), _AUDITED_PROCESS), sysmon
    return (sysmon,)
