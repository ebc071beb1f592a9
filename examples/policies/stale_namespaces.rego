# METADATA
# title: Stale namespaces are deleted
# description: |
#   A namespace that has been empty for three months is deleted. One that has images
#   but has not changed for half a year is reported, so that its owner decides. A
#   namespace whose description says "keep" is left alone.
package janitor.namespace.stale_namespaces

delete contains {"namespace": input.namespace.name, "reason": reason} if {
	input.namespace.image_count == 0
	input.namespace.age_days >= 90
	not wanted
	reason := sprintf("empty and unchanged for %d days", [input.namespace.age_days])
}

warn contains reason if {
	input.namespace.image_count > 0
	input.namespace.age_days >= 180
	not wanted
	reason := sprintf("unchanged for %d days: is it still needed?", [input.namespace.age_days])
}

wanted if contains(lower(input.namespace.description), "keep")
