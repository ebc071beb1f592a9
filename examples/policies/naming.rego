# METADATA
# title: Names follow the convention
# description: |
#   Images are named in kebab case, by team and product (payments/checkout-api).
#   Tags are lower case, and are more specific than latest.
# custom:
#   severity: low
package janitor.image.naming

deny contains reason if {
	not regex.match(`^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)*$`, input.image.name)
	reason := sprintf("%q is not in kebab case", [input.image.name])
}

warn contains {"tag": tag.name, "reason": reason} if {
	some tag in input.tags
	not tag.attachment_of
	tag.name != lower(tag.name)
	reason := sprintf("push it as %q", [lower(tag.name)])
}

warn contains "latest is its only tag, and does not name a version" if {
	names := [tag.name | some tag in input.tags; not tag.attachment_of]
	names == ["latest"]
}
