# The decisions of retention rules that depend on what is inside a tag. Without such a
# rule, this part of the policy is left out.
package janitor.builtin.image.retention

# A rule with older_than_label: each tag has its own limit.
delete contains {"tag": matched.names[i], "rule": matched.rule, "reason": matched.reasons[i]} if {
	some matched in input.facts.expiring
	some i, age in matched.ages
	age >= matched.limits[i]
}

warn contains {"tag": name, "rule": matched.rule, "reason": matched.reasons[i]} if {
	some matched in input.facts.unreadable_labels
	some i, name in matched.names
}

# Of a tag, or of others that the rule counts, it is not known whether the rule is about
# it. What is not known must not lead to a deletion.
keep contains {"tags": matched.names, "rule": matched.rule, "reason": "not all contents are known that the rule depends on"} if {
	some matched in input.facts.undecided
}
