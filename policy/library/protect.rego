# METADATA
# title: Protected tags and digests
# description: What the configuration protects by name or by digest is kept.
package janitor.builtin.image.protect

keep contains {"tag": tag.name, "rule": "tags", "reason": reason} if {
	some tag in input.facts.protected_tags
	reason := concat("", ["protected by ", tag.pattern])
}

keep contains {"tag": name, "rule": "digests", "reason": "its digest is protected"} if {
	some name in input.facts.protected_digests
}

keep contains {"tag": tag.name, "rule": "labels", "reason": tag.reason} if {
	some tag in input.facts.protected_labels
}
