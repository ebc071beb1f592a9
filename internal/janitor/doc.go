// Package janitor makes runs: a pass that scans, judges and plans, an application
// that carries a plan out, and what the ledger records of both; and the daemon that
// makes them when they are due. It joins the stages, and has no rule of its own.
//
// It must never change a registry but through actions.Apply: a pass and a daemon
// that only plans hold nothing that could. It must never take what the scanner could
// not read for what is not there: gaps go into the plan.
package janitor
