// Package janitor runs one pass: scan, judge, plan. It joins the stages, and has
// no rule of its own.
//
// It must never change anything: a pass holds nothing that could. It must never
// take what the scanner could not read for what is not there: gaps go into the
// plan.
package janitor
