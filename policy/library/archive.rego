# METADATA
# title: The archive
# description: What was restored from the archive is kept for archive.restored_stay, and the archive itself always.
package janitor.builtin.image.archive

keep contains {"tag": tag.name, "rule": "restored", "reason": tag.reason} if {
	some tag in input.facts.restored
}

keep contains {"tag": name, "rule": "own", "reason": "it belongs to an archive of deleted tags, which is in this image"} if {
	some name in input.facts.own
}
