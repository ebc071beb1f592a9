# METADATA
# title: Retention
# description: |
#   The retention rules of the configuration. Facts hold which tags a rule matches,
#   how old they are and how many are newer; this policy decides what that means.
#   Each list of facts is about one criterion. It has an entry for each rule with
#   that criterion, and for each group of the rule. An entry has the name of the
#   rule, its limit, the reason, the names of the tags and, at the same position of
#   another list, what to compare the limit with. A decision that is the same for
#   several tags is made once, with their names; the least and the greatest of what
#   is compared tell at once whether it is about all of them, or none.
package janitor.builtin.image.retention

delete contains {"tags": tags, "rule": matched.rule, "reason": matched.reason} if {
	some matched in input.facts.aged
	tags := from(matched, matched.ages, matched.oldest)
}

keep contains {"tags": matched.names, "rule": matched.rule, "reason": "the rule keeps all it matches"} if {
	some matched in input.facts.all
}

keep contains {"tags": tags, "rule": matched.rule, "reason": matched.reason} if {
	some matched in input.facts.last
	tags := below(matched, matched.positions, matched.limit)
}

keep contains {"tags": tags, "rule": matched.rule, "reason": matched.reason} if {
	some matched in input.facts.within
	tags := below(matched, matched.ages, matched.youngest)
}

# The newest tag of each of the latest N periods with a tag. The names are those of
# the newest tags; limits and reasons depend on the unit.
keep contains {"tag": matched.names[i], "rule": matched.rule, "reason": matched.reasons[i]} if {
	some matched in input.facts.calendar
	some i, position in matched.positions
	position < matched.limits[i]
}

# The newest patches of the newest minors of the newest majors. A limit that the
# rule does not set is greater than any position.
keep contains {"tag": release.name, "rule": matched.rule, "reason": release.reason} if {
	some matched in input.facts.releases
	some release in matched.releases
	release.major < matched.majors
	release.minor < matched.minors
	release.patch < matched.patches
}

# The highest versions. The reasons depend on the version.
keep contains {"tag": matched.names[i], "rule": matched.rule, "reason": matched.reasons[i]} if {
	some matched in input.facts.versions
	some i, position in matched.positions
	position < matched.limit
}

from(matched, values, limit) := matched.names if {
	matched.least >= limit
} else := [matched.names[i] | some i, value in values; value >= limit] if {
	matched.greatest >= limit
}

below(matched, values, limit) := matched.names if {
	matched.greatest < limit
} else := [matched.names[i] | some i, value in values; value < limit] if {
	matched.least < limit
}
