"""Alerts about xenprof itself: whether what the others see is true."""

from dashboards.rules.rule import Alert, Severity, Unit

JOB = 'job="xenprof"'
_LAG = "max by (host) (rate(xenprof_model_lag_seconds_total[5m]))"
_FAILED = "max by (host, signal) (increase(xenprof_push_failures_total[5m]))"
_LOG = "tail .run/serve.log ~/.local/state/xenprof/serve.log"
_JOURNAL = ("journalctl -u xenprof -n 20", "the same where systemd runs the service")
_SCRAPE = ("curl -s http://127.0.0.1:10031/-/healthy", "whether it answers at all")

ALERTS = (
    Alert(
        name="XenprofDown",
        severity=Severity.CRITICAL,
        for_minutes=2,
        unit=Unit.COUNT,
        expr=f"up{{{JOB}}} == 0",
        summary="Prometheus cannot scrape xenprof at $instance",
        meaning="Nothing is known of that host, so none of the other alerts can fire for it.",
        cause="The service has ended or never started; its address, its certificate or the "
        "password in prometheus.yml is not right; or it takes longer than the scrape's timeout.",
        threshold="2 minutes, long enough for a restart: our own judgement.",
        queries=(f"up{{{JOB}}}", f"scrape_duration_seconds{{{JOB}}}"),
        look=(
            _SCRAPE,
            (
                _LOG,
                "the last that the service said: the first file after make up, in its checkout; "
                "the second after xenprof serve --background, if HOME is the default one",
            ),
            _JOURNAL,
        ),
        act=(
            ("", "If it answers, look at Status, Targets of Prometheus: it tells the error."),
            ("systemctl restart xenprof", "starts it where systemd runs it, with its options"),
            ("make up", "starts it in a checkout, with the SCENARIO, PROFILE and LISTEN it had"),
            (
                "",
                "Else start it with the options that it had. Those with --host matter most: "
                "without them a model takes the place of the host that it watched.",
            ),
        ),
        helped=f'up{{{JOB},instance="$instance"}} == 1',
    ),
    Alert(
        name="XenprofHostNotRead",
        severity=Severity.CRITICAL,
        for_minutes=1,
        unit=Unit.COUNT,
        expr="max by (host) (xen_host_up) == 0",
        summary="xenprof runs but cannot read $host: all its figures are old or missing",
        meaning="The service answers scrapes with the last that it knew of a model; of a real host "
        "it then tells nothing.",
        cause="The model has failed, and the log has its traceback; or the agent of a real host "
        "does not answer, and the log says why.",
        threshold="1 minute: our own judgement.",
        queries=("xen_host_up", "xenprof_up", "xenprof_collector_success"),
        look=(
            ("xenprof top -b -i 1 --host $host", "its domains, or that nothing is known of it"),
            (
                "curl -s http://127.0.0.1:10031/api/v1/hosts",
                "every host of the service: is_up is false of those that are not read",
            ),
            (_LOG, "why it cannot be read"),
            _JOURNAL,
        ),
        act=(
            ("systemctl status xenprof-agent", "on a real host: whether its agent runs"),
            (
                "python3 /usr/local/lib/xenprof/xenprof-agent.pyz --check",
                "there, as root: what it can read, and what not and why",
            ),
            ("systemctl restart xenprof-agent", "there: starts it again, and ends nothing else"),
            ("", "If a model has failed, start its service again as XenprofDown says."),
        ),
        helped='xen_host_up{host="$host"} == 1',
    ),
    Alert(
        name="XenprofScrapeSlow",
        severity=Severity.WARNING,
        for_minutes=10,
        unit=Unit.SECONDS,
        expr=f"scrape_duration_seconds{{{JOB}}} > 1",
        summary="A scrape of xenprof at $instance takes $value",
        meaning="Near the timeout (10 s by default) scrapes fail, and graphs have gaps.",
        cause="The machine is busy, the model is behind, or there are very many domains and "
        "samples by symbol.",
        threshold="1 s: our own judgement, a hundred times what a host with a few domains needs.",
        queries=(
            f"scrape_samples_scraped{{{JOB}}}",
            "xenprof_collector_duration_seconds",
        ),
        look=(
            ("curl -s -o /dev/null -w '%{time_total}' http://127.0.0.1:10031/metrics", "how long"),
            ("xm list", "how many domains there are"),
        ),
        act=(("", "Scrape with name[] or domain[] what you need, or less often."),),
        helped=f'scrape_duration_seconds{{{JOB},instance="$instance"}} <= 1',
    ),
    Alert(
        name="XenprofModelBehind",
        severity=Severity.WARNING,
        for_minutes=5,
        unit=Unit.RATIO,
        expr=f"{_LAG} > 0.1",
        summary="The model of $host runs late by $value of the time",
        meaning="The machine cannot run the model at the speed that was asked for. Its results are "
        "right, as rates are per virtual second; they only come later.",
        cause="A busy machine, a model that runs as Python because it is not compiled, or a "
        "--speed that is too high.",
        threshold="A tenth of the time for 5 minutes: our own judgement.",
        queries=(_LAG, "xenprof_model_speed_ratio"),
        look=(
            ("xenprof --version", "engine: compiled is three times as fast as pure"),
            ("uptime", "the load of the machine"),
        ),
        act=(
            ("make compiled", "compiles the model, in a checkout"),
            ("xenprof stop", "then start it with the options it had and a smaller --speed"),
        ),
        helped='rate(xenprof_model_lag_seconds_total{host="$host"}[5m]) <= 0.1',
    ),
    Alert(
        name="XenprofCollectorFailing",
        severity=Severity.WARNING,
        for_minutes=5,
        unit=Unit.COUNT,
        expr="max by (host, collector) (xenprof_collector_success) == 0 "
        "unless on (host) max by (host) (xen_host_up) == 0",
        summary="The collector $collector of xenprof on $host fails",
        meaning="Its metrics are missing from the scrape, and alerts on them are silent.",
        cause="A fault in the collector, or a host that cannot tell it. The log has the traceback, "
        "once.",
        threshold="Every run for 5 minutes fails: our own judgement. Not of a host that cannot be "
        "read: XenprofHostNotRead says that.",
        queries=("xenprof_collector_success == 0", "xenprof_collector_duration_seconds"),
        look=((_LOG, "what has failed"),),
        act=(("", "Tell the developers, with the traceback."),),
        helped='xenprof_collector_success{host="$host",collector="$collector"} == 1',
    ),
    Alert(
        name="XenprofPushFailing",
        severity=Severity.WARNING,
        for_minutes=10,
        unit=Unit.COUNT,
        expr=f"{_FAILED} > 0",
        summary="xenprof on $host cannot push its $signal: $value pushes failed lately",
        meaning="The receiver refuses, or is not there. What waits is kept up to a bound, then "
        "dropped and counted in xenprof_push_dropped_total.",
        cause="A wrong endpoint or certificate, or a receiver that is down.",
        threshold="Any failure in every 5 minutes, for 10 minutes: our own judgement.",
        queries=(
            _FAILED,
            "sum by (host, signal, reason) (rate(xenprof_push_dropped_total[5m]))",
        ),
        look=(
            (_LOG, "what the receiver answered"),
            ("xenprof serve --help", "the options that name the receiver"),
        ),
        act=(("", "Start the receiver, or start the service with the right endpoint."),),
        helped='increase(xenprof_push_failures_total{host="$host",signal="$signal"}[5m]) == 0',
    ),
)
