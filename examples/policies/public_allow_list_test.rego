package janitor.image.public_allow_list_test

import data.janitor.image.public_allow_list
import data.janitor.testing

image(namespace, name, visibility) := testing.image_with(
	{"namespace": namespace, "name": name, "visibility": visibility},
	[testing.tag("latest", "1d")],
)

test_a_public_image_that_is_not_listed_is_made_private if {
	decision := public_allow_list.visibility with input as image("prod", "api", "public")
	decision == {"visibility": "private", "reason": "prod/api is not on the list of public images"}
}

test_it_may_be_public_through_its_namespace if {
	decision := public_allow_list.visibility with input as image({"name": "prod", "is_public": true}, "api", "inherit")
	decision.visibility == "private"
}

test_a_listed_image_stays_public if {
	not public_allow_list.visibility with input as image("oss", "cli", "public")
}

test_a_private_image_is_left_alone if {
	not public_allow_list.visibility with input as image("prod", "api", "private")
}

test_a_listed_image_that_cannot_be_pulled_is_reported if {
	findings := public_allow_list.warn with input as image("oss", "cli", "private")
	count(findings) == 1
	none := public_allow_list.warn with input as image("prod", "api", "private")
	count(none) == 0
}
