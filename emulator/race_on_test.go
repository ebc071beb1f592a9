//go:build race

package emulator_test

// raceDetector reports that everything takes several times as long.
const raceDetector = true
