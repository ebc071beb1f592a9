package janitor.builtin.image.naming_test

import data.janitor.builtin.image.naming

kebab := {"name": "kebab", "subject": "image", "pattern": "[a-z0-9]+(-[a-z0-9]+)*", "severity": "deny"}

test_a_good_name_is_silent if {
	findings := naming.deny with data.config.naming as [kebab] with input.image.name as "api-gateway" with input.facts.naming as [0]
	count(findings) == 0
}

test_the_whole_name_must_match if {
	findings := naming.deny with data.config.naming as [kebab] with input.image.name as "api_gateway" with input.facts.naming as [0]
	some finding in findings
	finding.reason == `the image name "api_gateway" does not match [a-z0-9]+(-[a-z0-9]+)*`
}

test_an_alternation_is_anchored_as_a_whole if {
	rule := object.union(kebab, {"pattern": "a|b"})
	findings := naming.deny with data.config.naming as [rule] with input.image.name as "ax" with input.facts.naming as [0]
	count(findings) == 1
}

test_tags_by_severity if {
	rule := object.union(kebab, {"severity": "warn"})
	config := [kebab, rule]
	facts := {"naming": [], "tag_naming": [{"rule": 1, "tags": ["ok", "NOT_OK"]}]}
	warned := naming.warn with data.config.naming as config with input.facts as facts
	denied := naming.deny with data.config.naming as config with input.facts as facts
	{finding.tag | some finding in warned} == {"NOT_OK"}
	count(denied) == 0
}
