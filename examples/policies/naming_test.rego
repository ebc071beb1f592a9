package janitor.image.naming_test

import data.janitor.image.naming
import data.janitor.testing

named(name) := testing.image_with({"name": name}, [testing.tag("v1.0.0", "1d")])

test_kebab_case_is_right if {
	every name in ["api", "checkout-api", "payments/checkout-api-2"] {
		findings := naming.deny with input as named(name)
		count(findings) == 0
	}
}

test_anything_else_is_denied if {
	every name in ["Api", "checkout_api", "checkout--api", "-api", "payments/Api"] {
		findings := naming.deny with input as named(name)
		count(findings) == 1
	}
}

test_tags_are_lower_case if {
	findings := naming.warn with input as testing.image([testing.tag("V1.0-SNAPSHOT", "1d"), testing.tag("v1.0.0", "1d")])
	findings == {{"tag": "V1.0-SNAPSHOT", "reason": `push it as "v1.0-snapshot"`}}
}

test_latest_alone_says_nothing if {
	findings := naming.warn with input as testing.image([testing.tag("latest", "1d")])
	count(findings) == 1
}
