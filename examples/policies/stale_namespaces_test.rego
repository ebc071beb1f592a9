package janitor.namespace.stale_namespaces_test

import data.janitor.namespace.stale_namespaces
import data.janitor.testing

test_an_empty_one_is_deleted_after_three_months if {
	decisions := stale_namespaces.delete with input as testing.namespace_with("old", {"age": "90d"})
	decisions == {{"namespace": "old", "reason": "empty and unchanged for 90 days"}}
	none := stale_namespaces.delete with input as testing.namespace_with("old", {"age": "89d"})
	count(none) == 0
}

test_one_with_images_is_only_reported if {
	stale := testing.namespace_with("old", {"age": "180d", "image_count": 3})
	decisions := stale_namespaces.delete with input as stale
	count(decisions) == 0
	findings := stale_namespaces.warn with input as stale
	findings == {"unchanged for 180 days: is it still needed?"}
}

test_a_wanted_one_is_left_alone if {
	wanted := testing.namespace_with("old", {"age": "400d", "description": "Keep: mirrors of the base images"})
	decisions := stale_namespaces.delete with input as wanted
	count(decisions) == 0
}
