package janitor.image.preview_builds_test

import data.janitor.image.preview_builds
import data.janitor.testing

test_old_previews_go if {
	decisions := preview_builds.delete with input as testing.image([
		testing.tag("main", "1h"),
		testing.tag("pr-2", "13d"),
		testing.tag("pr-1", "14d"),
		testing.tag("preview-search", "30d"),
		testing.tag("spr-3", "30d"),
	])
	decisions == {"pr-1", "preview-search"}
}

test_the_newest_build_is_kept if {
	decisions := preview_builds.delete with input as testing.image([testing.tag("pr-1", "400d")])
	decisions == set()
}
