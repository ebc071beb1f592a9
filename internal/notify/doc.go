// Package notify tells people of a finished run, by chat, e-mail or a webhook, when
// something happened that they asked to be told of.
//
// It must never fail a run, hold one up for longer than its timeout, send a message
// twice, or let anything of a service's URL, which holds a secret, into an error or
// a message. It reads no clock: when something was told goes by the times of runs.
package notify
