// Package janitor runs one pass: scan, judge, plan, and record it in the ledger if
// there is one. It joins the stages, and has no rule of its own.
//
// It must never change anything in a registry: a pass holds nothing that could. It
// must never take what the scanner could not read for what is not there: gaps go
// into the plan.
package janitor
