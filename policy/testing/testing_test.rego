package janitor.testing_test

import data.janitor.testing

test_tags_come_newest_first_and_ties_by_name if {
	input_image := testing.image([testing.tag("old", "15d"), testing.tag("b", "3d"), testing.tag("a", "3d")])
	[[t.name, t.rank] | some t in input_image.tags] == [["a", 0], ["b", 1], ["old", 2]]
}

test_an_age_is_in_seconds_and_whole_days if {
	[t] := testing.image([testing.tag("a", "1d23h59m59s")]).tags
	t.age_days == 1
	t.age_seconds == 172799
	t.updated_at == "2026-11-20T12:00:01Z"
	t.created_at == t.updated_at
}

test_every_unit[unit] if {
	some unit, want in {"90s": 90, "90m": 5400, "12h": 43200, "15d": 1296000, "2w": 1209600, "6mo": 15552000, "1y": 31536000}
	[t] := testing.image([testing.tag("a", unit)]).tags
	t.age_seconds == want
}

test_tags_share_a_digest_by_its_word if {
	tags := testing.image([
		testing.tag_with("a", "1d", {"digest": "x"}),
		testing.tag_with("b", "2d", {"digest": "x"}),
		testing.tag("c", "3d"),
	]).tags
	[t.shares_digest_with | some t in tags] == [["b"], ["a"], []]
	startswith(tags[0].digest, "sha256:")
	count(tags[0].digest) == 71
}

test_versions_are_parsed_where_they_are_versions if {
	tags := testing.image([testing.tag(name, "1d") | some name in ["v1.2.3-rc.1_b4", "1.10.0", "1.2", "2027.00.010", "main"]]).tags
	{t.name: t.semver | some t in tags; t.semver} == {
		"v1.2.3-rc.1_b4": {"major": 1, "minor": 2, "patch": 3, "prerelease": "rc.1"},
		"1.10.0": {"major": 1, "minor": 10, "patch": 0, "prerelease": ""},
		"2027.00.010": {"major": 2027, "minor": 0, "patch": 10, "prerelease": ""},
	}
}

test_attachments_name_their_subject if {
	hex := crypto.sha256("x")
	tags := testing.image([testing.tag(sprintf("sha256-%s.sig", [hex]), "1d"), testing.tag("a", "1d")]).tags
	[t.attachment_of | some t in tags; t.attachment_of] == [sprintf("sha256:%s", [hex])]
}

test_a_tag_named_after_its_own_digest_is_not_an_attachment if {
	hex := crypto.sha256("x")
	[t] := testing.image([testing.tag_with(sprintf("sha256-%s", [hex]), "1d", {"digest": sprintf("sha256:%s", [hex])})]).tags
	not t.attachment_of
}

test_weeks_are_those_of_iso_8601[day] if {
	some day, want in {
		"2026-11-22": "2026-W47", "2027-01-01": "2026-W53", "2027-01-04": "2027-W01",
		"2024-12-30": "2025-W01", "2021-01-03": "2020-W53", "2023-01-01": "2022-W52",
	}
	doc := testing.image_with({"now": sprintf("%sT00:00:00Z", [day])}, [testing.tag("a", "0s")])
	doc.tags[0].bucket.week == want
	doc.tags[0].bucket.day == day
}

test_options_of_an_image if {
	doc := testing.image_with(
		{"name": "team/web", "region": "nl-ams", "namespace": {"name": "oss", "is_public": true}, "age": "2d", "size_bytes": 7},
		[testing.tag_with("a", "1d", {"status": "error", "in_use": ["k8s"], "created_age": "9d"})],
	)
	doc.image.ref == "rg.nl-ams.scw.cloud/oss/team/web"
	doc.image.effective_visibility == "public"
	doc.image.age_days == 2
	doc.image.size_bytes == 7
	doc.namespace.name == "oss"
	doc.tags[0].ref == "rg.nl-ams.scw.cloud/oss/team/web:a"
	doc.tags[0].status == "error"
	doc.tags[0].in_use == ["k8s"]
	doc.tags[0].created_at == "2026-11-13T12:00:00Z"
}

test_visibility_is_resolved_through_the_namespace if {
	testing.image([]).image.effective_visibility == "private"
	testing.image_with({"visibility": "public"}, []).image.effective_visibility == "public"
	testing.image_with({"namespace": "oss"}, []).namespace.name == "oss"
}

test_a_namespace if {
	doc := testing.namespace_with("staging", {"is_public": true, "image_count": 3, "age": "90d"})
	object.keys(doc) == {"now", "region", "namespace"}
	doc.namespace.name == "staging"
	doc.namespace.is_public
	doc.namespace.image_count == 3
	doc.namespace.age_days == 90
	testing.namespace("prod").namespace.is_public == false
}

test_contents if {
	doc := testing.image([
		testing.tag_with("a", "2d", {"content": {"labels": {"team": "payments"}, "built": "90d"}}),
		testing.tag_with("b", "3d", {"content": {}}),
		testing.tag("c", "4d"),
	])
	doc.tags[0].content.labels.team == "payments"
	doc.tags[0].content.built_days == 90
	doc.tags[1].content.kind == "image"
	doc.tags[1].content.built_at == doc.tags[1].updated_at
	not doc.tags[1].content.subject
	not doc.tags[2].content
}
