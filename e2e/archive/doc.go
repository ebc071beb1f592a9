// Package archive archives, deletes and restores against real servers: a bucket of
// versitygw, a repository of Debian's registry, and a disk that is full. The source is
// the emulator of the program.
//
// It must never reach anything outside of this machine.
package archive
