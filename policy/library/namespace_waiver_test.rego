package janitor.builtin.namespace.waiver_test

import data.janitor.builtin.namespace.waiver

test_a_waived_namespace_is_kept if {
	decisions := waiver.keep with input.facts as {"waivers": [{"owner": "team-data", "reason": "why"}]} with input.namespace.name as "prod"
	decisions == {{"namespace": "prod", "rule": "team-data", "reason": "why"}}
}

test_no_other_is if {
	decisions := waiver.keep with input.facts as {"waivers": []} with input.namespace.name as "prod"
	count(decisions) == 0
}
