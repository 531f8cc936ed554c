"""Real OTLP receivers accept the pushes: rotel (gRPC and HTTP) and oteltap (HTTP)."""

import asyncio
import importlib.util
import subprocess
from pathlib import Path

import pytest

from exporters.catalogue import CATALOGUE
from exporters.otlp import OtlpExporter
from exporters.points import wait
from tests.support.e2e.peers import WAIT_SECONDS, answers, free_port, peer, until
from tests.support.measured import measured
from tests.support.snapshots import FixedSource, grumble
from xenprof.service.exporter import ExporterSettings, OtlpProtocol

pytestmark = pytest.mark.peer


def beside_package(package: str, name: str) -> Path | None:
    """Return a file of an installed package, without importing it."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent / name if spec and spec.origin else None


def push(port: int, protocol: OtlpProtocol) -> None:
    """Start and close the exporter: closing sends one snapshot."""
    settings = ExporterSettings(otlp_endpoint=f"http://127.0.0.1:{port}", otlp_protocol=protocol)
    exporter = OtlpExporter(FixedSource(), settings)
    exporter.start()
    exporter.close()


def received_by_rotel(directory: Path, protocol: OtlpProtocol) -> str:
    """Return what the collector printed for one push."""
    program = peer(beside_package("rotel", "rotel-agent"), "rotel (PyPI)")
    grpc_port, http_port = free_port(), free_port()
    port = grpc_port if protocol == "grpc" else http_port
    out = directory / "out"
    with out.open("wb") as stream:
        process = subprocess.Popen(
            [
                program,
                "start",
                f"--pid-file={directory / 'pid'}",
                f"--log-file={directory / 'log'}",
                f"--otlp-grpc-endpoint=127.0.0.1:{grpc_port}",
                f"--otlp-http-endpoint=127.0.0.1:{http_port}",
                "--exporter=blackhole",
                "--debug-log=metrics",
                "--debug-log-verbosity=detailed",
            ],
            stdout=stream,
            stderr=stream,
        )
    try:
        assert until(lambda: answers(port)), out.read_text(encoding="utf-8")
        push(port, protocol)
        last = f"-> Name: {CATALOGUE[-1].otel}"
        until(lambda: last in out.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        process.wait(30)
    return out.read_text(encoding="utf-8")


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_rotel_receives_every_metric(protocol: OtlpProtocol, tmp_path: Path):
    printed = received_by_rotel(tmp_path, protocol)
    missing = {metric.otel for metric in CATALOGUE if f"-> Name: {metric.otel}\n" not in printed}
    assert missing == set()


def test_rotel_reads_the_resource(tmp_path: Path):
    assert "-> host.name: Str(grumble)" in received_by_rotel(tmp_path, "grpc")


def test_oteltap_reads_values_and_buckets():
    peer(beside_package("oteltap", "__init__.py"), "oteltap (PyPI)")
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
    from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

    port = free_port()

    async def metric(name: str) -> Metric:
        receiver_settings = OtelTapHttpProtobufReceiverSettings(http_port=port)
        async with OtelTapHttpProtobufReceiver(receiver_settings) as receiver:
            arrived = asyncio.create_task(
                receiver.await_metric(lambda one: one.name == name, timeout=WAIT_SECONDS)
            )
            await asyncio.to_thread(push, port, "http/protobuf")
            return await arrived

    histogram = asyncio.run(metric("xen.vcpu.wait.duration")).histogram
    waits = measured(wait(grumble().domains[0]))
    assert tuple(histogram.data_points[0].bucket_counts) == waits.counts
