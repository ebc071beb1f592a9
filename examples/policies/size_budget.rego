# METADATA
# title: Images stay within their budget
# description: |
#   Storage is billed by the gigabyte. An image that outgrows its budget is
#   reported, and one that is far beyond it counts as a violation.
# custom:
#   severity: medium
package janitor.image.size_budget

gigabyte := 1000000000

default budget := 20

budget := 200 if startswith(input.image.name, "ml/")

warn contains reason if {
	input.image.size_bytes > budget * gigabyte
	reason := sprintf("%d GB of a budget of %d GB, in %d tags", [used, budget, input.image.tag_count])
}

# METADATA
# title: No image is five times its budget
# custom:
#   severity: high
deny contains reason if {
	input.image.size_bytes > (5 * budget) * gigabyte
	reason := sprintf("%d GB of a budget of %d GB: add a retention rule, or raise the budget", [used, budget])
}

used := floor(input.image.size_bytes / gigabyte)
