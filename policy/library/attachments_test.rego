package janitor.builtin.image.attachments_test

import data.janitor.builtin.image.attachments

facts := {"orphans": [{"name": "sha256-00.sig", "subject": "sha256:00"}]}

test_orphans_go_where_the_configuration_says_so if {
	decisions := attachments.delete with data.config as {"attachments": {"orphans": "delete"}} with input.facts as facts
	decisions == {{"tag": "sha256-00.sig", "rule": "orphans", "reason": "no tag of the image has its subject sha256:00"}}
}

test_orphans_are_kept_otherwise if {
	decisions := attachments.delete with data.config as {"attachments": {"orphans": "keep"}} with input.facts as facts
	count(decisions) == 0
}

test_nothing_is_deleted_without_orphans if {
	decisions := attachments.delete with data.config as {"attachments": {"orphans": "delete"}} with input.facts as {}
	count(decisions) == 0
}
