package janitor.builtin.image.retention_content_test

import data.janitor.builtin.image.retention

expiring := {"rule": "previews", "names": ["a", "b", "c"], "ages": [10, 11, 12], "limits": [11, 11, 600], "reasons": ["why a", "why b", "why c"]}

test_each_tag_has_its_own_limit if {
	decisions := retention.delete with input.facts as {"expiring": [expiring]}
	decisions == {{"tag": "b", "rule": "previews", "reason": "why b"}}
}

test_a_label_that_is_no_limit_is_reported_and_marks_nothing if {
	facts := {"unreadable_labels": [{"rule": "previews", "names": ["a", "b"], "reasons": ["why a", "why b"]}]}
	warnings := retention.warn with input.facts as facts
	warnings == {{"tag": "a", "rule": "previews", "reason": "why a"}, {"tag": "b", "rule": "previews", "reason": "why b"}}
	marked := retention.delete with input.facts as facts
	count(marked) == 0
}

test_what_is_not_known_is_kept if {
	decisions := retention.keep with input.facts as {"undecided": [{"rule": "previews", "names": ["a"]}]}
	decisions == {{"tags": ["a"], "rule": "previews", "reason": "not all contents are known that the rule depends on"}}
}
