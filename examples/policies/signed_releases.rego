# METADATA
# title: Releases are signed
# description: |
#   Every release has a signature or another attachment in the same image, as
#   cosign writes it. The day after a push is for the pipeline to sign it.
# custom:
#   severity: high
package janitor.image.signed_releases

deny contains {"tag": tag.name, "reason": "nothing is attached to it: sign it"} if {
	some tag in input.tags
	tag.semver.prerelease == ""
	tag.age_days >= 1
	not tag.digest in signed
}

signed := {tag.attachment_of | some tag in input.tags}
