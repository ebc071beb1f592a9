package janitor.builtin.image.protect_test

import data.janitor.builtin.image.protect

test_tags_and_digests_are_kept if {
	decisions := protect.keep with input.facts as {"protected_tags": [{"name": "latest", "pattern": "lat*"}], "protected_digests": ["v1"]}
	decisions == {
		{"tag": "latest", "rule": "tags", "reason": "protected by lat*"},
		{"tag": "v1", "rule": "digests", "reason": "its digest is protected"},
	}
}

test_nothing_else_is if {
	decisions := protect.keep with input.facts as {"protected_tags": [], "protected_digests": []}
	count(decisions) == 0
}

test_labels_keep if {
	decisions := protect.keep with input.facts as {"protected_labels": [{"name": "v1", "reason": "protected by its label keep=true"}]}
	decisions == {{"tag": "v1", "rule": "labels", "reason": "protected by its label keep=true"}}
}
