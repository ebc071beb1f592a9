package janitor.namespace.size_budget_namespace_test

import data.janitor.namespace.size_budget_namespace
import data.janitor.testing

sized(name, gigabytes) := testing.namespace_with(name, {"size_bytes": gigabytes * 1000000000, "image_count": 1})

test_beyond_the_default_there_is_a_warning if {
	findings := size_budget_namespace.warn with input as sized("ci", 101)
	findings == {"101 GB of a budget of 100 GB"}
	none := size_budget_namespace.warn with input as sized("ci", 100)
	count(none) == 0
}

test_some_have_a_budget_of_their_own if {
	none := size_budget_namespace.warn with input as sized("prod", 500)
	count(none) == 0
	findings := size_budget_namespace.warn with input as sized("prod", 501)
	count(findings) == 1
}
