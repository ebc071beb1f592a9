//go:build race

package emulator_test

// raceDetector says that everything takes several times as long.
const raceDetector = true
