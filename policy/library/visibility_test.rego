package janitor.builtin.image.visibility_test

import data.janitor.builtin.image.visibility as policy

private := {"name": "private", "require": "private", "fix": true, "severity": "deny"}

public_image := {"visibility": "inherit", "effective_visibility": "public"}

private_image := {"visibility": "inherit", "effective_visibility": "private"}

test_a_broken_rule_that_fixes_asks if {
	decisions := policy.visibility with data.config.visibility as [private]
		with input.image as public_image
		with input.facts.visibility as [0]
	decisions == {{"visibility": "private", "rule": "private", "reason": "the image is public, and must be private"}}
}

test_a_satisfied_rule_keeps_what_is if {
	decisions := policy.visibility with data.config.visibility as [private]
		with input.image as private_image
		with input.facts.visibility as [0]
	decisions == {{"visibility": "inherit", "rule": "private", "reason": "satisfied as it is"}}
}

test_a_broken_rule_that_only_reports_denies_or_warns if {
	config := [object.union(private, {"fix": false}), object.union(private, {"fix": false, "severity": "warn", "name": "w"})]
	denied := policy.deny with data.config.visibility as config with input.image as public_image with input.facts.visibility as [0, 1]
	warned := policy.warn with data.config.visibility as config with input.image as public_image with input.facts.visibility as [0, 1]
	decisions := policy.visibility with data.config.visibility as config with input.image as public_image with input.facts.visibility as [0, 1]
	denied == {{"rule": "private", "reason": "the image is public, and must be private"}}
	warned == {{"rule": "w", "reason": "the image is public, and must be private"}}
	count(decisions) == 0
}

test_inherit_looks_at_the_image_alone if {
	rule := {"name": "inherit", "require": "inherit", "fix": true, "severity": "deny"}
	decisions := policy.visibility with data.config.visibility as [rule]
		with input.image as {"visibility": "private", "effective_visibility": "private"}
		with input.facts.visibility as [0]
	decisions == {{"visibility": "inherit", "rule": "inherit", "reason": "the image is private, and must be inherit"}}
}

test_a_rule_that_does_not_take_the_image_is_silent if {
	decisions := policy.visibility with data.config.visibility as [private]
		with input.image as public_image
		with input.facts.visibility as []
	count(decisions) == 0
}
