package janitor.builtin.image.waiver_test

import data.janitor.builtin.image.waiver

waived := {"owner": "team-data", "reason": "waived until 2027-03-31 for team-data: audit"}

test_a_waived_tag_is_kept if {
	decisions := waiver.keep with input.facts as {"waived_tags": [object.union(waived, {"name": "v1"})]}
	decisions == {{"tag": "v1", "rule": "team-data", "reason": "waived until 2027-03-31 for team-data: audit"}}
}

test_a_waived_image_is_kept if {
	decisions := waiver.keep with input.facts as {"waivers": [waived]} with input.image.name as "api"
	decisions == {{"image": "api", "rule": "team-data", "reason": "waived until 2027-03-31 for team-data: audit"}}
}

test_nothing_else_is if {
	decisions := waiver.keep with input.facts as {"waived_tags": [], "waivers": []} with input.image.name as "api"
	count(decisions) == 0
}
