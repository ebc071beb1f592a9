package janitor.image.quarantine_test

import data.janitor.image.quarantine
import data.janitor.testing

marked := [testing.tag("pr-1", "400d"), testing.tag("quarantine-2026-11", "1d")]

test_a_tag_puts_the_image_into_quarantine if {
	decisions := quarantine.keep with input as testing.image(marked)
	decisions == {"pr-1", "quarantine-2026-11", {"image": "api"}}
}

test_so_does_its_name if {
	decisions := quarantine.keep with input as testing.image_with({"name": "quarantine/api"}, [testing.tag("a", "1d")])
	decisions == {"a", {"image": "quarantine/api"}}
}

test_it_is_private_and_reported if {
	quarantine.visibility == "private" with input as testing.image(marked)
	findings := quarantine.warn with input as testing.image(marked)
	count(findings) == 1
}

test_other_images_are_left_alone if {
	decisions := quarantine.keep with input as testing.image([testing.tag("dequarantine-1", "1d")])
	decisions == set()
	not quarantine.visibility with input as testing.image([testing.tag("a", "1d")])
}
