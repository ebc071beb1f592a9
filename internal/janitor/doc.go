// Package janitor makes one run: it scans, judges, plans, applies and records. It
// joins the stages, and decides nothing itself. Its nouns, in the order for reading: the
// Session, one connection to the API, in which runs are made; the Planner, which takes a
// feed to a plan, a comparison, an explanation or an inventory; the judge of a Planner, with
// the contents that it asks for; the collector of its decisions; and the ApplyRun, with
// what is in force while it applies.
//
// It must never change a registry except through apply.Apply: a run that only
// plans holds no client that could. It must never treat what the scanner could not
// read as absent: gaps go into the plan.
package janitor
