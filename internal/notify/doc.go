// Package notify sends messages about finished runs to chats, e-mail addresses and
// webhooks.
//
// A Notifier has several Notifications. Each one has a service and a list of
// Occasions, such as a failure or a gap; a run with one of them causes a Message.
//
// It must never fail a run, delay it for longer than the timeout, send a message
// twice, or put any part of a service's URL, which contains a secret, into an error
// or a message. It reads no clock: it uses the times of the runs.
package notify
