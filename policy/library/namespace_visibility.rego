# METADATA
# title: Visibility of namespaces
# description: The visibility rules of the configuration whose subject is the namespace.
package janitor.builtin.namespace.visibility

visibility contains {"visibility": rule.require, "rule": rule.name, "reason": reason(rule)} if {
	some rule in broken
	rule.fix
}

visibility contains {"visibility": present, "rule": rule.name, "reason": "satisfied as it is"} if {
	some rule in matched
	rule.require == present
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

broken := [rule | some rule in matched; rule.require != present]

default present := "private"

present := "public" if input.namespace.is_public

reason(rule) := sprintf("the namespace is %s, and must be %s", [present, rule.require])
