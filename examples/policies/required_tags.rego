# METADATA
# title: Every image of production has a release
# description: |
#   Production runs released versions, not builds of a branch.
package janitor.image.required_tags

deny contains "no tag is a semantic version: release one before it is deployed" if {
	input.namespace.name in {"prod", "production"}
	input.image.tag_count > 0
	count(releases) == 0
}

releases contains tag.name if {
	some tag in input.tags
	tag.semver.prerelease == ""
}
