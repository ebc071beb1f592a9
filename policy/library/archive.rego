# METADATA
# title: Restored tags
# description: What was restored from the archive is kept for archive.restored_stay.
package janitor.builtin.image.archive

keep contains {"tag": tag.name, "rule": "restored", "reason": tag.reason} if {
	some tag in input.facts.restored
}
