# METADATA
# title: Orphaned attachments
# description: |
#   Signatures and the like of a digest that no tag of the image has any more. They
#   are deleted if the configuration allows it.
package janitor.builtin.image.attachments

delete contains {"tag": orphan.name, "rule": "orphans", "reason": reason} if {
	data.config.attachments.orphans == "delete"
	some orphan in input.facts.orphans
	reason := concat("", ["no tag of the image has its subject ", orphan.subject])
}
