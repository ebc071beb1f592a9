package janitor.builtin.image.attachments_test

import data.janitor.builtin.image.attachments

facts := {"orphans": [{"name": "sha256-00.sig", "subject": "sha256:00"}]}

test_orphans_go_where_the_configuration_says_so if {
	votes := attachments.delete with data.config as {"attachments": {"orphans": "delete"}} with input.facts as facts
	votes == {{"tag": "sha256-00.sig", "rule": "orphans", "reason": "no tag of the image has its subject sha256:00"}}
}

test_orphans_stay_otherwise if {
	votes := attachments.delete with data.config as {"attachments": {"orphans": "keep"}} with input.facts as facts
	count(votes) == 0
}

test_nothing_goes_where_there_are_no_orphans if {
	votes := attachments.delete with data.config as {"attachments": {"orphans": "delete"}} with input.facts as {}
	count(votes) == 0
}
