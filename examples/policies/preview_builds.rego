# METADATA
# title: Preview builds live two weeks
# description: |
#   Builds of pull requests and of previews are useful for a short time. The newest
#   build of an image is kept at any age, so that an open but quiet pull request can
#   still be tried.
package janitor.image.preview_builds

delete contains tag.name if {
	some tag in input.tags
	preview(tag.name)
	tag.age_days >= 14
	tag.rank > 0
}

preview(name) if startswith(name, "pr-")

preview(name) if startswith(name, "preview-")
