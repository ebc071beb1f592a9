package janitor.builtin.image.archive_test

import data.janitor.builtin.image.archive

test_restored_tags_are_kept if {
	decisions := archive.keep with input.facts as {"restored": [{"name": "pr-12", "reason": "restored, and kept until tomorrow"}]}
	decisions == {{"tag": "pr-12", "rule": "restored", "reason": "restored, and kept until tomorrow"}}
}

test_the_archive_itself_is_kept if {
	decisions := archive.keep with input.facts as {"own": ["registry-janitor-index"]}
	decisions == {{"tag": "registry-janitor-index", "rule": "own", "reason": "it belongs to an archive of deleted tags, which is in this image"}}
}

test_nothing_else_is if {
	decisions := archive.keep with input.facts as {}
	count(decisions) == 0
}
