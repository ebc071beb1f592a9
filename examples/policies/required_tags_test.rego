package janitor.image.required_tags_test

import data.janitor.image.required_tags

release := {"name": "1.0.0", "semver": {"major": 1, "minor": 0, "patch": 0, "prerelease": ""}}

image(namespace, tags) := {"namespace": {"name": namespace}, "image": {"tag_count": count(tags)}, "tags": tags}

test_an_image_of_production_without_a_release_is_denied if {
	findings := required_tags.deny with input as image("prod", [{"name": "main-1"}])
	count(findings) == 1
}

test_one_with_a_release_is_not if {
	findings := required_tags.deny with input as image("prod", [{"name": "main-1"}, release])
	count(findings) == 0
}

test_elsewhere_none_is_needed if {
	findings := required_tags.deny with input as image("ci", [{"name": "main-1"}])
	count(findings) == 0
}

test_an_empty_image_is_another_policys_business if {
	findings := required_tags.deny with input as image("prod", [])
	count(findings) == 0
}
