# METADATA
# title: Waivers of images and tags
# description: What a waiver in force is about is kept until its last day.
package janitor.builtin.image.waiver

keep contains {"tag": tag.name, "rule": tag.owner, "reason": tag.reason} if {
	some tag in input.facts.waived_tags
}

keep contains {"image": input.image.name, "rule": waiver.owner, "reason": waiver.reason} if {
	some waiver in input.facts.waivers
}
