# METADATA
# title: Empty namespaces
# description: A namespace of which a complete listing proves that it has no image.
package janitor.builtin.namespace.empty

delete contains {"namespace": input.namespace.name, "rule": "namespaces", "reason": reason} if {
	input.facts.empty
	limit := data.config.empty.namespaces
	input.facts.age_seconds >= limit.older_than_seconds
	reason := concat("", ["empty, and unchanged for ", limit.older_than])
}
