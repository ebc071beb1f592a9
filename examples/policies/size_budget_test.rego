package janitor.image.size_budget_test

import data.janitor.image.size_budget
import data.janitor.testing

sized(name, gigabytes) := testing.image_with(
	{"name": name, "size_bytes": gigabytes * 1000000000},
	[testing.tag("latest", "1d")],
)

test_within_the_budget_nothing_is_said if {
	findings := size_budget.warn with input as sized("api", 20)
	count(findings) == 0
}

test_beyond_it_there_is_a_warning if {
	findings := size_budget.warn with input as sized("api", 21)
	findings == {"21 GB of a budget of 20 GB, in 1 tags"}
	none := size_budget.deny with input as sized("api", 100)
	count(none) == 0
}

test_far_beyond_it_is_a_violation if {
	findings := size_budget.deny with input as sized("api", 101)
	count(findings) == 1
}

test_models_have_a_larger_one if {
	findings := size_budget.warn with input as sized("ml/ranker", 200)
	count(findings) == 0
}
