package janitor.namespace.stale_namespaces_test

import data.janitor.namespace.stale_namespaces
import data.janitor.testing

test_an_empty_one_goes_after_three_months if {
	votes := stale_namespaces.delete with input as testing.namespace_with("old", {"age": "90d"})
	votes == {{"namespace": "old", "reason": "empty and unchanged for 90 days"}}
	none := stale_namespaces.delete with input as testing.namespace_with("old", {"age": "89d"})
	count(none) == 0
}

test_one_with_images_is_only_reported if {
	stale := testing.namespace_with("old", {"age": "180d", "image_count": 3})
	votes := stale_namespaces.delete with input as stale
	count(votes) == 0
	findings := stale_namespaces.warn with input as stale
	findings == {"unchanged for 180 days: does anybody need it?"}
}

test_a_wanted_one_is_left_alone if {
	wanted := testing.namespace_with("old", {"age": "400d", "description": "Keep: mirrors of the base images"})
	votes := stale_namespaces.delete with input as wanted
	count(votes) == 0
}
