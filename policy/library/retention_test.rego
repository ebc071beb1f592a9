package janitor.builtin.image.retention_test

import data.janitor.builtin.image.retention

day := 86400

entry := {"rule": "builds", "names": ["a", "b", "c"], "reason": "why"}

# each is every decision for each of its tags.
each(decisions) := {{"tag": tag, "rule": d.rule, "reason": d.reason} | some d in decisions; some tag in d.tags}

with_facts(criterion, facts) := {criterion: [object.union(entry, bounded(facts))]}

# bounded adds the least and the greatest of what is compared.
bounded(facts) := object.union(facts, {"least": min(values), "greatest": max(values)}) if {
	values := object.get(facts, "ages", object.get(facts, "positions", []))
}

test_nothing_is_said_without_facts if {
	marked := retention.delete with input.facts as {}
	kept := retention.keep with input.facts as {}
	count(marked) + count(kept) == 0
}

test_delete_from_the_age_on if {
	decisions := retention.delete with input.facts as with_facts("aged", {"ages": [day - 1, day, day + 1], "oldest": day})
	each(decisions) == {{"tag": "b", "rule": "builds", "reason": "why"}, {"tag": "c", "rule": "builds", "reason": "why"}}
}

test_delete_without_an_age if {
	decisions := retention.delete with input.facts as with_facts("aged", {"ages": [0, 0, 0], "oldest": 0})
	count(each(decisions)) == 3
}

test_rules_are_told_apart if {
	builds := object.union(entry, bounded({"ages": [0, day, 0], "oldest": day}))
	other := object.union(entry, bounded({"rule": "other", "reason": "because", "ages": [day, 0, 0], "oldest": day}))
	decisions := retention.delete with input.facts as {"aged": [builds, other]}
	each(decisions) == {{"tag": "a", "rule": "other", "reason": "because"}, {"tag": "b", "rule": "builds", "reason": "why"}}
}

test_what_marks_does_not_keep if {
	decisions := retention.keep with input.facts as with_facts("aged", {"ages": [0, 0, 0], "oldest": day})
	count(decisions) == 0
}

test_all_keeps_all if {
	decisions := retention.keep with input.facts as {"all": [{"rule": "releases", "names": ["a", "b"]}]}
	each(decisions) == {
		{"tag": "a", "rule": "releases", "reason": "the rule keeps all it matches"},
		{"tag": "b", "rule": "releases", "reason": "the rule keeps all it matches"},
	}
}

test_last_keeps_by_position if {
	decisions := retention.keep with input.facts as with_facts("last", {"positions": [0, 1, 2], "limit": 2})
	{decision.tag | some decision in each(decisions)} == {"a", "b"}
}

test_last_keeps_all_that_share_a_position if {
	decisions := retention.keep with input.facts as with_facts("last", {"positions": [0, 0, 1], "limit": 1})
	{decision.tag | some decision in each(decisions)} == {"a", "b"}
}

test_each_group_has_its_own_positions if {
	decisions := retention.keep with input.facts as {"last": [
		bounded({"rule": "builds", "names": ["a", "b"], "positions": [0, 1], "limit": 1, "reason": "the newest of prod"}),
		bounded({"rule": "builds", "names": ["c", "d"], "positions": [0, 1], "limit": 1, "reason": "the newest of dev"}),
	]}
	each(decisions) == {
		{"tag": "a", "rule": "builds", "reason": "the newest of prod"},
		{"tag": "c", "rule": "builds", "reason": "the newest of dev"},
	}
}

test_within_keeps_what_is_younger if {
	decisions := retention.keep with input.facts as with_facts("within", {"ages": [day - 1, day, day + 1], "youngest": day})
	each(decisions) == {{"tag": "a", "rule": "builds", "reason": "why"}}
}

test_within_keeps_all_or_none if {
	young := retention.keep with input.facts as with_facts("within", {"ages": [0, 1, 2], "youngest": day})
	young == {{"tags": ["a", "b", "c"], "rule": "builds", "reason": "why"}}
	old := retention.keep with input.facts as with_facts("within", {"ages": [day, day, day], "youngest": day})
	count(old) == 0
}

test_delete_all_or_none if {
	old := retention.delete with input.facts as with_facts("aged", {"ages": [day, day + 1, day + 2], "oldest": day})
	old == {{"tags": ["a", "b", "c"], "rule": "builds", "reason": "why"}}
	young := retention.delete with input.facts as with_facts("aged", {"ages": [0, 1, day - 1], "oldest": day})
	count(young) == 0
}

test_calendar_keeps_the_latest_periods if {
	decisions := retention.keep with input.facts as {"calendar": [{
		"rule": "builds",
		"names": ["a", "b", "c"],
		"positions": [0, 1, 2],
		"limits": [2, 2, 2],
		"reasons": ["daily 2026-11-22", "daily 2026-11-20", "daily 2026-11-19"],
	}]}
	decisions == {
		{"tag": "a", "rule": "builds", "reason": "daily 2026-11-22"},
		{"tag": "b", "rule": "builds", "reason": "daily 2026-11-20"},
	}
}

test_a_tag_may_be_kept_for_several_periods if {
	decisions := retention.keep with input.facts as {"calendar": [{
		"rule": "builds",
		"names": ["a", "b", "a"],
		"positions": [0, 1, 0],
		"limits": [7, 1, 1],
		"reasons": ["weekly 2026-W47", "yearly 2025", "yearly 2026"],
	}]}
	decisions == {
		{"tag": "a", "rule": "builds", "reason": "weekly 2026-W47"},
		{"tag": "a", "rule": "builds", "reason": "yearly 2026"},
	}
}

releases := [
	{"name": "2.1.0", "reason": "why", "major": 0, "minor": 0, "patch": 0},
	{"name": "1.4.2", "reason": "why", "major": 1, "minor": 0, "patch": 0},
	{"name": "1.4.1", "reason": "why", "major": 1, "minor": 0, "patch": 1},
	{"name": "1.3.9", "reason": "why", "major": 1, "minor": 1, "patch": 0},
]

none := 1000

kept(majors, minors, patches) := {decision.tag | some decision in decisions} if {
	facts := {"rule": "releases", "releases": releases, "majors": majors, "minors": minors, "patches": patches}
	decisions := retention.keep with input.facts as {"releases": [facts]}
}

test_the_newest_patches_of_each_minor if kept(none, none, 1) == {"2.1.0", "1.4.2", "1.3.9"}

test_the_newest_minors_of_each_major if kept(none, 1, none) == {"2.1.0", "1.4.2", "1.4.1"}

test_the_newest_majors if kept(1, none, none) == {"2.1.0"}

test_the_newest_patches_of_the_newest_minors_of_the_newest_majors if kept(2, 1, 1) == {"2.1.0", "1.4.2"}

test_every_release if count(kept(none, none, none)) == 4

test_the_highest_versions if {
	decisions := retention.keep with input.facts as {"versions": [{
		"rule": "releases",
		"names": ["2.0.0", "2.0.0-alpine", "1.0.0"],
		"positions": [0, 0, 1],
		"reasons": ["the highest version", "follows 2.0.0", "the highest version"],
		"limit": 1,
	}]}
	decisions == {
		{"tag": "2.0.0", "rule": "releases", "reason": "the highest version"},
		{"tag": "2.0.0-alpine", "rule": "releases", "reason": "follows 2.0.0"},
	}
}
