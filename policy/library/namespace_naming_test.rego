package janitor.builtin.namespace.naming_test

import data.janitor.builtin.namespace.naming

lower := {"name": "lower", "subject": "namespace", "pattern": "[a-z]+", "severity": "deny"}

test_a_bad_name_is_a_finding if {
	findings := naming.deny with data.config.naming as [lower] with input.namespace.name as "prod2" with input.facts.naming as [0]
	findings == {{"rule": "lower", "severity": "deny", "reason": `the namespace name "prod2" does not match [a-z]+`}}
}

test_a_good_one_is_not if {
	findings := naming.warn with data.config.naming as [object.union(lower, {"severity": "warn"})] with input.namespace.name as "prod" with input.facts.naming as [0]
	count(findings) == 0
}
