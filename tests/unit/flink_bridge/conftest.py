"""A JVM without a cluster."""

from jvm_reader import jvm_pid, kind, log, reader, serve, tls_server
from plain_jvm import compile_java, gateway

__all__ = ["compile_java", "gateway", "jvm_pid", "kind", "log", "reader", "serve", "tls_server"]
