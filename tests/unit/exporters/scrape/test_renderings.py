import gzip
def test_a_snapshot_is_rendered_once_for_two_scrapers():
    exporter = create(FixedSource(), ExporterSettings())
    first = exporter.body(openmetrics=False, zipped=True)
    assert first is exporter.body(openmetrics=False, zipped=True)


def test_a_new_generation_is_rendered_anew():
    source = FixedSource(grumble(1))
    exporter = create(source, ExporterSettings())
    first = exporter.body(openmetrics=False, zipped=False)
    source.host = grumble(2)
    assert first != exporter.body(openmetrics=False, zipped=False)


def test_a_dead_model_shows_although_no_snapshot_comes():
    source = FixedSource()
    exporter = create(source, ExporterSettings())
    exporter.body(openmetrics=False, zipped=True)
    source.service = replace(source.service, up=False)
    scrape = gzip.decompress(exporter.body(openmetrics=False, zipped=True))
    assert b'xenprof_up{host="grumble"} 0\n' in scrape


def test_the_path_is_the_users():
    exporter = create(FixedSource(), ExporterSettings(telemetry_path="/xen"))
    assert [route.path for route in exporter.routes] == ["/xen"]
