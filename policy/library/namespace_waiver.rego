# METADATA
# title: Waivers of namespaces
# description: A namespace that a waiver in force is about is kept until its last day.
package janitor.builtin.namespace.waiver

keep contains {"namespace": input.namespace.name, "rule": waiver.owner, "reason": waiver.reason} if {
	some waiver in input.facts.waivers
}
