// Package oci is the data plane of the emulator: the OCI distribution protocol over the
// images of an [emulator.Server], at the same address as its API.
//
// It serves what the tags of the world hold, and takes what clients push: a push by a tag
// makes or moves that tag in the API, and what is deleted there cannot be pulled any more.
// The protocol is that of go-containerregistry's pkg/registry; tokens, names and what
// exists are decided here.
//
// It must never change the API but by a push, or keep the bytes of what the world can make again.
package oci
