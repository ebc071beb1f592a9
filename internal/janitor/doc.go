// Package janitor makes one run: it scans, judges, plans, applies and records. It
// joins the stages and has no rule of its own.
//
// It must never change a registry except through apply.Apply: a run that only
// plans holds no client that could. It must never treat what the scanner could not
// read as absent: gaps go into the plan.
package janitor
