# METADATA
# title: Only images on the list are public
# description: |
#   An image that everyone can pull should be public by decision, not by accident.
#   Public images that are not on the list become private.
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
# title: Images on the list can be pulled
warn contains "it is on the list of public images, but private" if {
	input.image.effective_visibility == "private"
	name in public
}

name := concat("/", [input.namespace.name, input.image.name])
