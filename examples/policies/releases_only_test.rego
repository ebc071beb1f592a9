package janitor.image.releases_only_test

import data.janitor.image.releases_only
import data.janitor.testing

tags := [
	testing.tag("latest", "8d"),
	testing.tag("v1.4.0", "8d"),
	testing.tag("1.4.0-rc.1", "8d"),
	testing.tag("main-42", "8d"),
	testing.tag("main-43", "6d"),
]

test_anything_else_is_deleted_after_a_week if {
	decisions := releases_only.delete with input as testing.image_with({"namespace": "releases"}, tags)
	decisions == {"1.4.0-rc.1", "main-42"}
}

test_releases_are_kept if {
	decisions := releases_only.keep with input as testing.image_with({"namespace": "releases"}, tags)
	decisions == {"v1.4.0"}
}

test_other_namespaces_are_left_alone if {
	decisions := releases_only.delete | releases_only.keep with input as testing.image_with({"namespace": "ci"}, tags)
	decisions == set()
}
