"""What monitoring sees."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.server.test_remote import folder, place, ran  # noqa: F401  # fixtures


def families(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


def samples(found, name):
    return {tuple(sorted(sample.labels.items())): sample.value for sample in found[name].samples}


def test_figures_of_runs_are_told_with_their_intervals(place):  # noqa: F811
    ran(place, "-q")
    admin = place.server.program("ada", "metrics", admin=True)
    answer = admin.client.get("/metrics", headers=admin.headers)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    found = families(answer.text)
    key = (("metric", "exact"), ("project", "default"), ("suite", "small"))
    value, low, high = (samples(found, f"evalwright_metric{end}")[key] for end in ("", "_low", "_high"))
    assert low < value == 0.9 < high
    runs = samples(found, "evalwright_runs")
    assert runs[(("project", "default"), ("status", "complete"), ("suite", "small"), ("verdict", "pass"))] == 1
    assert samples(found, "evalwright_review_items")[(("project", "default"), ("state", "open"))] == 0
    uploads = [
        sample.value
        for sample in found["evalwright_request_seconds"].samples
        if sample.name.endswith("_count") and sample.labels["operation"] == "upload_run"
    ]
    assert uploads == [1]


def test_names_of_things_make_no_series(local):
    nobody = local.client()
    for number in range(20):
        nobody.get(f"/p/default/runs/{number}")
        nobody.get(f"/api/v1/projects/x{number}/runs")
        nobody.request(f"M{number}", "/")
    admin = local.program("ada", "metrics", admin=True)
    text = admin.client.get("/metrics", headers=admin.headers).text
    assert "x19" not in text
    assert "M19" not in text


def test_only_tokens_of_admins_with_the_scope_see_figures(local):
    for who in (local.program("eva", "metrics"), local.program("ada", "admin", admin=True)):
        assert who.client.get("/metrics", headers=who.headers).status_code == 403
    assert local.client().get("/metrics").status_code == 401
    admin = local.browser("ada", admin=True)
    assert admin.client.get("/metrics").status_code == 200
