# METADATA
# title: Visibility of images
# description: |
#   The visibility rules of the configuration whose subject is the image. A rule
#   that is satisfied requires what is set, so that no other rule changes it.
package janitor.builtin.image.visibility

visibility contains {"visibility": rule.require, "rule": rule.name, "reason": reason(rule)} if {
	some rule in broken
	rule.fix
}

visibility contains {"visibility": input.image.visibility, "rule": rule.name, "reason": "satisfied as it is"} if {
	some rule in satisfied
}

deny contains {"rule": rule.name, "reason": reason(rule)} if {
	some rule in broken
	not rule.fix
	rule.severity == "deny"
}

warn contains {"rule": rule.name, "reason": reason(rule)} if {
	some rule in broken
	not rule.fix
	rule.severity == "warn"
}

matched := [data.config.visibility[i] | some i in input.facts.visibility]

satisfied := [rule | some rule in matched; present(rule) == rule.require]

broken := [rule | some rule in matched; present(rule) != rule.require]

# A rule that requires "inherit" is about the image alone; the others are about what
# a client sees.
present(rule) := input.image.visibility if rule.require == "inherit"

present(rule) := input.image.effective_visibility if rule.require != "inherit"

reason(rule) := sprintf("the image is %s, and must be %s", [present(rule), rule.require])
