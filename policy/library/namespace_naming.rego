# METADATA
# title: Names of namespaces
# description: The naming rules of the configuration whose subject is the namespace.
package janitor.builtin.namespace.naming

deny contains finding if {
	some finding in findings
	finding.severity == "deny"
}

warn contains finding if {
	some finding in findings
	finding.severity == "warn"
}

findings contains {"rule": rule.name, "reason": reason, "severity": rule.severity} if {
	some i in input.facts.naming
	rule := data.config.naming[i]
	not regex.match(concat("", ["^(?:", rule.pattern, ")$"]), input.namespace.name)
	reason := sprintf("the namespace name %q does not match %s", [input.namespace.name, rule.pattern])
}
