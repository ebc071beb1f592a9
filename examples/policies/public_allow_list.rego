# METADATA
# title: Only what is on the list is public
# description: |
#   An image that anybody can pull is published: by decision, not by accident.
#   What is public and not on the list is made private.
# custom:
#   severity: critical
package janitor.image.public_allow_list

public := {"oss/cli", "oss/agent", "website/docs"}

visibility := {"visibility": "private", "reason": reason} if {
	input.image.effective_visibility == "public"
	not name in public
	reason := sprintf("%s is not on the list of public images", [name])
}

# METADATA
# title: What is on the list can be pulled
warn contains "it is on the list of public images, but private" if {
	input.image.effective_visibility == "private"
	name in public
}

name := concat("/", [input.namespace.name, input.image.name])
