# METADATA
# title: Empty images
# description: An image of which a complete listing proves that it has no tag.
package janitor.builtin.image.empty

delete contains {"image": input.image.name, "rule": "images", "reason": reason} if {
	input.image.tag_count == 0
	limit := data.config.empty.images
	input.facts.age_seconds >= limit.older_than_seconds
	reason := concat("", ["empty, and unchanged for ", limit.older_than])
}
