# METADATA
# title: Release candidates are deleted after their release
# description: |
#   1.4.0-rc.1 and 1.4.0-rc.2 are not needed a month after 1.4.0 was published in
#   the same image.
package janitor.image.release_candidates

delete contains {"tag": tag.name, "reason": reason} if {
	some tag in input.tags
	tag.semver.prerelease != ""
	tag.age_days > 30
	version(tag) in released
	reason := sprintf("%s is out", [version(tag)])
}

released contains version(tag) if {
	some tag in input.tags
	tag.semver.prerelease == ""
}

version(tag) := sprintf("%d.%d.%d", [tag.semver.major, tag.semver.minor, tag.semver.patch])
