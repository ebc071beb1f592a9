# METADATA
# title: Preview builds live two weeks
# description: |
#   Builds of pull requests and of previews are of use while somebody looks at
#   them. The newest build of an image stays whatever its age, so that an open
#   but quiet pull request can still be looked at.
package janitor.image.preview_builds

delete contains tag.name if {
	some tag in input.tags
	preview(tag.name)
	tag.age_days >= 14
	tag.rank > 0
}

preview(name) if startswith(name, "pr-")

preview(name) if startswith(name, "preview-")
