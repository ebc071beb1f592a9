package janitor.builtin.image.empty_test

import data.janitor.builtin.image.empty

config := {"images": {"older_than": "7d", "older_than_seconds": 604800}}

image(tags) := {"name": "api", "tag_count": tags}

test_an_old_empty_image_is_deleted if {
	decisions := empty.delete with data.config.empty as config with input.image as image(0) with input.facts.age_seconds as 604800
	decisions == {{"image": "api", "rule": "images", "reason": "empty, and unchanged for 7d"}}
}

test_a_young_one_is_kept if {
	decisions := empty.delete with data.config.empty as config with input.image as image(0) with input.facts.age_seconds as 604799
	count(decisions) == 0
}

test_one_with_tags_is_kept if {
	decisions := empty.delete with data.config.empty as config with input.image as image(1) with input.facts.age_seconds as 9999999
	count(decisions) == 0
}

test_off_unless_given if {
	decisions := empty.delete with data.config.empty as {} with input.image as image(0) with input.facts.age_seconds as 9999999
	count(decisions) == 0
}
