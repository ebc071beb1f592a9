# METADATA
# title: Retention
# description: |
#   The retention rules of the configuration. Which tags a rule's match takes,
#   in order, is a fact; what that means for them is decided here.
package janitor.builtin.image.retention

delete contains {"tag": tag.name, "rule": rule.name, "reason": reason} if {
	some matched in input.facts.retention
	rule := data.config.retention[matched.rule]
	oldest := rule.delete.older_than_seconds
	reason := words(rule.delete.older_than)
	some tag in matched.tags
	tag.age_seconds >= oldest
}

keep contains {"tag": tag.name, "rule": rule.name, "reason": "the rule keeps all it matches"} if {
	some matched in input.facts.retention
	rule := data.config.retention[matched.rule]
	rule.keep.all
	some tag in matched.tags
}

keep contains {"tag": tag.name, "rule": rule.name, "reason": reason} if {
	some matched in input.facts.retention
	rule := data.config.retention[matched.rule]
	newest := rule.keep.last
	reason := sprintf("one of the %d newest %s", [newest, rule.count])
	some tag in matched.tags
	tag.position < newest
}

keep contains {"tag": tag.name, "rule": rule.name, "reason": reason} if {
	some matched in input.facts.retention
	rule := data.config.retention[matched.rule]
	youngest := rule.keep.within_seconds
	reason := concat("", ["younger than ", rule.keep.within])
	some tag in matched.tags
	tag.age_seconds < youngest
}

words("0s") := "kept by no criterion of the rule"

words(age) := concat("", ["older than ", age]) if age != "0s"
