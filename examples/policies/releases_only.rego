# METADATA
# title: Only releases stay in a release namespace
# description: |
#   What is published to a release namespace is a release. Candidates and builds
#   that were pushed there go after a week; the tags that move with a release
#   stay with it.
package janitor.image.releases_only

namespaces := {"release", "releases"}

moving := {"latest", "stable", "lts"}

delete contains tag.name if {
	input.namespace.name in namespaces
	some tag in input.tags
	not tag.name in releases
	not tag.name in moving
	tag.age_days >= 7
}

# METADATA
# title: It is a release
keep contains tag if {
	input.namespace.name in namespaces
	some tag in releases
}

releases := {tag.name |
	some tag in input.tags
	tag.semver.prerelease == ""
}
