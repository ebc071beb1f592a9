// Package registries tests the emulator's data plane with the clients that people use,
// and starts another registry for tests that need a second one.
package registries
