# METADATA
# title: Images in quarantine are kept and private
# description: |
#   An image is put into quarantine by its name (quarantine/…) or by a tag
#   (quarantine, quarantine-…). Nothing in it is deleted, so that it can be
#   examined, and it cannot be pulled from outside.
# custom:
#   severity: high
package janitor.image.quarantine

keep contains tag.name if {
	quarantined
	some tag in input.tags
}

keep contains {"image": input.image.name} if quarantined

visibility := "private" if quarantined

warn contains "it is in quarantine: release it, or delete it by hand" if quarantined

quarantined if startswith(input.image.name, "quarantine/")

quarantined if {
	some tag in input.tags
	regex.match(`^quarantine(-.*)?$`, tag.name)
}
