package janitor.builtin.image.protect_test

import data.janitor.builtin.image.protect

test_tags_and_digests_are_kept if {
	votes := protect.keep with input.facts as {"protected_tags": [{"name": "latest", "pattern": "lat*"}], "protected_digests": ["v1"]}
	votes == {
		{"tag": "latest", "rule": "tags", "reason": "protected by lat*"},
		{"tag": "v1", "rule": "digests", "reason": "its digest is protected"},
	}
}

test_nothing_else_is if {
	votes := protect.keep with input.facts as {"protected_tags": [], "protected_digests": []}
	count(votes) == 0
}
