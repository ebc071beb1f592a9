package janitor.builtin.image.empty_test

import data.janitor.builtin.image.empty

config := {"images": {"older_than": "7d", "older_than_seconds": 604800}}

image(tags) := {"name": "api", "tag_count": tags}

test_an_old_empty_image_goes if {
	votes := empty.delete with data.config.empty as config with input.image as image(0) with input.facts.age_seconds as 604800
	votes == {{"image": "api", "rule": "images", "reason": "empty, and unchanged for 7d"}}
}

test_a_young_one_stays if {
	votes := empty.delete with data.config.empty as config with input.image as image(0) with input.facts.age_seconds as 604799
	count(votes) == 0
}

test_one_with_tags_stays if {
	votes := empty.delete with data.config.empty as config with input.image as image(1) with input.facts.age_seconds as 9999999
	count(votes) == 0
}

test_off_unless_given if {
	votes := empty.delete with data.config.empty as {} with input.image as image(0) with input.facts.age_seconds as 9999999
	count(votes) == 0
}
