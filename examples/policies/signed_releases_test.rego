package janitor.image.signed_releases_test

import data.janitor.image.signed_releases
import data.janitor.testing

digest := sprintf("sha256:%s", [crypto.sha256("release")])

signature := sprintf("%s.sig", [replace(digest, ":", "-")])

test_a_release_without_a_signature_is_denied if {
	findings := signed_releases.deny with input as testing.image([testing.tag("v1.0.0", "2d"), testing.tag("main", "2d")])
	findings == {{"tag": "v1.0.0", "reason": "nothing is attached to it: sign it"}}
}

test_a_signed_one_is_not if {
	findings := signed_releases.deny with input as testing.image([
		testing.tag_with("v1.0.0", "2d", {"digest": digest}),
		testing.tag(signature, "2d"),
	])
	count(findings) == 0
}

test_one_of_today_has_time if {
	findings := signed_releases.deny with input as testing.image([testing.tag("v1.0.0", "23h")])
	count(findings) == 0
}
