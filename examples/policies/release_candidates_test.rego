package janitor.image.release_candidates_test

import data.janitor.image.release_candidates

tag(name, age, prerelease) := {
	"name": name,
	"age_days": age,
	"semver": {"major": 1, "minor": 4, "patch": 0, "prerelease": prerelease},
}

test_a_candidate_is_deleted_a_month_after_its_release if {
	tags := [tag("1.4.0", 35, ""), tag("1.4.0-rc.1", 40, "rc.1"), tag("1.4.0-rc.2", 30, "rc.2")]
	decisions := release_candidates.delete with input.tags as tags
	decisions == {{"tag": "1.4.0-rc.1", "reason": "1.4.0 is out"}}
}

test_a_candidate_without_a_release_is_kept if {
	decisions := release_candidates.delete with input.tags as [tag("1.4.0-rc.1", 400, "rc.1")]
	count(decisions) == 0
}

test_other_tags_are_no_candidates if {
	decisions := release_candidates.delete with input.tags as [tag("1.4.0", 400, ""), {"name": "main", "age_days": 400}]
	count(decisions) == 0
}
