"""Real OTLP receivers accept the pushes: rotel (gRPC and HTTP) and oteltap (HTTP)."""

import asyncio
import importlib.util
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from exporters.catalogue import CATALOGUE
from exporters.otlp import create
from hypervisor.telemetry import OperationRecord, OperationStep
from tests.support.e2e.peers import WAIT_SECONDS, answers, free_port, peer, until
from tests.support.otlp_messages import attributes
from tests.support.snapshots import FixedSource, full
from xenprof.service.exporter import ExporterSettings, OtlpProtocol

pytestmark = pytest.mark.peer


def beside_package(package: str, name: str) -> Path | None:
    """Return a file of an installed package, without importing it."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent / name if spec and spec.origin else None


TRACE = "0123456789abcdef0123456789abcdef"
CREATE = OperationRecord(
    1, TRACE, "create", "failed", "web", 7, "no memory", 0, 10**9,
    (OperationStep("hotplug vif", 0, 10**8),),
)  # fmt: skip
LINE = "[2007-03-14 12:00:00 xend 3070] WARNING (XendDomainInfo:875) Domain has crashed: name=web id=7."


def push(port: int, protocol: OtlpProtocol) -> None:
    """Start and close the exporter: closing sends one snapshot."""
    source = FixedSource(replace(full(), last_operations=(CREATE,)))
    source.journals.note(source.host, [LINE])
    settings = ExporterSettings(otlp_endpoint=f"http://127.0.0.1:{port}", otlp_protocol=protocol)
    exporter = create(source, settings)
    assert exporter is not None
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
                "--debug-log=logs",
                "--debug-log=traces",
                "--debug-log-verbosity=detailed",
            ],
            stdout=stream,
            stderr=stream,
        )
    try:
        assert until(lambda: answers(port)), out.read_text(encoding="utf-8")
        push(port, protocol)
        last = f"-> Name: {CATALOGUE[-1].otel}"
        until(
            lambda: all(
                said in out.read_text(encoding="utf-8") for said in (last, "hotplug vif", "crashed")
            )
        )
    finally:
        process.terminate()
        process.wait(30)
    return out.read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=["grpc", "http/protobuf"])
def printed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what rotel has printed of one push of all signals."""
    return received_by_rotel(tmp_path_factory.mktemp("rotel"), request.param)


def test_rotel_receives_every_metric(printed: str):
    missing = {metric.otel for metric in CATALOGUE if f"-> Name: {metric.otel}\n" not in printed}
    assert missing == set()


@pytest.mark.parametrize(
    "said",
    [
        "-> host.name: Str(grumble)",
        "Domain has crashed: name=web id=7.",
        "create of web failed after 1.000 s: no memory",
        "hotplug vif",
        TRACE,
    ],
)
def test_rotel_reads_the_resource_logs_and_spans(printed: str, said: str):
    assert said in printed


def received_by_oteltap(
    what: Literal["metric", "log", "trace"], wanted: Callable[[Any], bool]
) -> Any:
    """Return the first message that is wanted, of one push of all signals."""
    peer(beside_package("oteltap", "__init__.py"), "oteltap (PyPI)")
    from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

    port = free_port()

    async def received() -> Any:
        receiver_settings = OtelTapHttpProtobufReceiverSettings(http_port=port)
        async with OtelTapHttpProtobufReceiver(receiver_settings) as receiver:
            awaited = getattr(receiver, f"await_{what}")(wanted, timeout=WAIT_SECONDS)
            arrived = asyncio.create_task(awaited)
            await asyncio.to_thread(push, port, "http/protobuf")
            return await arrived

    return asyncio.run(received())


def test_oteltap_reads_values_and_buckets():
    metric = received_by_oteltap("metric", lambda one: one.name == "xen.vcpu.wait")
    point = metric.histogram.data_points[0]
    waits = full().domains[0].waits
    assert waits is not None
    assert tuple(point.bucket_counts) in {one.counts for one in waits.values()}


def test_oteltap_reads_log_records():
    record = received_by_oteltap("log", lambda one: "crashed" in one.body.string_value)
    assert (record.severity_text, attributes(record)["xen.domain.name"]) == ("WARNING", "web")


def test_oteltap_reads_spans():
    span = received_by_oteltap("trace", lambda one: one.name == "create")
    assert (span.trace_id.hex(), span.status.message) == (TRACE, "no memory")
