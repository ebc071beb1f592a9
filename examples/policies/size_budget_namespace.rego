# METADATA
# title: Namespaces stay within their budget
# description: A namespace, and with it a team, has a budget for all its images.
# custom:
#   severity: medium
package janitor.namespace.size_budget_namespace

gigabyte := 1000000000

# Gigabytes by namespace; the others have the default.
budgets := {"prod": 500, "ml": 2000}

warn contains reason if {
	budget := object.get(budgets, input.namespace.name, 100)
	input.namespace.size_bytes > budget * gigabyte
	reason := sprintf("%d GB of a budget of %d GB", [floor(input.namespace.size_bytes / gigabyte), budget])
}
