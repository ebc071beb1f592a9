package janitor.builtin.namespace.empty_test

import data.janitor.builtin.namespace.empty

config := {"namespaces": {"older_than": "30d", "older_than_seconds": 2592000}}

test_an_old_empty_namespace_is_deleted if {
	decisions := empty.delete with data.config.empty as config
		with input.namespace.name as "old"
		with input.facts as {"empty": true, "age_seconds": 2592000}
	decisions == {{"namespace": "old", "rule": "namespaces", "reason": "empty, and unchanged for 30d"}}
}

test_one_that_is_not_proven_empty_is_kept if {
	decisions := empty.delete with data.config.empty as config
		with input.namespace.name as "old"
		with input.facts as {"empty": false, "age_seconds": 2592000}
	count(decisions) == 0
}

test_a_young_one_is_kept if {
	decisions := empty.delete with data.config.empty as config
		with input.namespace.name as "old"
		with input.facts as {"empty": true, "age_seconds": 2591999}
	count(decisions) == 0
}
