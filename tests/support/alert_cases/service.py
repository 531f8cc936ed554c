"""Cases of alerts about profiling and about xenprof itself."""

from tests.support.alert_cases.case import HOST, Case, Series, counting, domain, flat

WEB = domain("web")
INSTANCE = 'job="xenprof",instance="dom0.example:10031"'


def samples(lost: float, stored: float) -> Series:
    mode = f'{WEB},mode="kernel",event="GLOBAL_POWER_EVENTS"'
    return {
        f'xenprof_samples_lost_total{{{WEB},stage="driver",reason="ring_full"}}': counting(lost),
        f"xen_profile_samples_total{{{mode}}}": counting(stored),
    }


def overhead(share_of_two_pcpus: float) -> Series:
    return {
        f'xen_profile_overhead_seconds_total{{{WEB},stage="daemon"}}': counting(
            2 * share_of_two_pcpus
        ),
        f'xen_pcpu_info{{{HOST},cpu="0"}}': flat(1),
        f'xen_pcpu_info{{{HOST},cpu="1"}}': flat(1),
    }


CASES = (
    Case(
        "XenprofSamplesLost",
        firing=samples(lost=100, stored=900),
        quiet=samples(lost=40, stored=960),
        labels={"domain": "web"},
        summary="10% of the profile samples of web on h are lost",
    ),
    Case(
        "XenprofOverheadHigh",
        firing=overhead(0.08),
        quiet=overhead(0.03),
        labels={},
        summary="Profiling takes 8% of the processors of h",
    ),
    Case(
        "XenprofDown",
        firing={f"up{{{INSTANCE}}}": flat(0)},
        quiet={f"up{{{INSTANCE}}}": flat(1), 'up{job="node",instance="x"}': flat(0)},
        labels={"job": "xenprof", "instance": "dom0.example:10031", "host": ""},
        summary="Prometheus cannot scrape xenprof at dom0.example:10031",
    ),
    Case(
        "XenprofHostNotRead",
        firing={f"xen_host_up{{{HOST}}}": flat(0)},
        quiet={},
        labels={},
        summary="xenprof runs but cannot read h: all its figures are old or missing",
    ),
    Case(
        "XenprofScrapeSlow",
        firing={f"scrape_duration_seconds{{{INSTANCE}}}": flat(2.5)},
        quiet={f"scrape_duration_seconds{{{INSTANCE}}}": flat(0.02)},
        labels={"job": "xenprof", "instance": "dom0.example:10031", "host": ""},
        summary="A scrape of xenprof at dom0.example:10031 takes 2.5s",
    ),
    Case(
        "XenprofModelBehind",
        firing={f"xenprof_model_lag_seconds_total{{{HOST}}}": counting(0.5)},
        quiet={f"xenprof_model_lag_seconds_total{{{HOST}}}": counting(0.01)},
        labels={},
        summary="The model of h runs late by 50% of the time",
    ),
    Case(
        "XenprofCollectorFailing",
        firing={f'xenprof_collector_success{{{HOST},collector="vbds"}}': flat(0)},
        quiet={f'xenprof_collector_success{{{HOST},collector="vbds"}}': flat(1)},
        labels={"collector": "vbds"},
        summary="The collector vbds of xenprof on h fails",
    ),
    Case(
        # Who cannot read the host cannot take a snapshot either: XenprofHostNotRead says so.
        "XenprofCollectorFailing",
        firing={f'xenprof_collector_success{{{HOST},collector="vbds"}}': flat(0)},
        quiet={
            f'xenprof_collector_success{{{HOST},collector="snapshot"}}': flat(0),
            f"xen_host_up{{{HOST}}}": flat(0),
        },
        labels={"collector": "vbds"},
        summary="The collector vbds of xenprof on h fails",
        is_cured=False,
    ),
    Case(
        "XenprofPushFailing",
        firing={f'xenprof_push_failures_total{{{HOST},signal="metrics"}}': counting(1 / 60)},
        quiet={f'xenprof_push_failures_total{{{HOST},signal="metrics"}}': flat(7)},
        labels={"signal": "metrics"},
        summary="xenprof on h cannot push its metrics: 5 pushes failed lately",
    ),
)
