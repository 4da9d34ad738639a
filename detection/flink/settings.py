"""All settings of a run of the Flink job, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from detection.correlation.bounds import DEFAULT_BOUNDS, Bounds
from detection.matching.rule_files import RuleFile
from flink_bridge.flink_settings import flink_options
from flink_bridge.kafka.settings import KafkaSettings
from kafka_setup.defaults import ALERTS_TOPIC, DETECTION_GROUP, EVENTS_TOPIC


@dataclass(frozen=True)
class DetectionSettings:
    """A run of the Flink job. `files`, `pipelines`: texts, which the job contains. Times are in seconds.

    `execution_mode`: where Python runs: `thread`, in the TaskManager's process, or `process`, beside it.
    """

    files: tuple[RuleFile, ...]
    pipelines: tuple[str, ...]
    kafka: KafkaSettings
    topic: str = EVENTS_TOPIC
    alerts_topic: str = ALERTS_TOPIC
    group: str = DETECTION_GROUP
    start_from: str = "earliest"
    bounded: bool = False
    max_lateness: float = 60.0
    idle_timeout: float = 60.0
    bounds: Bounds = DEFAULT_BOUNDS
    checkpoint_interval: float = 5.0
    execution_mode: str = "process"
    parallelism: int = 0  # 0: as Flink says, see with_parallelism
    job_name: str | None = None

    @property
    def name(self) -> str:
        return self.job_name or f"win-event-detection {self.topic} to {self.alerts_topic}"


def detection_flink_options(settings: DetectionSettings) -> dict[str, str]:
    return {
        **flink_options(settings),
        "parallelism.default": str(settings.parallelism),
        "python.execution-mode": settings.execution_mode,
        # For the mode `process`: a bundle is sent when it is full or a tenth of a second old, which adds to
        # the delay.
        "python.fn-execution.bundle.size": "20000",
        "python.fn-execution.bundle.time": "100",
    }
