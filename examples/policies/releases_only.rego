# METADATA
# title: A release namespace keeps only releases
# description: |
#   A release namespace has releases only. Candidates and builds that were pushed
#   there are deleted after a week; tags that move with a release are kept with it.
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
