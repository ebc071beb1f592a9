# METADATA
# title: Names of images and tags
# description: The naming rules of the configuration whose subject is the image or the tag.
package janitor.builtin.image.naming

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
	not regex.match(anchored(rule.pattern), input.image.name)
	reason := sprintf("the image name %q does not match %s", [input.image.name, rule.pattern])
}

findings contains {"tag": tag, "rule": rule.name, "reason": reason, "severity": rule.severity} if {
	some matched in input.facts.tag_naming
	rule := data.config.naming[matched.rule]
	pattern := anchored(rule.pattern)
	some tag in matched.tags
	not regex.match(pattern, tag)
	reason := sprintf("the tag name %q does not match %s", [tag, rule.pattern])
}

anchored(pattern) := concat("", ["^(?:", pattern, ")$"])
