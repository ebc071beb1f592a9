package janitor.builtin.image.retention_test

import data.janitor.builtin.image.retention

builds := {"name": "builds", "count": "digests", "keep": {"last": 2, "within": "3d", "within_seconds": 259200}, "delete": {"older_than": "1d", "older_than_seconds": 86400}}

facts(tags) := {"retention": [{"rule": 0, "tags": tags}]}

names(votes) := {vote.tag | some vote in votes}

test_delete_from_the_age_on if {
	votes := retention.delete with data.config.retention as [builds]
		with input.facts as facts([{"name": "young", "age_seconds": 86399}, {"name": "old", "age_seconds": 86400}])
	votes == {{"tag": "old", "rule": "builds", "reason": "older than 1d"}}
}

test_delete_without_an_age if {
	rule := object.union(builds, {"delete": {"older_than": "0s", "older_than_seconds": 0}})
	votes := retention.delete with data.config.retention as [rule]
		with input.facts as facts([{"name": "new", "age_seconds": 0}])
	votes == {{"tag": "new", "rule": "builds", "reason": "kept by no criterion of the rule"}}
}

test_a_rule_without_delete_condemns_nothing if {
	votes := retention.delete with data.config.retention as [object.remove(builds, ["delete"])]
		with input.facts as facts([{"name": "old", "age_seconds": 9999999}])
	count(votes) == 0
}

test_last_keeps_by_position if {
	votes := retention.keep with data.config.retention as [object.union(builds, {"keep": {"within_seconds": 0}})]
		with input.facts as facts([{"name": "a", "age_seconds": 9999999, "position": 1}, {"name": "b", "age_seconds": 9999999, "position": 2}])
	votes == {{"tag": "a", "rule": "builds", "reason": "one of the 2 newest digests"}}
}

test_last_does_not_keep_what_has_no_position if {
	votes := retention.keep with data.config.retention as [builds]
		with input.facts as facts([{"name": "sha256-00.sig", "age_seconds": 9999999}])
	count(votes) == 0
}

test_within_keeps_what_is_younger if {
	votes := retention.keep with data.config.retention as [builds]
		with input.facts as facts([{"name": "a", "age_seconds": 259199}, {"name": "b", "age_seconds": 259200}])
	votes == {{"tag": "a", "rule": "builds", "reason": "younger than 3d"}}
}

test_all_keeps_all if {
	votes := retention.keep with data.config.retention as [{"name": "releases", "keep": {"all": true}}]
		with input.facts as facts([{"name": "a", "age_seconds": 0}, {"name": "b", "age_seconds": 9999999}])
	names(votes) == {"a", "b"}
}

test_rules_are_told_apart if {
	votes := retention.delete with data.config.retention as [builds, object.union(builds, {"name": "other"})]
		with input.facts as {"retention": [{"rule": 1, "tags": [{"name": "old", "age_seconds": 86400}]}]}
	votes == {{"tag": "old", "rule": "other", "reason": "older than 1d"}}
}
