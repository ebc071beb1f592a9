package janitor.builtin.namespace.visibility_test

import data.janitor.builtin.namespace.visibility as policy

private := {"name": "private", "require": "private", "fix": true, "severity": "deny"}

test_a_public_namespace_must_become_private if {
	decisions := policy.visibility with data.config.visibility as [private] with input.namespace.is_public as true with input.facts.visibility as [0]
	decisions == {{"visibility": "private", "rule": "private", "reason": "the namespace is public, and must be private"}}
}

test_a_private_one_keeps_what_is if {
	decisions := policy.visibility with data.config.visibility as [private] with input.namespace.is_public as false with input.facts.visibility as [0]
	decisions == {{"visibility": "private", "rule": "private", "reason": "satisfied as it is"}}
}

test_without_fix_it_is_reported if {
	rule := object.union(private, {"fix": false})
	findings := policy.deny with data.config.visibility as [rule] with input.namespace.is_public as true with input.facts.visibility as [0]
	warned := policy.warn with data.config.visibility as [object.union(rule, {"severity": "warn"})] with input.namespace.is_public as true with input.facts.visibility as [0]
	findings == {{"rule": "private", "reason": "the namespace is public, and must be private"}}
	warned == findings
}
