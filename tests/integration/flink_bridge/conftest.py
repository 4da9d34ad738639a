"""The Java of the bridge without a cluster."""

from jvm_reader import reader
from plain_jvm import compile_java, gateway

__all__ = ["compile_java", "gateway", "reader"]
